"""The command tree, and the one place where an error becomes an exit status."""

from __future__ import annotations

import gc
import os
import sys

import typer

from tallystick import __version__
from tallystick.cli import (
    access,
    alerts,
    catalogue,
    check,
    exceptions,
    exports,
    keep,
    ledger,
    live,
    notify,
    people,
    policies,
    proof,
    read,
    releases,
    retention,
    reviews,
    rules,
    send,
    settings,
    source,
    streams,
    systems,
    token,
    witness,
)
from tallystick.cli.console import print_error, say
from tallystick.cli.files import FileUnusableError
from tallystick.cli.options import Config
from tallystick.errors import TallystickError

FAILED = 1
INTERRUPTED = 130

app = typer.Typer(
    name="tallystick",
    help="A tamper-evident audit-event platform: record, seal, search, prove, verify, export.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for room in (live, people, send, read, proof, check, keep):
    room.register(app)
app.add_typer(access.app, name="access")
app.add_typer(alerts.app, name="alerts")
alerts.app.add_typer(notify.routes, name="routes")
alerts.app.add_typer(notify.receivers, name="receivers")
alerts.app.add_typer(notify.silences, name="silences")
alerts.app.add_typer(notify.notifications, name="notifications")
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(exports.app, name="exports")
app.add_typer(ledger.app, name="ledger")
app.add_typer(people.app, name="person")
app.add_typer(settings.app, name="settings")
app.add_typer(releases.app, name="releases")
app.add_typer(retention.app, name="retention")
app.add_typer(reviews.app, name="reviews")
app.add_typer(rules.app, name="rules")
app.add_typer(policies.app, name="policies")
app.add_typer(systems.app, name="systems")
app.add_typer(exceptions.app, name="exceptions")
app.add_typer(source.app, name="source")
app.add_typer(streams.app, name="streams")
app.add_typer(token.app, name="token")
app.add_typer(witness.app, name="witness")


def _print_version(value: bool) -> None:
    if value:
        sys.stdout.write(f"tallystick {__version__}\n")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
    config: Config = None,
) -> None:
    """Take the options that stand before a command."""


def run() -> None:
    """Run one command; every error the product knows leaves with one clear message and status 1."""
    os.umask(0o077)  # whatever a command writes holds event data or secrets
    try:
        app()
    except TallystickError as error:
        print_error(error, as_json="--json" in sys.argv)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        say("interrupted")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader of a pipe went away; what it wanted it has. Python would complain again while closing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        if error.filename is None:
            raise
        print_error(FileUnusableError(f"{error.filename}: {error.strerror}"), as_json="--json" in sys.argv)
        sys.exit(FAILED)
    finally:
        gc.unfreeze()  # what a server froze is taken apart in order, and nothing complains about it at the end
