"""`tallystick person` and `tallystick setup-link`: who has an account, and how the first one comes to be."""

from __future__ import annotations

import sys
from typing import Annotated, Any
from urllib.parse import quote

import typer

from tallystick.cli.connect import connect, require_data
from tallystick.cli.console import plain, print_json, say
from tallystick.cli.options import Data, Json, State, Url
from tallystick.cli.table import Column, print_table

ROUTE = "/api/v1/people"
HEADINGS = ("id", "handle", "name", "state", "second factor", "groups")
STOP_FIRST = "The server printed a link when it started. For a new one stop it, run this, and start it again."

app = typer.Typer(help="People with an account: list, show, invite, disable, enable.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add the command that stands by itself."""
    parent.command("setup-link")(setup_link)


def setup_link(data: Data = None, state: State = None) -> None:
    """Print a one-time link for the first account, while nobody can sign in; one made before opens nothing any more."""
    from tallystick.cli.local import ServedElsewhereError
    from tallystick.ledger.errors import LedgerLockedError
    from tallystick.server import open_instance, settings_for

    try:
        with open_instance(settings_for(require_data(data, create=True, announce=True), state)) as instance:
            link, at = instance.services.setup.make(), instance.settings.public_url
    except LedgerLockedError as error:
        raise ServedElsewhereError(error.message, advice=STOP_FIRST) from error
    sys.stdout.write(f"{at or ''}/setup?link={link.token}\n")
    say("open it on the server within 24 hours; it works once", "dim")


@app.command("list")
def list_people(data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """List everybody with an account."""
    with connect(data, state, url) as client:
        found = client.ask("GET", ROUTE)["people"]
    if as_json:
        for each in found:
            print_json(each)
        return
    print_table([Column(heading, folds=heading == "name") for heading in HEADINGS], [_row(each) for each in found])
    if not found:
        say("nobody yet; `tallystick setup-link` begins", "dim")


@app.command()
def show(
    person: Annotated[str, typer.Argument(help="Id of the person, as `person list` shows it.")],
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show one person."""
    with connect(data, state, url) as client:
        found = client.ask("GET", f"{ROUTE}/{quote(person, safe='')}")
    if as_json:
        print_json(found)
        return
    rows = [(plain(name.replace("_", " "), "dim"), plain(value)) for name, value in found.items() if value is not None]
    print_table((Column(), Column(folds=True)), rows, header=False)


@app.command()
def invite(
    handle: Annotated[str, typer.Argument(help="What they sign in with: small letters, digits, dots, dashes.")],
    name: Annotated[str, typer.Option("--name", help="What they are called.")],
    email: Annotated[str, typer.Option("--email", help="Their e-mail address; nothing is sent to it.")] = "",
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Make an account and print, alone, the link that sets its first password. It is not shown again."""
    with connect(data, state, url) as client:
        made = client.ask("POST", ROUTE, {"handle": handle, "name": name, "email": email})
    if as_json:
        print_json(made)
    else:
        sys.stdout.write(f"{made['url'] or made['path']}\n")
    whole = "" if made["url"] else ", with the server's address in front,"
    say(f"pass the link on{whole} to {handle}; it works once, until {made['until']}", "dim")


@app.command()
def disable(
    person: Annotated[str, typer.Argument(help="Id of the person, as `person list` shows it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the log.")] = "",
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """End an account with its sessions, tokens and grants at once."""
    with connect(data, state, url) as client:
        client.ask("POST", f"{ROUTE}/{quote(person, safe='')}/disable", {"reason": reason})
    say(f"{person} is disabled; sessions, tokens and grants have ended")


@app.command()
def enable(
    person: Annotated[str, typer.Argument(help="Id of the person, as `person list` shows it.")],
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Let a person sign in again; grants and tokens do not come back."""
    with connect(data, state, url) as client:
        client.ask("POST", f"{ROUTE}/{quote(person, safe='')}/enable")
    say(f"{person} is enabled")


def _row(each: dict[str, Any]) -> list[Any]:
    factor = "at the provider" if each["external"] else "on" if each["has_totp"] else "off"
    cells = (each["id"], each["handle"], each["name"], each["state"], factor, ", ".join(each["groups"]))
    return [plain(cell) for cell in cells]
