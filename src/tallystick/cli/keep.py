"""Commands that look after an installation: rebuild, doctor, backup, restore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tallystick.cli.connect import require_data
from tallystick.cli.console import plain, print_json, say
from tallystick.cli.files import require_absent
from tallystick.cli.options import Data, Json, State
from tallystick.cli.table import Column, print_table

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
    as_json: Json = False,
) -> None:
    """Copy a data directory into one encrypted file (age).

    A running server may go on meanwhile. The copy never holds the signing key.
    """
    from tallystick.store.backup import parse_recipient, save_backup

    require_absent(output)
    recipients = [parse_recipient(text) for text in to]
    result = save_backup(require_data(data), output, recipients)
    if as_json:
        print_json({"file": str(output), "files": result.files, "content_bytes": result.content_bytes})
    say(
        f"{result.files:,} files, {result.content_bytes / 1e6:,.1f} MB -> {output} ({output.stat().st_size / 1e6:,.1f} MB)"
    )
    say("It holds neither the signing key nor the last-signed record: keep a copy of keys/ elsewhere.", "dim")


def restore(
    source: Annotated[Path, typer.Argument(metavar="BACKUP", help="A file that backup wrote.")],
    identity: Annotated[Path, typer.Option("--identity", "-i", help="age identity file.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Unpack a backup into a new directory.

    Says what it takes to go on from there.
    """
    from tallystick.store.backup import load_identities, restore_backup

    target = require_data(data, create=True)
    result = restore_backup(source, target, load_identities(identity))
    if as_json:
        print_json({"data": str(target), "files": result.files, "content_bytes": result.content_bytes})
    say(f"{result.files:,} files, {result.content_bytes / 1e6:,.1f} MB -> {target}")
    say(f"Check it:            tallystick verify {target}", "dim")
    say(
        f"To write to it, put the signing key back into {target / 'keys'}; the log goes on only where it was last signed.",
        "dim",
    )
