"""`tallystick alerts figures` and `export`: how fast alerts are handled, and the list for auditors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tallystick.cli.connect import connect
from tallystick.cli.console import plain, print_json, say
from tallystick.cli.files import new_file, require_absent
from tallystick.cli.options import Data, Json, State, Url
from tallystick.cli.table import Column, print_table

ROUTE = "/api/v1/alerts"
FIGURES = (
    "severity",
    "opened",
    "acknowledged",
    "half within",
    "9 of 10",
    "late",
    "closed",
    "half within",
    "9 of 10",
    "late",
)

Scope = Annotated[str | None, typer.Option("--scope", help="Only below this scope.", show_default=False)]
From = Annotated[
    str | None, typer.Option("--from", help="Opened then or later: a time, a day, or -7d.", show_default=False)
]
To = Annotated[str | None, typer.Option("--to", help="Opened before; of a day, its end.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(export)
    app.command()(figures)


def export(
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")],
    file_format: Annotated[str, typer.Option("--format", help="csv or json.")] = "csv",
    since: From = None,
    until: To = None,
    scope: Scope = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Write the list of all alerts opened in a period, counted against the log; without times, of the last 30 days."""
    require_absent(output)
    asked = {"format": file_format, "from": since, "to": until, "scope": scope}
    wanted = {name: value for name, value in asked.items() if value is not None}
    with connect(data, state, url) as client, client.download(f"{ROUTE}/export", **wanted) as chunks:
        written = 0
        with new_file(output) as sink:
            for chunk in chunks:
                written += sink.write(chunk)
    say(f"wrote {written:,} bytes to {output}")


def figures(
    since: From = None,
    until: To = None,
    scope: Scope = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show how fast alerts opened in a period were looked at and closed; without times, of the last 30 days."""
    with connect(data, state, url) as client:
        asked: dict[str, Any] = {"from": since, "to": until, "scope": scope}
        found = client.ask("GET", f"{ROUTE}/figures", **asked)["severities"]
    if as_json:
        for each in found:
            print_json(each)
        return
    print_table([Column(heading) for heading in FIGURES], [[plain(cell) for cell in _figures(each)] for each in found])


def _figures(each: dict[str, Any]) -> tuple[str, ...]:
    seen, closed = each["to_acknowledge"], each["to_close"]
    return (
        each["severity"],
        f"{each['opened']:,}",
        f"{each['acknowledged']:,}",
        _minutes(seen["p50_s"]),
        _minutes(seen["p90_s"]),
        f"{each['late_acknowledged']:,}",
        f"{each['closed']:,}",
        _minutes(closed["p50_s"]),
        _minutes(closed["p90_s"]),
        f"{each['late_closed']:,}",
    )


def _minutes(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds / 60:,.0f} min"
