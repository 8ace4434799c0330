"""`tallystick ledger`: what a person must decide about a log's identity and keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli.connect import require_data
from tallystick.cli.console import out, plain, print_json, say
from tallystick.cli.options import Data, Json, State

if TYPE_CHECKING:
    from tallystick.ledger.ledger import Ledger

app = typer.Typer(help="What a person decides about a log's identity and keys.", no_args_is_help=True)
Reason = Annotated[str, typer.Option("--reason", help="Why; it is written into the log.")]


@app.command()
def adopt(reason: Reason, data: Data = None, state: State = None, as_json: Json = False) -> None:
    """Go on with a directory whose last-signed record is lost.

    Only when no newer copy of it exists anywhere.
    """
    from tallystick.ledger import lineage

    _decide(data, state, partial(lineage.adopt, reason=reason), "adopted", as_json=as_json)


@app.command()
def succeed(
    reason: Reason,
    origin: Annotated[str | None, typer.Option("--origin", help="Name of the new log; made up otherwise.")] = None,
    data: Data = None,
    state: State = None,
    as_json: Json = False,
) -> None:
    """Begin a new log, with a new key, that names the old one.

    For a restored copy that cannot reach where it was.
    """
    from tallystick.ledger import lineage

    _decide(data, state, partial(lineage.succeed, reason=reason, origin=origin), "begun", as_json=as_json)


@app.command("rotate-key")
def rotate_key(reason: Reason, data: Data = None, state: State = None, as_json: Json = False) -> None:
    """Sign with a new key from now on.

    The old one signs too until it is retired.
    """
    from tallystick.server import open_instance, settings_for

    with open_instance(settings_for(require_data(data), state)) as instance:
        instance.ledger.rotate_key(instance.product.admit, reason)
        say("Both keys sign now. Give the new one to whoever checks this log, then run `tallystick ledger retire-key`.")
        print_keys(instance.ledger, as_json=as_json)


@app.command("retire-key")
def retire_key(data: Data = None, state: State = None, as_json: Json = False) -> None:
    """Stop signing with the key before the current one, and destroy it."""
    from tallystick.server import open_instance, settings_for

    with open_instance(settings_for(require_data(data), state)) as instance:
        instance.ledger.retire_key(instance.product.admit)
        print_keys(instance.ledger, as_json=as_json)


def _decide(data: Path | None, state: Path | None, opener: Callable[..., Ledger], what: str, *, as_json: bool) -> None:
    from tallystick.server import open_instance, settings_for

    with open_instance(settings_for(require_data(data), state), opener=opener) as instance:
        say(f"{what}: log {instance.ledger.origin}, size {instance.ledger.status().acknowledged.size}")
        print_keys(instance.ledger, as_json=as_json)


def print_keys(ledger: Ledger, *, as_json: bool) -> None:
    """Print the verification keys of the keys that sign now, the current one first."""
    if as_json:
        size = ledger.status().acknowledged.size
        print_json({"origin": ledger.origin, "size": size, "vkeys": list(ledger.vkeys)})
        return
    for vkey in ledger.vkeys:
        out.print(plain(vkey))
