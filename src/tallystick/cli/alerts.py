"""`tallystick alerts`: what fired and waits for somebody, and everything that is done with it."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer

from tallystick.cli.alert_lists import ROUTE, From, Scope, To, register
from tallystick.cli.connect import connect
from tallystick.cli.console import plain, print_json, say
from tallystick.cli.options import Data, Json, State, Url
from tallystick.cli.table import Column, print_table
from tallystick.durations import format_age

HEADINGS = ("id", "severity", "state", "what", "scope", "count", "opened (UTC)", "limit", "given to")

app = typer.Typer(
    help="Alerts: the queue, every step of one, figures, and the list for auditors.", no_args_is_help=True
)

Alert = Annotated[str, typer.Argument(metavar="ID", help="Id of the alert, such as al-7k3m.")]
Verdict = Annotated[
    str, typer.Option("--verdict", help="true_positive, benign_true_positive, false_positive or duplicate.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is personal and stands in the history.")]
Digest = Annotated[str, typer.Option("--digest", help="Of the closing as it was looked at; `alerts show` prints it.")]


@app.command("list")
def list_alerts(
    severity: Annotated[str | None, typer.Option("--severity", help="One or several, with commas.")] = None,
    standing: Annotated[
        str | None, typer.Option("--state", help="new, acknowledged, in_progress, closed, or open for all but that.")
    ] = "open",
    scope: Scope = None,
    kind: Annotated[str | None, typer.Option("--kind", help="The rule's id, or the kind of what raised it.")] = None,
    assignee: Annotated[
        str | None, typer.Option("--assignee", help="A person's id or a team; none for nobody's.")
    ] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what waits longer than it may.")] = False,
    since: From = None,
    until: To = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List alerts, the gravest first; what is not closed unless something else is asked for."""
    asked: dict[str, Any] = {
        "severity": severity,
        "state": standing or None,
        "scope": scope,
        "kind": kind,
        "assignee": assignee,
        "overdue": "true" if overdue else None,
        "from": since,
        "to": until,
    }
    with connect(data, state, url) as client:
        found, after = [], None
        while True:
            page = client.ask("GET", ROUTE, **asked, after=after)
            found += page["alerts"]
            after = page["after"]
            if after is None:
                break
    if as_json:
        for each in found:
            print_json(each)
        return
    rows = [[plain(cell) for cell in _cells(each)] for each in found]
    print_table([Column(heading, folds=heading == "what") for heading in HEADINGS], rows)


@app.command()
def show(alert: Alert, data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """Show one alert with its rule, its events and its history."""
    with connect(data, state, url) as client:
        found = client.ask("GET", _path(alert))
    if as_json:
        print_json(found)
        return
    flat = {name: value for name, value in found["alert"].items() if value not in (None, [])}
    flat["events"] = ", ".join(str(each["index"]) for each in found["events"])
    if found["card"]:
        flat |= {f"rule: {name}": value for name, value in found["card"].items() if value}
    print_table((Column(), Column(folds=True)), [(plain(k, "dim"), plain(v)) for k, v in flat.items()], header=False)
    steps = [
        [
            plain(cell)
            for cell in (str(each["index"]), each["at"][:19], each["by"]["name"] or each["by"]["id"], _said(each))
        ]
        for each in reversed(found["history"])
    ]
    print_table([Column("event"), Column("when (UTC)"), Column("who"), Column("what", folds=True)], steps)


@app.command()
def acknowledge(alert: Alert, data: Data = None, state: State = None, url: Url = None) -> None:
    """Say that you look at a new alert; its time to acknowledge stops."""
    _post(alert, "acknowledge", None, data, state, url)
    say(f"{alert} is acknowledged")


@app.command()
def start(alert: Alert, data: Data = None, state: State = None, url: Url = None) -> None:
    """Say that you work on an alert."""
    _post(alert, "start", None, data, state, url)
    say(f"{alert} is in progress")


@app.command()
def assign(
    alert: Alert,
    person: Annotated[str | None, typer.Option("--person", help="Handle or id of who gets it.")] = None,
    team: Annotated[str | None, typer.Option("--team", help="The team that gets it.")] = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Give an alert to a person or a team; to nobody where neither is named."""
    found = _post(alert, "assign", {"person": person, "team": team}, data, state, url)
    given = found["alert"]["assignee"]
    say(f"{alert} is given to {given['name'] or given['id']}" if given else f"{alert} is given to nobody")


@app.command()
def comment(
    alert: Alert,
    text: Annotated[str, typer.Argument(help="What you say about it; it is personal.")],
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Comment on an alert."""
    _post(alert, "comments", {"text": text}, data, state, url)
    say(f"the comment is in the history of {alert}")


@app.command()
def link(
    alert: Alert,
    event: Annotated[str, typer.Argument(help="Index or id of the event.")],
    note: Annotated[str, typer.Option("--note", help="Why it belongs there.")] = "",
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Link an event to an alert."""
    _post(alert, "events", {"event": int(event) if event.isdecimal() else event, "note": note}, data, state, url)
    say(f"{event} is linked to {alert}")


@app.command()
def respond(
    alert: Alert,
    text: Annotated[str, typer.Argument(help="What was done, in your words.")] = "",
    follows_rule: Annotated[bool, typer.Option("--as-rule", help="It was done as the rule says.")] = False,
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Record what was done about an alert."""
    _post(alert, "responses", {"text": text, "follows_rule": follows_rule}, data, state, url)
    say(f"the response is in the history of {alert}")


@app.command()
def close(
    alerts: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of the alerts.")],
    verdict: Verdict,
    reason: Reason,
    duplicate_of: Annotated[str | None, typer.Option("--of", help="The alert that a duplicate repeats.")] = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Close alerts with one verdict and reason, all or none."""
    body = {"alerts": alerts, "verdict": verdict, "reason": reason, "duplicate_of": duplicate_of}
    with connect(data, state, url) as client:
        done = client.ask("POST", f"{ROUTE}/close", body)
    if done["closed"]:
        say(f"closed: {', '.join(done['closed'])}")
    if done["waiting"]:
        say(f"waits for a second person: {', '.join(done['waiting'])}")


@app.command()
def approve(alert: Alert, digest: Digest, data: Data = None, state: State = None, url: Url = None) -> None:
    """Close an alert as another person asked for."""
    _post(alert, "closing/approve", {"digest": digest}, data, state, url)
    say(f"{alert} is closed")


@app.command()
def decline(
    alert: Alert,
    digest: Digest,
    reason: Annotated[
        str, typer.Option("--reason", help="Why not; to take back your own request none is needed.")
    ] = "",
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Say no to the closing of an alert, or take back your own request."""
    _post(alert, "closing/decline", {"digest": digest, "reason": reason}, data, state, url)
    say(f"{alert} stays open")


@app.command()
def reopen(alert: Alert, reason: Reason, data: Data = None, state: State = None, url: Url = None) -> None:
    """Open a closed alert again; its history stays."""
    _post(alert, "reopen", {"reason": reason}, data, state, url)
    say(f"{alert} is open again")


def _post(alert: str, verb: str, body: dict[str, Any] | None, data: Data, state: State, url: Url) -> dict[str, Any]:
    with connect(data, state, url) as client:
        return client.ask("POST", f"{_path(alert)}/{verb}", body)


def _path(alert: str) -> str:
    return f"{ROUTE}/{quote(alert, safe='')}"


def _cells(each: dict[str, Any]) -> tuple[str, ...]:
    given, waits = each["assignee"], each["waits"]
    limit = ""
    if waits:
        late_s = waits["late_s"]
        limit = f"{format_age(abs(late_s))} {'over' if late_s > 0 else 'left'} to {waits['what']}"
    return (
        each["id"],
        each["severity"],
        each["verdict"] or each["state"],
        each["title"],
        each["scope"],
        f"{each['count']:,}",
        each["opened_at"][:19],
        limit,
        (given["name"] or given["id"]) if given else "",
    )


def _said(step: dict[str, Any]) -> str:
    return ": ".join(text for text in (step["message"], step["reason"] or step["sentence"]) if text)


register(app)
