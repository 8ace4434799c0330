"""`tallystick settings`: what people may change while the product runs, and changing it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tallystick.cli.connect import connect
from tallystick.cli.console import plain, print_json, say
from tallystick.cli.options import Data, Json, State, Url
from tallystick.cli.table import Column, print_table

ROUTE = "/api/v1/settings"
HEADINGS = ("name", "value", "default", "changed by", "what it is")

app = typer.Typer(help="Settings that act while the product runs: list, set.", no_args_is_help=True)


@app.command("list")
def list_settings(data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """List every setting with its default and who changed it."""
    with connect(data, state, url) as client:
        found = client.ask("GET", ROUTE)["settings"]
    if as_json:
        for each in found:
            print_json(each)
        return
    rows = [[plain(cell) for cell in _cells(each)] for each in found]
    print_table([Column(heading, folds=heading == HEADINGS[-1]) for heading in HEADINGS], rows)


@app.command("set")
def set_setting(
    name: Annotated[str, typer.Argument(help="Name of the setting, as `settings list` shows it.")],
    value: Annotated[str, typer.Argument(help="A number, a text, on or off, or names separated by commas.")],
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Give a setting another value. The change is an event, with the old value and the new."""
    from tallystick.settings.service import parse_settings

    wanted = parse_settings({name: value})
    with connect(data, state, url) as client:
        client.ask("PATCH", ROUTE, {"values": wanted})
    say(f"{name} is {value or 'empty'}")


def _cells(each: dict[str, Any]) -> tuple[str, ...]:
    unit = f" {each['unit']}" if each["unit"] else ""
    value, default = (_words(each[which]) + unit * bool(_words(each[which])) for which in ("value", "default"))
    return each["name"], value, default, each["changed_by"] or "", each["description"]


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return " ".join(value) if isinstance(value, list) else str(value)
