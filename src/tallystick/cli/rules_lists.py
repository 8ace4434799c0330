"""`tallystick rules lists`: lists of indicators, which rules name by `%name%`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from tallystick.cli.connect import connect
from tallystick.cli.console import plain, print_json, say
from tallystick.cli.files import read_text
from tallystick.cli.options import Data, Json, State, Url
from tallystick.cli.table import Column, print_table

ROUTE = "/api/v1/indicator-lists"
LISTS = ("name", "counting", "values", "changed", "by", "description")
VALUES = ("value", "counts", "until", "source", "note")
VALUES_AT_ONCE = 1000

app = typer.Typer(help="Lists of indicators: show, create, add, remove, delete.", invoke_without_command=True)

Name = Annotated[str, typer.Argument(metavar="LIST", help="Name of the list.")]
Values = Annotated[list[str] | None, typer.Argument(help="Values.", show_default=False)]
FromFile = Annotated[
    Path | None, typer.Option("--file", help="File with a value a line; lines that begin with # are left out.")
]


@app.callback()
def lists(
    context: typer.Context, data: Data = None, state: State = None, url: Url = None, as_json: Json = False
) -> None:
    """List the lists of indicators."""
    if context.invoked_subcommand is not None:
        return
    with connect(data, state, url) as client:
        found = client.ask("GET", ROUTE)["lists"]
    if as_json:
        for each in found:
            print_json(each)
        return
    cells = [
        (
            each["name"],
            each["counting"],
            each["values"],
            each["changed_at"][:19],
            each["changed_by"],
            each["description"],
        )
        for each in found
    ]
    rows = [[plain("" if cell is None else str(cell)) for cell in row] for row in cells]
    print_table([Column(heading, folds=heading == "description") for heading in LISTS], rows)


@app.command()
def show(name: Name, data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """Show a list with its values."""
    with connect(data, state, url) as client:
        found = client.ask("GET", _path(name))
    if as_json:
        print_json(found)
        return
    rows = [
        [
            plain(str(cell))
            for cell in (
                each["value"],
                "yes" if each["counts"] else "no",
                (each["expires_at"] or "")[:19],
                each["source"] or "",
                each["note"] or "",
            )
        ]
        for each in found["indicators"]
    ]
    print_table([Column(heading, folds=heading == "note") for heading in VALUES], rows)


@app.command()
def create(
    name: Name,
    description: Annotated[str, typer.Option("--description", help="What it holds.")] = "",
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Make an empty list; rules name it by %name%."""
    with connect(data, state, url) as client:
        client.ask("POST", ROUTE, {"name": name, "description": description})
    say("made")


@app.command()
def add(
    name: Name,
    values: Values = None,
    file: FromFile = None,
    until: Annotated[
        str | None, typer.Option("--until", help="When they end: a time, or +30d.", show_default=False)
    ] = None,
    source: Annotated[str, typer.Option("--source", help="Who named them.")] = "",
    note: Annotated[str, typer.Option("--note", help="For what.")] = "",
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Put values on a list, or give those on it another end, source and note."""
    wanted = [*(values or ()), *_lines(file)]
    with connect(data, state, url) as client:
        for start in range(0, len(wanted), VALUES_AT_ONCE):
            some = wanted[start : start + VALUES_AT_ONCE]
            body = {"add": some, "expires_at": until, "source": source, "note": note}
            client.ask("POST", f"{_path(name)}/change", body)
    say(f"{len(wanted)} values")


@app.command()
def remove(
    name: Name,
    values: Values = None,
    file: FromFile = None,
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Take values off a list."""
    gone = [*(values or ()), *_lines(file)]
    with connect(data, state, url) as client:
        for start in range(0, len(gone), VALUES_AT_ONCE):
            some = gone[start : start + VALUES_AT_ONCE]
            client.ask("POST", f"{_path(name)}/change", {"remove": some, "reason": reason})
    say(f"{len(gone)} values")


@app.command()
def delete(name: Name, data: Data = None, state: State = None, url: Url = None) -> None:
    """Delete a list that no rule in force uses."""
    with connect(data, state, url) as client:
        client.ask("POST", f"{_path(name)}/delete")
    say("deleted")


def _path(name: str) -> str:
    return f"{ROUTE}/{quote(name, safe='')}"


def _lines(file: Path | None) -> list[str]:
    text = "" if file is None else read_text(file)
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
