"""`tallystick access`: who could do what at a time; roles; asking for access, deciding about it, ending it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote

import typer

from tallystick.cli.connect import connect
from tallystick.cli.console import out, plain, print_json, say
from tallystick.cli.options import Data, Json, State, Url
from tallystick.cli.table import Column, print_table
from tallystick.counted import counted

GRANTS = "/api/v1/grants"
HOLDERS = ("name", "id", "role", "scope", "by", "since", "until")
LIST = ("grant", "state", "for", "role", "scope", "until", "asked by", "decided by")

app = typer.Typer(help="Access: who could do what, roles, requests, decisions.", invoke_without_command=True)

GrantId = Annotated[str, typer.Argument(metavar="GRANT", help="Id of the grant, as `access list` shows it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept with the decision.")]
Role = Annotated[str, typer.Option("--role", help="Name of the role; `access roles` lists them.")]
Scope = Annotated[str, typer.Option("--scope", help="Path such as acme/payments; / is everything.")]
Until = Annotated[str, typer.Option("--until", help="The end: a time with zone, or relative such as now+30d.")]


@app.callback()
def who_could(
    context: typer.Context,
    time: Annotated[
        str | None,
        typer.Option("--time", help="When: a time with zone, or relative; a day is its beginning. Else now."),
    ] = None,
    permission: Annotated[
        str | None, typer.Option("--permission", help="What they could do; events.read where nothing is given.")
    ] = None,
    scope: Annotated[
        str | None, typer.Option("--scope", help="Where; / is everything, and what is meant else.")
    ] = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Say who could do what at a time, from the log; or, with a command, ask, decide and end."""
    if context.invoked_subcommand is not None:
        return
    if time is permission is scope is None:
        out.print(context.get_help(), markup=False, highlight=False)
        return
    permission, scope = permission or "events.read", scope or "/"
    with connect(data, state, url) as client:
        answer = client.ask("GET", "/api/v1/access", permission=permission, scope=scope, at=time or "now")
    if as_json:
        for each in answer["holders"]:
            print_json(each)
        return
    print_table(_columns(HOLDERS, "scope"), [[plain(cell) for cell in _holder(each)] for each in answer["holders"]])
    count = len(answer["holders"])
    say(f"{counted(count, 'way')} to {permission} in {scope} at {answer['at']}", "dim")


@app.command()
def roles(data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """List the roles and what each allows."""
    with connect(data, state, url) as client:
        found = client.ask("GET", "/api/v1/roles")["roles"]
    if as_json:
        for each in found:
            print_json(each)
        return
    rows = [[plain(each["name"]), plain(each["title"]), plain(" ".join(each["permissions"]))] for each in found]
    print_table(_columns(("role", "title", "permissions"), "permissions"), rows)


@app.command("list")
def list_grants(
    standing: Annotated[
        str | None, typer.Option("--state", help="Only these: requested, active, expired, revoked, rejected, ...")
    ] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="Only of person:ID or group:NAME.")] = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List grants and requests, the newest first."""
    with connect(data, state, url) as client:
        found = client.ask("GET", GRANTS, state=standing, subject=subject)["grants"]
    if as_json:
        for each in found:
            print_json(each)
        return
    print_table(_columns(LIST, "scope"), [[plain(cell) for cell in _grant(each)] for each in found])
    if not found:
        say("no grants; `tallystick access request` asks for one", "dim")


@app.command()
def show(grant: GrantId, data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """Show a grant with every step of its life."""
    with connect(data, state, url) as client:
        found = client.ask("GET", _path(grant))
    if as_json:
        print_json(found)
        return
    rows = [(plain(name), plain(value)) for name, value in found.items() if name != "steps"]
    print_table((Column(), Column(folds=True)), rows, header=False)
    steps = [
        [
            plain(cell)
            for cell in (str(each["index"]), each["at"], each["step"], each["by"]["name"], each["reason"] or "")
        ]
        for each in found["steps"]
    ]
    print_table(_columns(("index", "at", "step", "by", "reason"), "reason"), steps)


@app.command()
def request(
    role: Role,
    reason: Reason,
    until: Until,
    person: Annotated[str | None, typer.Option("--person", help="Id of the person who gets it.")] = None,
    group: Annotated[str | None, typer.Option("--group", help="Name of the group that gets it, instead.")] = None,
    scope: Scope = "/",
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Ask for access. Nothing is allowed until somebody else approves."""
    if (person is None) == (group is None):
        raise typer.BadParameter("give --person or --group, and only one of them")
    subject = {"kind": "person", "id": person} if person is not None else {"kind": "group", "id": group}
    body = {"subject": subject, "role": role, "scope": scope, "reason": reason, "until": until}
    with connect(data, state, url) as client:
        _say_outcome(client.ask("POST", GRANTS, body), as_json=as_json)


@app.command()
def approve(
    grant: GrantId,
    reason: Annotated[str, typer.Option("--reason", help="A remark to keep with the decision.")] = "",
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Approve what somebody else asked for: it is in force until its end."""
    with connect(data, state, url) as client:
        _say_outcome(client.ask("POST", _path(grant, "approve"), {"reason": reason}), as_json=as_json)


@app.command()
def reject(
    grant: GrantId, reason: Reason, data: Data = None, state: State = None, url: Url = None, as_json: Json = False
) -> None:
    """Refuse what somebody else asked for, and say why."""
    with connect(data, state, url) as client:
        _say_outcome(client.ask("POST", _path(grant, "reject"), {"reason": reason}), as_json=as_json)


@app.command()
def withdraw(grant: GrantId, data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """Take back what one asked for."""
    with connect(data, state, url) as client:
        _say_outcome(client.ask("POST", _path(grant, "withdraw")), as_json=as_json)


@app.command()
def revoke(
    grant: GrantId, reason: Reason, data: Data = None, state: State = None, url: Url = None, as_json: Json = False
) -> None:
    """End a grant at once."""
    with connect(data, state, url) as client:
        _say_outcome(client.ask("POST", _path(grant, "revoke"), {"reason": reason}), as_json=as_json)


@app.command()
def extend(
    grant: GrantId,
    until: Until,
    reason: Reason,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Ask for a grant to go on: a new request, to be decided anew."""
    with connect(data, state, url) as client:
        body = {"until": until, "reason": reason}
        _say_outcome(client.ask("POST", _path(grant, "extend"), body), as_json=as_json)


@app.command("break-glass")
def break_glass(
    role: Role,
    reason: Reason,
    scope: Scope = "/",
    minutes: Annotated[int, typer.Option("--minutes", min=1, max=60, help="For how long.")] = 60,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Take access in an emergency, at once and for at most an hour. Everybody who decides there is told."""
    body = {"role": role, "scope": scope, "reason": reason, "minutes": minutes}
    with connect(None, None, url) as client:
        _say_outcome(client.ask("POST", f"{GRANTS}/break-glass", body), as_json=as_json)


def _path(grant: str, verb: str = "") -> str:
    return f"{GRANTS}/{quote(grant, safe='')}" + (f"/{verb}" if verb else "")


def _say_outcome(outcome: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(outcome)
        return
    out.print(plain(outcome["grant"]))
    say(f"grant {outcome['grant']} is {outcome['state']}", "dim")


def _columns(headings: Sequence[str], folding: str) -> list[Column]:
    return [Column(heading, folds=heading == folding) for heading in headings]


def _holder(each: dict[str, Any]) -> tuple[str, ...]:
    explained = each["grant"] or each["token"]
    by = f"{explained} (group {each['group']})" if each["group"] else explained
    scope = each["scope"] if each["whole"] else f"{each['scope']} (a part)"
    return (
        each["who"]["name"],
        each["who"]["id"],
        each["role"] or each["ground"],
        scope,
        by,
        each["since"],
        each["until"] or "no end",
    )


def _grant(each: dict[str, Any]) -> tuple[str, ...]:
    decided = each["decided_by"]["name"] if each["decided_by"] else ""
    who = each["subject"]["name"] if each["subject"]["kind"] == "person" else f"group {each['subject']['name']}"
    until = each["until"] or "no end"
    return each["grant"], each["state"], who, each["role"], each["scope"], until, each["requested_by"]["name"], decided
