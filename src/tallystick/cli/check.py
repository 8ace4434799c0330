"""Commands that check: verify, verify-proof. Neither trusts anything of the server, and neither needs one to run."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from tallystick.cli.console import out, plain, print_error, print_json, say
from tallystick.cli.options import Json, Quiet
from tallystick.cli.progress import progress
from tallystick.errors import TallystickError
from tallystick.verify.anchors import SKEW_S
from tallystick.verify.model import CouldNotCheckError, ExitStatus, Progress, Report
from tallystick.verify.service import load_trust, verify_target

SHOWN_MAX = 20
Keys = Annotated[
    list[str] | None,
    typer.Option("--key", metavar="VKEY", help="Verification key of the log, from where it was published; repeatable."),
]
PolicyFile = Annotated[
    Path | None, typer.Option("--policy", metavar="FILE", help="Whom you trust: logs, witnesses, quorum (tlog-policy).")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the tree."""
    app.command()(verify)
    app.command("verify-proof")(verify_proof)


def verify(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="A data directory, a server's URL, or a package.")],
    policy: PolicyFile = None,
    against: Annotated[
        list[Path] | None,
        typer.Option("--against", metavar="CHECKPOINT", help="A checkpoint you kept elsewhere; repeatable."),
    ] = None,
    key: Keys = None,
    ledger: Annotated[
        str | None,
        typer.Option("--ledger", metavar="NAME", help="Which log in a data directory; the current one otherwise."),
    ] = None,
    skew: Annotated[
        int,
        typer.Option("--skew", min=0, metavar="SECONDS", help="How far apart the clocks of log and witness may be."),
    ] = SKEW_S,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as one line of JSON.")] = False,
    quiet: Quiet = False,
) -> None:
    """Recompute a log from its content up to its signatures.

    Says in one line what holds.

    Exit status: 0 all of it holds, 1 something is wrong, 2 it could not be checked, 3 some of it was withheld from you.
    """
    try:
        trust = load_trust(keys=key or (), policy=policy, against=against or (), skew_s=skew)
        with _bars(quiet=quiet) as show:
            report = verify_target(target, trust, show, token=os.environ.get("TALLYSTICK_TOKEN"), name=ledger)
    except CouldNotCheckError as error:
        _leave(error, as_json=as_json)
    except OSError as error:
        _leave(CouldNotCheckError(f"{error.filename or target}: {error.strerror}"), as_json=as_json)
    if as_json:
        print_json(report_json(report))
    else:
        _print_report(report)
    raise typer.Exit(report.exit_status)


def verify_proof(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .tlog-proof file.")],
    key: Keys = None,
    policy: PolicyFile = None,
    as_json: Json = False,
) -> None:
    """Check the proof of one event, offline.

    It is held against a key or a policy that you already have.
    """
    from tallystick.verify.proof import main

    given = [str(file), *(part for vkey in key or [] for part in ("--key", vkey))]
    given += ["--policy", str(policy)] if policy else []
    given += ["--json"] if as_json else []
    raise typer.Exit(main(given))


def report_json(report: Report) -> dict[str, Any]:
    """Return the report for programs."""
    return {
        "holds": not report.findings,
        "exit_status": int(report.exit_status),
        "sentence": report.sentence,
        "target": report.target,
        "origin": report.origin,
        "size": report.size,
        "root": report.root.hex(),
        "tier": report.tier.value,
        "tier_size": report.tier_size,
        "tier_at": report.tier_at,
        "checked": report.checked,
        "erased": report.erased,
        "withheld": report.withheld,
        "uncommitted": report.uncommitted,
        "findings": [{**dataclasses.asdict(each), "means": each.means} for each in report.findings],
        "findings_total": report.findings_total,
        "erasures": [dataclasses.asdict(each) for each in report.erasures],
        "remarks": list(report.remarks),
        **report.details,
    }


def _print_report(report: Report) -> None:
    """Write the one line to standard output and the rest, for the person who looks into it, to standard error."""
    out.print(plain(report.sentence, "bold red" if report.findings else "bold green"))
    for finding in report.findings[1:SHOWN_MAX]:
        say(f"  also: {finding}  [{finding.code}]")
    if report.findings_total > SHOWN_MAX:
        say(f"  and {report.findings_total - SHOWN_MAX} more; --json lists the first {len(report.findings)}")
    for erasure in report.erasures:
        ranges = ", ".join(f"{first}-{first + size - 1}" for first, size in erasure.ranges[:5])
        say(f"  erased at index {erasure.index}: {erasure.part} of {ranges}; ground: {erasure.ground}", "dim")
    for remark in report.remarks:
        say(f"  note: {remark}", "dim")
    if report.uncommitted:
        say(f"  note: {report.uncommitted} newer events are not under a checkpoint yet", "dim")


def _leave(error: TallystickError, *, as_json: bool) -> NoReturn:
    print_error(error, as_json=as_json)
    raise typer.Exit(ExitStatus.COULD_NOT_CHECK)


@contextmanager
def _bars(*, quiet: bool) -> Iterator[Progress]:
    """Yield a function that shows how far each stage is, one bar after the other."""
    with ExitStack() as bars:
        current: list[str] = []
        told = [0]
        advance: list[Callable[[int], None]] = []

        def show(stage: str, done: int, total: int) -> None:
            if total == 0:
                return
            if current != [stage]:
                bars.close()
                current[:], told[0] = [stage], 0
                advance[:] = [bars.enter_context(progress(stage, total, unit="", quiet=quiet))]
            advance[0](done - told[0])
            told[0] = done

        yield show
