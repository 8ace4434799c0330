"""`tallystick exceptions`: ask for one, decide about it, let it go on, end it; the register as a file."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer

from tallystick.cli.connect import connect
from tallystick.cli.console import out, plain, print_json, say
from tallystick.cli.options import Data, Json, State, Url
from tallystick.cli.table import Column, print_table

ROUTE = "/api/v1/exceptions"
LIST = ("exception", "state", "from", "scope", "risk", "until", "used", "asked by")
STEPS = ("index", "at", "step", "by", "reason")

app = typer.Typer(help="Exceptions from rules and duties: ask, decide, extend, revoke, list.", no_args_is_help=True)

ExceptionId = Annotated[str, typer.Argument(metavar="EXCEPTION", help="Id, as `exceptions list` shows it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; personal data, and kept out of the facts.")]
Justification = Annotated[str, typer.Option("--justification", help="Why it is needed.")]
Control = Annotated[str, typer.Option("--control", help="What makes up for it meanwhile.")]
Risk = Annotated[str, typer.Option("--risk", help="low, medium, high or critical.")]
Until = Annotated[str, typer.Option("--until", help="The end: a time with zone, or relative such as now+90d.")]


@app.command("list")
def list_exceptions(
    scope: Annotated[str, typer.Option("--scope", help="Only in this scope and below it.")] = "/",
    standing: Annotated[str | None, typer.Option("--standing", help="requested, active, expired, ...")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="policy, rule, retention, declaration, review.")] = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List exceptions and requests, the newest first."""
    with connect(data, state, url) as client:
        found = client.ask("GET", ROUTE, scope=scope, state=standing, kind=kind)["exceptions"]
    if as_json:
        for each in found:
            print_json(each)
        return
    print_table([Column(heading, folds=heading == "from") for heading in LIST], [_line(each) for each in found])
    if not found:
        say("no exceptions there", "dim")


@app.command()
def show(
    exception: ExceptionId, data: Data = None, state: State = None, url: Url = None, as_json: Json = False
) -> None:
    """Show an exception with every step of its life."""
    with connect(data, state, url) as client:
        found = client.ask("GET", _path(exception))
    if as_json:
        print_json(found)
        return
    about = {name: value for name, value in found.items() if value not in (None, "") and name != "steps"}
    rows = [(plain(name, "dim"), plain(_told(value))) for name, value in about.items()]
    print_table((Column(), Column(folds=True)), rows, header=False)
    steps = [[plain(_told(each[name])) for name in ("index", "at", "step", "by", "reason")] for each in found["steps"]]
    print_table([Column(heading, folds=heading == "reason") for heading in STEPS], steps)


@app.command()
def request(
    kind: Annotated[str, typer.Argument(help="policy, rule, retention, declaration or review.")],
    subject: Annotated[str, typer.Argument(help="The id of what it is from.")],
    scope: Annotated[str, typer.Option("--scope", help="A path such as acme/payments; / is everything.")],
    justification: Justification,
    control: Control,
    risk: Risk,
    until: Until,
    start: Annotated[str | None, typer.Option("--start", help="The beginning; without one, now.")] = None,
    query: Annotated[str | None, typer.Option("--query", help="From a rule: only for what this query finds.")] = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Ask for an exception, for somebody else to decide about; print its id."""
    body: dict[str, Any] = {"kind": kind, "subject": subject, "scope": scope, "risk": risk, "until": until}
    body |= {"justification": justification, "control": control, "start": start, "query": query}
    with connect(data, state, url) as client:
        out.print(client.ask("POST", ROUTE, body)["exception"])


@app.command()
def extend(
    exception: ExceptionId,
    justification: Justification,
    control: Control,
    risk: Risk,
    until: Until,
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Ask for an exception to go on after its end, which is a new decision; print the id of the request."""
    body = {"justification": justification, "control": control, "risk": risk, "until": until}
    with connect(data, state, url) as client:
        out.print(client.ask("POST", f"{_path(exception)}/extend", body)["exception"])


@app.command()
def approve(
    exception: ExceptionId,
    digest: Annotated[str, typer.Option("--digest", help="What is agreed to, as `exceptions show` shows it.")],
    reason: Reason = "",
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Agree to exactly what somebody else asked for."""
    with connect(data, state, url) as client:
        out.print(client.ask("POST", f"{_path(exception)}/approve", {"digest": digest, "reason": reason})["state"])


@app.command()
def reject(exception: ExceptionId, reason: Reason, data: Data = None, state: State = None, url: Url = None) -> None:
    """Refuse what somebody else asked for."""
    with connect(data, state, url) as client:
        out.print(client.ask("POST", f"{_path(exception)}/reject", {"reason": reason})["state"])


@app.command()
def withdraw(exception: ExceptionId, data: Data = None, state: State = None, url: Url = None) -> None:
    """Take your own request back."""
    with connect(data, state, url) as client:
        out.print(client.ask("POST", f"{_path(exception)}/withdraw", {})["state"])


@app.command()
def revoke(exception: ExceptionId, reason: Reason, data: Data = None, state: State = None, url: Url = None) -> None:
    """End an exception at once, with what was agreed to follow it."""
    with connect(data, state, url) as client:
        out.print(client.ask("POST", f"{_path(exception)}/revoke", {"reason": reason})["state"])


def _path(exception: str) -> str:
    return f"{ROUTE}/{quote(exception, safe='')}"


def _line(found: dict[str, Any]) -> list[Any]:
    cells = (
        *(found["exception"], found["state"], f"{found['kind']} {found['subject']}", found["scope"], found["risk"]),
        *(found["until"], f"{found['used']:,}", found["requested_by"]["name"]),
    )
    return [plain(each) for each in cells]


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return str(value["name"])
    return "" if value is None else str(value)
