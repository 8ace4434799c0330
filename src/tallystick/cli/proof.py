"""Commands that prove: prove, checkpoint."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tallystick.cli.connect import connect
from tallystick.cli.console import print_json, say
from tallystick.cli.files import new_file, require_absent
from tallystick.cli.options import Data, Json, State, Url
from tallystick.note import parse_checkpoint, parse_note


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the tree."""
    for command in (prove, checkpoint):
        app.command()(command)


def prove(
    event_id: Annotated[str, typer.Argument(metavar="ID", help="Id or index of the event.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write, such as event.tlog-proof.")],
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Write the proof of one event.

    The file can be checked by anybody, offline, with the log's verification key. It discloses the whole event.
    """
    require_absent(output)
    with connect(data, state, url) as client:
        proof = client.proof(event_id)
    with new_file(output) as sink:
        sink.write(proof)
    if as_json:
        print_json({"file": str(output), "bytes": len(proof)})
    say(f"wrote {output} ({len(proof):,} bytes); it discloses the whole event")
    say(f"check it anywhere:  tallystick verify-proof {output} --key VERIFICATION-KEY", "dim")
    say(
        "the key is the line that `tallystick init` printed; get it from a person, not from the server in question",
        "dim",
    )


def checkpoint(
    witnessed: Annotated[bool, typer.Option("--witnessed", help="The newest one that witnesses cosigned.")] = False,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Print the newest checkpoint. Kept where this machine cannot write, it anchors everything before it."""
    with connect(data, state, url) as client:
        note = client.checkpoint(witnessed=witnessed)
    if not as_json:
        sys.stdout.buffer.write(note)
        return
    found = parse_checkpoint(parse_note(note).text)
    print_json({"origin": found.origin, "size": found.size, "root": found.root.hex(), "note": note.decode()})
