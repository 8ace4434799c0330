"""`tallystick token`: what sources, services and people authenticate with."""

from __future__ import annotations

import enum
import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote

import typer

from tallystick.cli.connect import connect
from tallystick.cli.console import plain, print_json, say
from tallystick.cli.options import Data, Json, State, Url
from tallystick.cli.source import ensure_source
from tallystick.cli.table import Column, print_table
from tallystick.errors import InvalidInputError

ROUTE = "/api/v1/tokens"
HEADINGS = ("token", "owner", "permissions", "scopes", "expires", "state")

app = typer.Typer(help="Tokens of sources and services: create, list, rotate, revoke.", no_args_is_help=True)


class Can(enum.StrEnum):
    """Sets of permissions that go by one word."""

    WRITE = "write"
    READ = "read"
    BOTH = "both"


class WhoseError(InvalidInputError):
    """A token belongs to one source or one service."""

    code = "token-owner"
    advice = "Give --source for what sends, or --service for what only reads or administers."


class AllowsNothingError(InvalidInputError):
    """No permission was named."""

    code = "token-permissions"
    advice = "Give --can write, read or both, or --permission for each one."


@app.command()
def create(
    scope: Annotated[
        list[str],
        typer.Option("--scope", help="Path it is limited to, such as acme/payments; / is everything; repeat."),
    ],
    source: Annotated[
        str | None, typer.Option("--source", help="Name of the source; registered when new.", show_default=False)
    ] = None,
    service: Annotated[
        str | None, typer.Option("--service", help="Name of a service that sends nothing.", show_default=False)
    ] = None,
    can: Annotated[Can | None, typer.Option("--can", help="What it allows, in one word.", show_default=False)] = None,
    permission: Annotated[
        list[str] | None, typer.Option("--permission", help="What it allows, such as events.read; repeat for more.")
    ] = None,
    expires_in_days: Annotated[int | None, typer.Option("--expires-in-days", min=1, help="Days until it ends.")] = None,
    address: Annotated[
        list[str] | None, typer.Option("--address", help="Network it may be used from, such as 192.0.2.0/24; repeat.")
    ] = None,
    label: Annotated[str, typer.Option("--label", help="What it is for, for people to read.")] = "",
    personal_ids: Annotated[
        bool, typer.Option("--personal-ids", help="Actor ids of a new source name people; keep them out of the facts.")
    ] = False,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Create a token and print it, alone, on standard output. It is not shown again."""
    if (source is None) == (service is None):
        raise WhoseError("whose token is it?")
    permissions = _permissions(can, permission)
    wanted: dict[str, Any] = {
        "owner_kind": "service" if source is None else "source",
        "owner": service if source is None else source,
        "permissions": permissions,
        "scopes": scope,
        "addresses": address or [],
        "label": label,
    }
    if expires_in_days is not None:
        wanted["expires_at"] = (datetime.now(UTC) + timedelta(days=expires_in_days)).isoformat()
    with connect(data, state, url, create=True) as client:
        if source is not None:
            ensure_source(client, source, scope, personal_ids=personal_ids)
        made = client.ask("POST", ROUTE, wanted)
    _print_secret(made, {**wanted, **made}, as_json=as_json)
    say(f"token {made['token']} of {wanted['owner']!r} for scope {', '.join(scope)}; it is not shown again", "dim")


@app.command("list")
def list_tokens(data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """List tokens, without their secrets."""
    with connect(data, state, url) as client:
        tokens = client.ask("GET", ROUTE)["tokens"]
    if as_json:
        for token in tokens:
            print_json(token)
        return
    rows = [
        (
            each["token"],
            f"{each['owner']['kind']} {each['owner']['id']}",
            " ".join(each["permissions"]),
            " ".join(each["scopes"]),
            (each["ends_at"] or each["expires_at"] or "")[:10],
            each["state"],
        )
        for each in tokens
    ]
    columns = [Column(heading, folds=heading == "permissions") for heading in HEADINGS]
    print_table(columns, [[plain(cell) for cell in row] for row in rows])
    if not rows:
        say("no tokens yet; `tallystick token create` makes one", "dim")


@app.command()
def rotate(
    token: Annotated[str, typer.Argument(help="Name of the token, as `token list` shows it.")],
    overlap_hours: Annotated[
        int, typer.Option("--overlap-hours", min=0, max=720, help="Hours for which the old one stays valid.")
    ] = 24,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Make the successor of a token and print it, alone, on standard output. Both are valid until the overlap ends."""
    with connect(data, state, url) as client:
        made = client.ask("POST", f"{ROUTE}/{quote(token, safe='')}/rotate", {"overlap_s": overlap_hours * 3600})
    _print_secret(made, {**made, "predecessor": token}, as_json=as_json)
    say(f"token {made['token']} takes the place of {token}, which ends in {overlap_hours} hours", "dim")


@app.command()
def revoke(
    token: Annotated[str, typer.Argument(help="Name of the token, as `token list` shows it.")],
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """End a token at once."""
    with connect(data, state, url) as client:
        client.ask("POST", f"{ROUTE}/{quote(token, safe='')}/revoke")
    say(f"token {token} is revoked")


def _permissions(can: Can | None, named: list[str] | None) -> list[str]:
    from tallystick.access.sources.limits import PRESETS

    permissions = sorted({*(PRESETS[can] if can else ()), *(named or ())})
    if not permissions:
        raise AllowsNothingError("what does the token allow?")
    return permissions


def _print_secret(made: dict[str, Any], described: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(described)
    else:
        sys.stdout.write(made["secret"] + "\n")
