"""`tallystick alerts routes`, `receivers`, `silences`, `notifications`: who is told of alerts, and what became of it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from tallystick.cli.connect import connect
from tallystick.cli.console import out, plain, print_json, say
from tallystick.cli.options import Data, Json, State, Url
from tallystick.cli.table import Column, print_table
from tallystick.errors import InvalidInputError

ROUTES = "/api/v1/alert-routes"
RECEIVERS = "/api/v1/alert-receivers"
SILENCES = "/api/v1/silences"
NOTIFICATIONS = "/api/v1/notifications"

routes = typer.Typer(help="Whom alerts go to: the routing tree.", no_args_is_help=True)
receivers = typer.Typer(help="Receivers of alerts: mail, signed webhooks, Apprise.", no_args_is_help=True)
silences = typer.Typer(help="Silences: alerts of which nobody is told for a while.", no_args_is_help=True)
notifications = typer.Typer(help="What became of notifications.", no_args_is_help=True)

TextFile = Annotated[Path, typer.Argument(help="File with the routes as YAML; - reads standard input.")]
Name = Annotated[str, typer.Argument(help="Name of the receiver.")]
Silence = Annotated[str, typer.Argument(metavar="ID", help="Id of the silence.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is personal and stands in the log.")]
Secret = Annotated[
    str | None, typer.Option("--url-variable", help="Environment variable that holds the address, which is a secret.")
]


class ReceiverOptionError(InvalidInputError):
    """An address or a header of a receiver is not in the environment variable that is named."""

    code = "alert-receiver-option"
    advice = "Name a variable that is set; a value on the command line could be seen by every user of the machine."


@routes.command()
def show(data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """Print the routes in force."""
    with connect(data, state, url) as client:
        found = client.ask("GET", ROUTES)
    if as_json:
        print_json(found)
        return
    if not found["digest"]:
        say("nobody has set any routes: nobody is told of any alert")
        return
    for line in found["text"].rstrip().splitlines():
        out.print(plain(line))
    say(f"set {found['set_at']} by {found['set_by']}, digest {found['digest']}", "dim")


@routes.command()
def check(text: TextFile, data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """Check a text of routes without putting it in force; a mistake is named with line and column."""
    with connect(data, state, url) as client:
        found = client.ask("POST", f"{ROUTES}/check", {"text": _read(text)})
    if as_json:
        print_json(found)
        return
    out.print(plain(f"the routes are good; they lead to {', '.join(found['receivers']) or 'nobody'}"))


@routes.command("set")
def set_routes(text: TextFile, data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """Put a text of routes in force."""
    with connect(data, state, url) as client:
        found = client.ask("PUT", ROUTES, {"text": _read(text)})
    if as_json:
        print_json(found)
        return
    say(f"in force with digest {found['digest']}")


@routes.command("try")
def try_routes(
    severity: Annotated[str, typer.Option("--severity", help="critical, high, medium, low or informational.")],
    scope: Annotated[str, typer.Option("--scope", help="Of the alert.")],
    kind: Annotated[str, typer.Option("--kind", help="The rule's id, or the kind of what raises it.")] = "",
    owner: Annotated[str, typer.Option("--owner", help="Of the rule.")] = "",
    at: Annotated[str | None, typer.Option("--at", help="When, in RFC 3339; now without it.")] = None,
    text: Annotated[Path | None, typer.Option("--text", help="Routes to try in place of those in force.")] = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Say where an alert would go, and what would hold it back."""
    asked: dict[str, Any] = {"severity": severity, "scope": scope, "kind": kind, "owner": owner, "at": at}
    if text is not None:
        asked["text"] = _read(text)
    with connect(data, state, url) as client:
        ways = client.ask("POST", f"{ROUTES}/try", asked)["ways"]
    if as_json:
        for each in ways:
            print_json(each)
        return
    for each in ways:
        held = f", but it is held back: {each['held']} {each['by']}".rstrip() if each["held"] else ""
        later = "".join(f", unanswered for {step['after']} to {step['receiver']}" for step in each["escalation"])
        out.print(plain(f"goes to {each['receiver']} after {each['wait']} by route {each['path']}{later}{held}"))


@receivers.command("list")
def list_receivers(data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """List the receivers, with the last test and notification of each."""
    with connect(data, state, url) as client:
        found = client.ask("GET", RECEIVERS)["receivers"]
    if as_json:
        for each in found:
            print_json(each)
        return
    headings = ("name", "by", "where", "personal data", "last test", "last notification")
    rows = [
        (
            each["name"],
            each["kind"],
            each["address"] or each["place"],
            ", ".join(each["personal_scopes"]) or "no",
            each["test_outcome"] or "",
            f"{each['last']['state']} {each['last']['at'][:19]}" if each["last"] else "",
        )
        for each in found
    ]
    print_table([Column(heading) for heading in headings], [[plain(cell) for cell in row] for row in rows])


@receivers.command("set")
def set_receiver(
    name: Name,
    kind: Annotated[str, typer.Option("--kind", help="email, webhook or apprise.")],
    to: Annotated[list[str] | None, typer.Option("--to", help="Mail address; repeat.")] = None,
    url_variable: Secret = None,
    send_resolved: Annotated[bool, typer.Option("--resolved/--no-resolved", help="Tell when alerts close.")] = True,
    personal: Annotated[
        bool, typer.Option("--personal/--facts-only", help="With personal data; you grant it.")
    ] = False,
    header: Annotated[
        list[str] | None,
        typer.Option("--header", help="NAME=VARIABLE: a header whose value is in that variable; repeat."),
    ] = None,
    new_signing: Annotated[bool, typer.Option("--new-signing-secret", help="Replace a webhook's secret.")] = False,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Set a receiver up, or another in its place; a webhook's signing secret is printed for the only time."""
    body = {
        "kind": kind,
        "to": to or [],
        "url": _variable(url_variable) if url_variable else "",
        "send_resolved": send_resolved,
        "personal": personal,
        "headers": dict(_header(each) for each in header or []),
        "new_signing_secret": new_signing,
    }
    with connect(data, state, url) as client:
        made = client.ask("PUT", _receiver(name), body)
    if as_json:
        print_json(made)
        return
    say(f"{name} is set")
    if made["signing_secret"]:
        say("the receiver checks each request with this secret; it is not shown again", "dim")
        out.print(plain(made["signing_secret"]))


@receivers.command("test")
def send_test(name: Name, data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """Send a message that is about no alert, and say what came of it; leaves with 1 when it was not taken."""
    with connect(data, state, url) as client:
        found = client.ask("POST", f"{_receiver(name)}/test")
    tried = found["attempt"]
    if as_json:
        print_json(found)
    else:
        said = f": {tried['said']}" if tried["said"] else ""
        say(f"{'taken' if found['delivered'] else 'not taken'}, code {tried['code']}, {tried['latency_ms']:,} ms{said}")
    if not found["delivered"]:
        raise typer.Exit(1)


@receivers.command()
def remove(name: Name, data: Data = None, state: State = None, url: Url = None) -> None:
    """Remove a receiver that no route leads to."""
    with connect(data, state, url) as client:
        client.ask("POST", f"{_receiver(name)}/remove")
    say(f"{name} is removed")


@silences.command("list")
def list_silences(
    ended: Annotated[bool, typer.Option("--ended", help="With those that have ended.")] = False,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List the silences, with of how many alerts each kept somebody from being told."""
    with connect(data, state, url) as client:
        found = client.ask("GET", SILENCES, ended="true" if ended else None)["silences"]
    if as_json:
        for each in found:
            print_json(each)
        return
    rows = [
        (
            each["id"],
            each["state"],
            ", ".join(each["matchers"]),
            each["reason"] or "",
            each["until"][:19],
            each["suppressed"],
        )
        for each in found
    ]
    headings = ("id", "state", "alerts", "reason", "until (UTC)", "held back")
    print_table([Column(heading) for heading in headings], [[plain(cell) for cell in row] for row in rows])


@silences.command()
def place(
    matcher: Annotated[list[str], typer.Argument(help='Such as scope="acme/payments"; all have to be met.')],
    reason: Reason,
    until: Annotated[str, typer.Option("--until", help="How long from now, such as 2h, or a time in RFC 3339.")],
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Keep alerts quiet until a time, for a reason."""
    with connect(data, state, url) as client:
        made = client.ask("POST", SILENCES, {"matchers": matcher, "reason": reason, "until": until})
    if as_json:
        print_json(made)
        return
    say(f"{made['id']} counts until {made['until'][:19]} UTC")


@silences.command()
def extend(
    silence: Silence,
    reason: Reason,
    until: Annotated[str, typer.Option("--until", help="The new end, earlier or later.")],
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Give a silence another end."""
    with connect(data, state, url) as client:
        made = client.ask("POST", f"{SILENCES}/{quote(silence, safe='')}/change", {"until": until, "reason": reason})
    say(f"{silence} counts until {made['until'][:19]} UTC")


@silences.command()
def end(silence: Silence, reason: Reason, data: Data = None, state: State = None, url: Url = None) -> None:
    """End a silence before its time."""
    with connect(data, state, url) as client:
        client.ask("POST", f"{SILENCES}/{quote(silence, safe='')}/end", {"reason": reason})
    say(f"{silence} has ended")


@notifications.command("list")
def list_notifications(
    alert: Annotated[str | None, typer.Option("--alert", help="Only what is about this alert.")] = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List who was told of what, what waits, what was given up, and what was held back."""
    with connect(data, state, url) as client:
        found = client.ask("GET", NOTIFICATIONS, alert=alert)
    if as_json:
        print_json(found)
        return
    told = [*found["dead"], *found["waiting"], *found["settled"]]
    rows = [
        (
            each["state"],
            each["receiver"],
            each["tells"],
            " ".join([*each["alerts"], *each["resolved"]]),
            each["at"][:19],
            f"{len(each['attempts'])}, last {each['attempts'][-1]['code']}" if each["attempts"] else "0",
            each["key"],
        )
        for each in told
    ]
    rows += [
        (each["reason"], each["receiver"], "held back", each["alert"], each["at"][:19], "", each["by"])
        for each in found["held"]
    ]
    headings = ("state", "receiver", "why", "alerts", "when (UTC)", "tries", "key, or held back by")
    print_table([Column(heading) for heading in headings], [[plain(cell) for cell in row] for row in rows])


@notifications.command()
def retry(
    key: Annotated[str, typer.Argument(help="Key of a notification that was given up.")],
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Send again what was given up, with the key that it had."""
    with connect(data, state, url) as client:
        client.ask("POST", f"{NOTIFICATIONS}/{quote(key, safe='')}/retry")
    say(f"{key} is sent again")


def _read(path: Path) -> str:
    return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")


def _receiver(name: str) -> str:
    return f"{RECEIVERS}/{quote(name, safe='')}"


def _header(text: str) -> tuple[str, str]:
    name, equals, variable = text.partition("=")
    if not equals:
        raise ReceiverOptionError(f"{text!r} is not NAME=VARIABLE")
    return name, _variable(variable)


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise ReceiverOptionError(f"the environment variable {name} is not set")
    return value
