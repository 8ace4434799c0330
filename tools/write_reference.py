"""Writes the reference pages that are made from the code: `.venv/bin/python tools/write_reference.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tallystick.api.reference import render_api, render_metrics_page
from tallystick.cli.reference import render_commands, render_errors, render_settings
from tallystick.policies.reference import render_policy_keys

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs" / "reference"
PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "api.md": render_api,
    "commands.md": render_commands,
    "errors.md": render_errors,
    "metrics.md": render_metrics_page,
    "policy-keys.md": render_policy_keys,
    "settings.md": render_settings,
}


def main() -> None:
    for name, render in PAGES.items():
        (FOLDER / name).write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
