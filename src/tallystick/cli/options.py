"""Options that many commands share, each spelled once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer


def _use_config(path: Path | None) -> Path | None:
    # Settings are read from here on and in the processes that are started; the environment is what all of them look at.
    if path is not None:
        os.environ["TALLYSTICK_CONFIG"] = str(path)
    return path


Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar="TALLYSTICK_CONFIG",
        callback=_use_config,
        is_eager=True,
        help="Configuration file (TOML); /etc/tallystick/tallystick.toml where it is.",
        show_default=False,
    ),
]
Data = Annotated[
    Path | None,
    typer.Option("--data", envvar="TALLYSTICK_DATA", help="Data directory to work on directly.", show_default=False),
]
State = Annotated[
    Path | None,
    typer.Option(
        "--state-dir",
        envvar="TALLYSTICK_STATE",
        help="Where the last-signed record lives, outside the data directory.",
        show_default=False,
    ),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar="TALLYSTICK_URL",
        help="Server to talk to instead; the token comes from TALLYSTICK_TOKEN.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one value a line.")]
From = Annotated[
    str | None,
    typer.Option("--from", help="Earliest occurred_at: a time with zone, or relative such as -7d.", show_default=False),
]
To = Annotated[
    str | None,
    typer.Option(
        "--to",
        help="Latest occurred_at: a time with zone, or relative; 2026-03-01 is the whole day.",
        show_default=False,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")]
