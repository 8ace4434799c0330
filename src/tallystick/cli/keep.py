"""Commands that look after an installation: rebuild, doctor, backup, restore."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path
from typing import Annotated, Literal

import typer

from tallystick.cli.connect import require_data
from tallystick.cli.console import plain, print_json, say
from tallystick.cli.files import require_absent
from tallystick.cli.options import Data, Json, State
from tallystick.cli.table import Column, print_table
from tallystick.counted import counted
from tallystick.errors import TallystickError

VERDICT_STYLES = {"ok": "green", "warning": "yellow", "problem": "bold red"}


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the tree."""
    for command in (rebuild, doctor, backup, restore):
        app.command()(command)


def rebuild(data: Data = None, state: State = None, as_json: Json = False) -> None:
    """Make the derived data again, from the log."""
    from tallystick.server import open_instance, settings_for

    with open_instance(settings_for(require_data(data), state)) as instance:
        report = instance.rebuild()
    if as_json:
        print_json(report)
        return
    rows = [(plain(name), plain(f"{count:,}")) for name, count in report.items()]
    print_table((Column(least=24), Column(right=True)), rows, header=False)


def doctor(data: Data = None, as_json: Json = False) -> None:
    """Look at clock, disk, permissions, limits and versions.

    Leaves with status 1 when there is a problem.
    """
    from tallystick.cli.doctor import examine

    checks = list(examine(data))
    rows = []
    for check in checks:
        if as_json:
            print_json({"name": check.name, "verdict": check.verdict, "found": check.found, "advice": check.advice})
        rows.append(
            (plain(check.verdict, VERDICT_STYLES[check.verdict]), plain(check.name, "bold"), plain(check.found))
        )
        if check.advice and check.verdict != "ok":
            rows.append((plain(""), plain(""), plain(check.advice, "dim")))
    if not as_json:
        print_table((Column(), Column(), Column(folds=True)), rows, header=False)
    if data is None:
        say("With --data DIR the disk and the permissions of a data directory are looked at too.", "dim")
    if any(check.verdict == "problem" for check in checks):
        raise typer.Exit(1)


def backup(
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write, such as audit-2026-11-21.tar.age.")],
    to: Annotated[list[str], typer.Option("--to", help="age recipient (age1…) who can open it; repeat for more.")],
    data: Data = None,
    state: State = None,
    as_json: Json = False,
) -> None:
    """Copy a data directory into one encrypted file (age).

    A running server may go on meanwhile. The copy never holds the signing key. That it was made is put on record.
    """
    from tallystick.store.backup import parse_recipient, save_backup

    require_absent(output)
    recipients = [parse_recipient(text) for text in to]
    home = require_data(data)
    size = _signed_size(home)
    result = save_backup(home, output, recipients)
    _put_on_record(home, state, output, size)
    if as_json:
        print_json({"file": str(output), "files": result.files, "content_bytes": result.content_bytes})
    say(
        f"{counted(result.files, 'file')}, {result.content_bytes / 1e6:,.1f} MB -> {output} ({output.stat().st_size / 1e6:,.1f} MB)"
    )
    say("It holds neither the signing key nor the last-signed record: keep a copy of keys/ elsewhere.", "dim")


def _signed_size(data: Path) -> int:
    """Return how many events the newest checkpoint covers; the copy holds them all."""
    from tallystick.ledger.layout import Layout
    from tallystick.ledger.opening import current_name
    from tallystick.note.checkpoint import parse_checkpoint
    from tallystick.note.note import parse_note
    from tallystick.store.files import LocalDisk

    disk = LocalDisk()
    path = Layout(data, data, current_name(disk, data)).checkpoint
    return parse_checkpoint(parse_note(disk.read(path)).text).size if disk.exists(path) else 0


def _put_on_record(data: Path, state: Path | None, output: Path, size: int) -> None:
    """Leave a note of a backup for the server that runs, or write it into the log here where none does."""
    from tallystick.ledger.errors import LedgerLockedError
    from tallystick.server import open_instance, settings_for

    _leave_note(data, "created", output, size)
    try:
        with open_instance(settings_for(data, state)):
            pass  # opening takes the notes that are left
    except LedgerLockedError:
        return  # a server runs, and looks for notes every few seconds
    except TallystickError as error:
        say(f"not on record yet, the next start of the server does that: {error.message}", "yellow")


def _leave_note(data: Path, what: Literal["created", "restored"], file: Path, size: int) -> None:
    from tallystick.clock import SystemClock
    from tallystick.store.backup_notes import BackupNote, leave_note

    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    note = BackupNote(
        id=str(uuid.uuid4()),
        what=what,
        made_at=SystemClock().now_us(),
        name=file.name,
        size=size,
        bytes=file.stat().st_size,
        sha256=digest,
    )
    leave_note(data, note)


def restore(
    source: Annotated[Path, typer.Argument(metavar="BACKUP", help="A file that backup wrote.")],
    identity: Annotated[Path, typer.Option("--identity", "-i", help="age identity file.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Unpack a backup into a new directory.

    Says what it takes to go on from there; the first start there puts on record that it was restored.
    """
    from tallystick.store.backup import load_identities, restore_backup

    target = require_data(data, create=True)
    result = restore_backup(source, target, load_identities(identity))
    _leave_note(target, "restored", source, _signed_size(target))
    if as_json:
        print_json({"data": str(target), "files": result.files, "content_bytes": result.content_bytes})
    say(f"{counted(result.files, 'file')}, {result.content_bytes / 1e6:,.1f} MB -> {target}")
    say(f"Check it:            tallystick verify {target}", "dim")
    say(
        f"To write to it, put the signing key back into {target / 'keys'}; the log goes on only where it was last signed.",
        "dim",
    )
