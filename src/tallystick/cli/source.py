"""`tallystick source`: who may send, by which rules, and how they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from tallystick.cli.connect import connect
from tallystick.cli.console import plain, print_json, say
from tallystick.cli.options import Data, Json, State, Url
from tallystick.cli.table import Column, print_table
from tallystick.client.errors import ServerRefusedError
from tallystick.errors import ConflictError

if TYPE_CHECKING:
    from tallystick.client import Client

ROUTE = "/api/v1/sources"
HEADINGS = ("number", "name", "owner", "scopes", "state", "last event", "24 h", "missing")

app = typer.Typer(help="Senders: register, list, show, change, retire.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the source.")]
Scope = Annotated[list[str] | None, typer.Option("--scope", help="Where its events may lie; / is everywhere; repeat.")]
Owner = Annotated[str | None, typer.Option("--owner", help="Team, group or person's id that answers for it.")]
Kind = Annotated[str | None, typer.Option("--kind", help="What it is, such as api, agent, import.")]
Silence = Annotated[
    int | None, typer.Option("--silence", min=0, help="Seconds it may send nothing; 0 is however long.")
]
Strict = Annotated[
    bool | None, typer.Option("--strict/--lenient", help="Refuse undeclared actions and metadata outside the schema.")
]
PersonalIds = Annotated[
    bool | None, typer.Option("--personal-ids/--opaque-ids", help="Whether its actor ids name people.")
]


class OpaqueSourceError(ConflictError):
    """The source is registered with opaque actor ids: they stand in the facts."""

    code = "source-opaque"
    advice = "Use another source name for events whose actor ids name people."


@app.command()
def register(
    name: Name,
    scope: Annotated[list[str], typer.Option("--scope", help="Where its events may lie; / is everywhere; repeat.")],
    owner: Owner = None,
    kind: Kind = None,
    silence: Silence = None,
    strict: Strict = None,
    personal_ids: PersonalIds = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Register a sender. Its name is given once and for ever."""
    wanted = {"name": name, **_settings(scope, owner, kind, silence, strict, personal_ids)}
    with connect(data, state, url, create=True) as client:
        made = client.ask("POST", ROUTE, wanted)
    _print_one(made, as_json=as_json)
    say(f"make its token with: tallystick token create --source {name} --scope {made['scopes'][0]} --can write", "dim")


@app.command("list")
def list_sources(data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """List the registered senders."""
    with connect(data, state, url) as client:
        sources = client.ask("GET", ROUTE)["sources"]
    if as_json:
        for each in sources:
            print_json(each)
        return
    rows = [[plain(cell) for cell in _cells(each)] for each in sources]
    print_table([Column(heading, folds=heading == "scopes") for heading in HEADINGS], rows)


@app.command()
def show(name: Name, data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """Show one sender with its rules."""
    with connect(data, state, url) as client:
        _print_one(client.ask("GET", _path(name)), as_json=as_json)


@app.command()
def change(
    name: Name,
    scope: Scope = None,
    owner: Owner = None,
    kind: Kind = None,
    silence: Silence = None,
    strict: Strict = None,
    personal_ids: PersonalIds = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Change the rules of a sender; what is not given stays."""
    wanted = _settings(scope, owner, kind, silence, strict, personal_ids)
    with connect(data, state, url) as client:
        _print_one(client.ask("PATCH", _path(name), wanted), as_json=as_json)


@app.command()
def retire(name: Name, data: Data = None, state: State = None, url: Url = None) -> None:
    """End a sender for ever, and all of its tokens at once."""
    with connect(data, state, url) as client:
        client.ask("POST", f"{_path(name)}/retire")
    say(f"source {name} is retired; its tokens are refused from now on")


def ensure_source(client: Client, name: str, scopes: list[str], *, personal_ids: bool) -> None:
    """Return when there is a source of this name: registered when new, and then for these scopes."""
    try:
        found = client.ask("GET", _path(name))
    except ServerRefusedError as error:
        if error.code != "source-unknown":
            raise
        client.ask("POST", ROUTE, {"name": name, **_settings(scopes, None, None, None, None, personal_ids)})
        return
    if personal_ids and found["actor_ids"] != "personal":
        raise OpaqueSourceError(f"source {name} is registered with opaque actor ids")


def _path(name: str) -> str:
    return f"{ROUTE}/{quote(name, safe='')}"


def _settings(
    scope: list[str] | None,
    owner: str | None,
    kind: str | None,
    silence: int | None,
    strict: bool | None,
    personal_ids: bool | None,
) -> dict[str, Any]:
    """Return the settings that were given, as the API takes them."""
    given = {"scopes": scope or None, "owner": owner, "kind": kind, "strict": strict}
    settings: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if personal_ids is not None:
        settings["actor_ids"] = "personal" if personal_ids else "opaque"
    if silence is not None:
        settings["silence_s"] = silence or None
    return settings


def _cells(each: dict[str, Any]) -> tuple[str, ...]:
    return (
        str(each["number"]),
        each["name"],
        each["owner"],
        " ".join(each["scopes"]),
        each["state"],
        (each["figures"]["last_event_at"] or "")[:19],
        f"{each['figures']['events_24h']:,}",
        f"{each['figures']['missing']:,}",
    )


def _print_one(each: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(each)
        return
    rows = [(plain(name, "dim"), plain(value)) for name, value in each.items()]
    print_table((Column(), Column(folds=True)), rows, header=False)
