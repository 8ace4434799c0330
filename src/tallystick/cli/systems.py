"""`tallystick systems`: the register, declarations of critical activity, and coverage now or at a place in the log."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from tallystick.cli.connect import connect
from tallystick.cli.console import out, plain, print_json, say
from tallystick.cli.files import FileUnusableError, read_text
from tallystick.cli.options import Data, Json, State, Url
from tallystick.cli.table import Column, print_table

ROUTE = "/api/v1/systems"
LIST = ("system", "name", "scopes", "environment", "data class", "owner", "declared")
GAPS = ("system", "gap", "what is missing", "exception")
PATTERNS = ("activity", "query", "expected every", "last day", "30 days", "last seen")

app = typer.Typer(help="Systems: register, declare what is critical, decide, see coverage.", no_args_is_help=True)

SystemId = Annotated[str, typer.Argument(metavar="SYSTEM", help="Id, as `systems list` shows it.")]
DeclarationId = Annotated[str, typer.Argument(metavar="DECLARATION", help="Id, as `systems show` shows it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; personal data, and kept out of the facts.")]
At = Annotated[int | None, typer.Option("--at", help="After so many events of the log; without it, now.")]


@app.command("list")
def list_systems(data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """List the systems that you may see."""
    with connect(data, state, url) as client:
        found = client.ask("GET", ROUTE)["systems"]
    if as_json:
        for each in found:
            print_json(each)
        return
    rows = [
        [
            *(each["system"], each["name"], " ".join(each["scopes"]), each["environment"], each["data_class"]),
            *(each["owner"]["name"], "yes" if each["declaration"] else "no"),
        ]
        for each in found
    ]
    print_table(
        [Column(heading, folds=heading == "scopes") for heading in LIST], [list(map(plain, row)) for row in rows]
    )
    if not found:
        say("no systems; `tallystick systems register` registers one", "dim")


@app.command()
def show(system: SystemId, data: Data = None, state: State = None, url: Url = None) -> None:
    """Show a system with its coverage, versions and declarations, as JSON."""
    with connect(data, state, url) as client:
        print_json(client.ask("GET", _path(system)))


@app.command()
def register(
    name: Annotated[str, typer.Argument(help="What it is called.")],
    scope: Annotated[list[str], typer.Option("--scope", help="A path such as acme/payments; repeat for more.")],
    owner: Annotated[str, typer.Option("--owner", help="Handle or id of who answers for it.")],
    data_class: Annotated[str, typer.Option("--data-class", help="public, internal, confidential or restricted.")],
    environment: Annotated[
        str, typer.Option("--environment", help="production, staging, development or test.")
    ] = "production",
    deputy: Annotated[list[str] | None, typer.Option("--deputy", help="Handle or id; repeat for more.")] = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Register a system; print its id. Endpoints and texts are added on its page."""
    body: dict[str, Any] = {"name": name, "scopes": scope, "owner": owner, "data_class": data_class}
    body |= {"environment": environment, "deputies": deputy or []}
    with connect(data, state, url) as client:
        out.print(client.ask("POST", ROUTE, body)["system"])


@app.command()
def declare(
    system: SystemId,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The declaration as JSON; - is standard input.")],
    reason: Reason,
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Propose what is critical, in place of the declaration in force, for somebody else to decide about."""
    text = sys.stdin.read() if str(file) == "-" else read_text(file)
    try:
        document = json.loads(text)
    except ValueError as error:
        raise FileUnusableError(f"{file} is not JSON: {error}") from error
    with connect(data, state, url) as client:
        in_force = client.ask("GET", _path(system))["system"]["declaration"]
        body = {"declaration": document, "based_on": in_force, "reason": reason}
        out.print(client.ask("POST", f"{_path(system)}/declarations", body)["declaration"])


@app.command()
def approve(
    system: SystemId,
    declaration: DeclarationId,
    digest: Annotated[str, typer.Option("--digest", help="What is approved, as `systems show` shows it.")],
    reason: Reason = "",
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Put exactly the declaration with this digest in force, which somebody else proposed."""
    with connect(data, state, url) as client:
        path = f"{_path(system)}/declarations/{quote(declaration, safe='')}/approve"
        out.print(client.ask("POST", path, {"digest": digest, "reason": reason})["state"])


@app.command()
def reject(
    system: SystemId,
    declaration: DeclarationId,
    reason: Reason,
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Refuse a declaration that somebody else proposed."""
    with connect(data, state, url) as client:
        path = f"{_path(system)}/declarations/{quote(declaration, safe='')}/reject"
        out.print(client.ask("POST", path, {"reason": reason})["state"])


@app.command()
def coverage(
    system: Annotated[str | None, typer.Argument(metavar="[SYSTEM]", help="Id of one; without it, all.")] = None,
    at: At = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show what is missing, and with one system how its patterns arrive: now, or after so many events of the log."""
    with connect(data, state, url) as client:
        if system is None:
            found = client.ask("GET", "/api/v1/coverage", at=at)["systems"]
        else:
            found = [client.ask("GET", f"{_path(system)}/coverage", at=at)]
    if as_json:
        for each in found:
            print_json(each)
        return
    if system is not None:
        patterns = [
            [
                *(f"{each['category']}/{each['name']}", each["query"], each["silence"], f"{each['day']:,}"),
                *(f"{each['count']:,}", each["last_at"] or "never"),
            ]
            for each in found[0]["patterns"]
        ]
        columns = [Column(heading, folds=heading == "query") for heading in PATTERNS]
        print_table(columns, [list(map(plain, row)) for row in patterns])
    gaps = [
        [each["name"], gap["gap"], gap["sentence"], gap["exception"] or ""] for each in found for gap in each["gaps"]
    ]
    print_table(
        [Column(heading, folds=heading == "what is missing") for heading in GAPS],
        [list(map(plain, row)) for row in gaps],
    )
    if not gaps:
        say("everything that is declared arrives, and everything that arrives is declared", "dim")


@app.command()
def retire(system: SystemId, reason: Reason, data: Data = None, state: State = None, url: Url = None) -> None:
    """Take a system out of the register; its history stays."""
    with connect(data, state, url) as client:
        client.ask("POST", f"{_path(system)}/retire", {"reason": reason})


def _path(system: str) -> str:
    return f"{ROUTE}/{quote(system, safe='')}"
