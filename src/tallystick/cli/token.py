"""`tallystick token`: what sources and readers authenticate with."""

from __future__ import annotations

import enum
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli.connect import require_data
from tallystick.cli.console import plain, print_json, say
from tallystick.cli.options import Data, Json, State
from tallystick.cli.table import Column, print_table

if TYPE_CHECKING:
    from tallystick.server import Instance

STOP_FIRST = "Stop the server, run this, and start it again; tokens are not managed over --url."
HEADINGS = ("token", "source", "can", "scope", "state")

app = typer.Typer(help="Tokens of sources and readers: create, list, revoke.", no_args_is_help=True)


class Can(enum.StrEnum):
    """What a token allows."""

    WRITE = "write"
    READ = "read"
    BOTH = "both"


@app.command()
def create(
    source: Annotated[str, typer.Option("--source", help="Name of the source; registered when new.")],
    scope: Annotated[
        str, typer.Option("--scope", help="Path it is limited to, such as acme/payments; / is everything.")
    ],
    can: Annotated[Can, typer.Option("--can", help="What it allows.")],
    expires_in_days: Annotated[int | None, typer.Option("--expires-in-days", min=1, help="Days until it ends.")] = None,
    personal_ids: Annotated[
        bool, typer.Option("--personal-ids", help="Actor ids of a new source name people; keep them out of the facts.")
    ] = False,
    data: Data = None,
    state: State = None,
    as_json: Json = False,
) -> None:
    """Create a token and print it, alone, on standard output. It is not shown again."""
    with _opened(require_data(data, create=True, announce=True), state) as instance:
        created = instance.access.create_token(
            source=source, scope=scope, can=can.value, expires_in_days=expires_in_days, personal_ids=personal_ids
        )
    if as_json:
        print_json(
            {"token": created.token, "secret": created.secret, "source": source, "can": can.value, "scope": scope}
        )
    else:
        sys.stdout.write(created.secret + "\n")
    say(f"{can.value} token {created.token} of source {source!r} for scope {scope}; it is not shown again", "dim")


@app.command("list")
def list_tokens(data: Data = None, state: State = None, as_json: Json = False) -> None:
    """List tokens, without their secrets."""
    with _opened(require_data(data), state) as instance:
        tokens, now = instance.access.tokens(), instance.ledger.status().now
    rows = [(token.token, token.source, token.can, token.scope or "/", token.state(now)) for token in tokens]
    if as_json:
        for row in rows:
            print_json(dict(zip(HEADINGS, row, strict=True)))
        return
    columns = [Column(heading, folds=heading == "scope") for heading in HEADINGS]
    print_table(columns, [[plain(cell) for cell in row] for row in rows])
    if not rows:
        say("no tokens yet; `tallystick token create` makes one", "dim")


@app.command()
def revoke(
    token: Annotated[str, typer.Argument(help="Name of the token, as `token list` shows it.")],
    data: Data = None,
    state: State = None,
) -> None:
    """End a token at once."""
    with _opened(require_data(data), state) as instance:
        instance.access.revoke_token(token)
    say(f"token {token} is revoked")


@contextmanager
def _opened(data: Path, state: Path | None) -> Iterator[Instance]:
    """Yield the installation; tokens are kept on the directory itself, so a server that holds it has to stop first."""
    from tallystick.cli.local import ServedElsewhereError
    from tallystick.ledger.errors import LedgerLockedError
    from tallystick.server import open_instance, settings_for

    try:
        with open_instance(settings_for(data, state)) as instance:
            yield instance
    except LedgerLockedError as error:
        raise ServedElsewhereError(error.message, advice=STOP_FIRST) from error
