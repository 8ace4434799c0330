"""Commands that send events: record and import."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from tallystick.cli.connect import connect
from tallystick.cli.console import out, plain, print_json, say
from tallystick.cli.options import Data, Json, Quiet, State, Url
from tallystick.errors import InvalidInputError


class NothingToRecordError(InvalidInputError):
    """Neither options nor standard input described an event."""

    code = "nothing-to-record"
    advice = "Give --action, --actor, --target and --scope, or JSON on standard input."


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the tree."""
    app.command()(record)
    app.command("import")(import_files)


def record(
    action: Annotated[str | None, typer.Option("--action", help="Such as release.created.")] = None,
    actor: Annotated[str | None, typer.Option("--actor", help="TYPE:ID, such as user:ana.")] = None,
    target: Annotated[str | None, typer.Option("--target", help="TYPE:ID, such as release:v1.2.")] = None,
    scope: Annotated[str | None, typer.Option("--scope", help="Path, such as acme/payments.")] = None,
    outcome: Annotated[str, typer.Option("--outcome", help="success, failure, denied or unknown.")] = "success",
    reason: Annotated[str | None, typer.Option("--reason", help="Why it was done.")] = None,
    source: Annotated[str, typer.Option("--source", help="Sender to record as, with --data.")] = "command-line",
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Record one event from options, or more as JSON.

    Without --action, standard input holds one event, an array, or one event a line. The answer comes when they are on
    disk.
    """
    if action is None:
        if sys.stdin.isatty():
            raise NothingToRecordError("there is no event to record")
        body = sys.stdin.buffer.read()
    else:
        body = msgspec.json.encode(_event(action, actor, target, scope, outcome, reason))
    with connect(data, state, url, create=True, source=source) as client:
        try:
            answer = client.record(body)
        except InvalidInputError as error:
            if action is not None:
                _blame_the_option(error)
            raise
    for receipt in answer["events"]:
        if as_json:
            print_json(receipt)
        else:
            out.print(plain(f"{receipt['id']}  index {receipt['index']}"))


def import_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Files to read; gzip and zstd are recognised.")],
    file_format: Annotated[str, typer.Option("--format", help="cloudtrail, github, okta, gitlab or native.")],
    mapping: Annotated[
        Path | None, typer.Option("--map", help="Your own mapping (YAML), with --format native.")
    ] = None,
    scope: Annotated[str | None, typer.Option("--scope", help="Path under which the events go.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="Sender to record as; default the format.")] = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Import files of another system's audit events.

    An import that was interrupted goes on where it stopped. What could not be taken is listed.
    """
    from tallystick.cli.importing import import_all, load_event_map
    from tallystick.intake.inputs import expand_inputs

    # What cannot be read is said before a log is made for it.
    event_map, files = load_event_map(file_format, mapping), expand_inputs(files)
    try:
        with connect(data, state, url, create=True, source=source or file_format) as client:
            import_all(
                client, files, file_format, event_map, scope=scope, source=source or file_format,
                state=state, as_json=as_json, quiet=quiet,
            )  # fmt: skip
    except KeyboardInterrupt:
        say("interrupted; the same command goes on where this one stopped")
        raise


def _event(
    action: str, actor: str | None, target: str | None, scope: str | None, outcome: str, reason: str | None
) -> dict[str, Any]:
    import uuid
    from datetime import UTC, datetime

    if actor is None or target is None or scope is None:
        raise NothingToRecordError("--action needs --actor, --target and --scope beside it")
    event: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "action": action,
        "actor": _party(actor, "user"),
        "target": _party(target, "object"),
        "scope": scope,
        "occurred_at": datetime.now(UTC).isoformat(),
        "outcome": outcome,
    }
    if reason is not None:
        event["reason"] = reason
    return event


def _blame_the_option(error: InvalidInputError) -> None:
    """Make the place of an error an option's name: nobody wrote the JSON that the server complains about."""
    error.item = error.line = error.column = None
    if error.pointer:
        error.pointer = f"--{error.pointer.split('/')[1].removesuffix('s')}"


def _party(text: str, default_type: str) -> dict[str, str]:
    kind, colon, name = text.partition(":")
    return {"type": kind, "id": name} if colon else {"type": default_type, "id": text}
