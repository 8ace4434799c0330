"""`tallystick retention`: classes, what goes to them, holds, proposals, the run, and one person's erasure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from tallystick.cli.connect import connect
from tallystick.cli.console import out, plain, print_json, say
from tallystick.cli.files import new_file, require_absent
from tallystick.cli.options import Data, Json, State, Url
from tallystick.cli.retention_rows import change_row, class_row, given_range, given_rule, given_terms, hold_row
from tallystick.cli.table import Column, print_table
from tallystick.counted import counted

ROUTE = "/api/v1/retention"
CLASSES = ("class", "number", "keeps", "personal", "at least", "events", "bytes", "next to go")
RULES = ("action", "scope", "source", "class")
HOLDS = ("hold", "owner", "covers", "since", "released")
CHANGES = ("request", "kind", "subject", "state", "proposed by", "at", "digest")
RUNS = ("at", "state", "events", "erasures", "ms", "why not")
TALLIES = ("class", "part", "events", "bytes")

app = typer.Typer(help="Retention: classes, assignment, holds, simulation, runs, erasure.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="CLASS", help="Name of the class.")]
ChangeId = Annotated[
    str, typer.Argument(metavar="REQUEST", help="Id of the request, as `retention requests` shows it.")
]
Days = Annotated[
    int | None, typer.Option("--days", help="Days that content is kept; for ever without.", show_default=False)
]
PersonalDays = Annotated[
    int | None,
    typer.Option("--personal-days", help="Days that the personal part is kept, if fewer.", show_default=False),
]
Regulation = Annotated[
    list[str] | None, typer.Option("--regulation", help="NAME:YEARS, such as sox:7; repeat.", show_default=False)
]
Reason = Annotated[str, typer.Option("--reason", help="Why; whoever decides reads it.")]


@app.command("classes")
def list_classes(data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """List the classes with what they keep and take, and the rules that send events to them."""
    with connect(data, state, url) as client:
        found = client.ask("GET", ROUTE)
    if as_json:
        for each in found["classes"]:
            print_json(each)
        return
    print_table([Column(heading) for heading in CLASSES], [class_row(each) for each in found["classes"]])
    if found["rules"]:
        rows = [[each["action"] or "any", each["scope"] or "any", each["source"] or "any"] for each in found["rules"]]
        names = [each["class_name"] for each in found["rules"]]
        cells = [[plain(cell) for cell in (*row, name)] for row, name in zip(rows, names, strict=True)]
        out.print()
        print_table([Column(heading) for heading in RULES], cells)


@app.command()
def define(
    name: Name,
    days: Days = None,
    personal_days: PersonalDays = None,
    unguarded: Annotated[
        bool, typer.Option("--unguarded", help="Takes no events of security and access, and may keep less than a year.")
    ] = False,
    regulation: Regulation = None,
    reason: Reason = "",
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Make a class and print its number."""
    body = {**given_terms(days, personal_days, regulation), "name": name, "guarded": not unguarded, "reason": reason}
    with connect(data, state, url) as client:
        out.print(client.ask("POST", f"{ROUTE}/classes", body)["number"])


@app.command()
def assign(
    rule: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RULE]...",
            help="CLASS=CONDITIONS, such as short=action:report.*,scope:acme/web,source:ci; all rules in order.",
        ),
    ] = None,
    reason: Reason = "",
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Send events to classes by these rules, in place of all that there are; the first that takes an event counts."""
    body = {"rules": [given_rule(each) for each in rule or ()], "reason": reason}
    with connect(data, state, url) as client:
        _print_proposed(client.ask("POST", f"{ROUTE}/rules", body))


@app.command()
def simulate(
    name: Name,
    days: Days = None,
    personal_days: PersonalDays = None,
    regulation: Regulation = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Say what other terms of a class would destroy, and print the digest that asks for exactly that."""
    with connect(data, state, url) as client:
        body = given_terms(days, personal_days, regulation)
        found = client.ask("POST", f"{ROUTE}/classes/{quote(name, safe='')}/simulate", body)
    if as_json:
        print_json(found)
        return
    say(
        f"on {found['effective_at'][:10]} there would go, {counted(found['events'], 'event')} because of the change alone:"
    )
    rows = [
        [plain(cell) for cell in (month, each["part"], f"{events:,}")]
        for each in found["would_go"]
        for month, events in each["months"].items()
    ]
    print_table([Column("month"), Column("part"), Column("events", right=True)], rows)
    out.print(found["digest"])


@app.command()
def change(
    name: Name,
    reason: Reason,
    days: Days = None,
    personal_days: PersonalDays = None,
    regulation: Regulation = None,
    simulation: Annotated[str, typer.Option("--simulation", help="Digest of the simulation, where it shortens.")] = "",
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Give a class other terms; what becomes shorter is only asked for, and the id of the request is printed."""
    body = {**given_terms(days, personal_days, regulation), "reason": reason, "simulation": simulation}
    with connect(data, state, url) as client:
        _print_proposed(client.ask("POST", f"{ROUTE}/classes/{quote(name, safe='')}", body))


@app.command()
def requests(data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """List what was proposed, what waits first."""
    with connect(data, state, url) as client:
        found = client.ask("GET", ROUTE)
    changes = [*found["waiting"], *found["decided"]]
    if as_json:
        for each in changes:
            print_json(each)
        return
    print_table([Column(heading) for heading in CHANGES], [change_row(each) for each in changes])


@app.command()
def approve(
    request: ChangeId,
    digest: Annotated[str, typer.Option("--digest", help="Digest of what you read, as `retention requests` has it.")],
    reason: Annotated[str, typer.Option("--reason", help="A remark.")] = "",
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Put in force what somebody else proposed."""
    with connect(data, state, url) as client:
        client.ask("POST", f"{_path(request)}/approve", {"digest": digest, "reason": reason})
    say("approved")


@app.command()
def decline(request: ChangeId, reason: Reason, data: Data = None, state: State = None, url: Url = None) -> None:
    """Refuse what somebody else proposed."""
    with connect(data, state, url) as client:
        client.ask("POST", f"{_path(request)}/decline", {"reason": reason})
    say("declined")


@app.command()
def withdraw(request: ChangeId, data: Data = None, state: State = None, url: Url = None) -> None:
    """Take your own proposal back."""
    with connect(data, state, url) as client:
        client.ask("POST", f"{_path(request)}/withdraw")
    say("withdrawn")


@app.command()
def holds(data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """List the holds."""
    with connect(data, state, url) as client:
        found = client.ask("GET", ROUTE)["holds"]
    if as_json:
        for each in found:
            print_json(each)
        return
    print_table([Column(heading, folds=heading == "covers") for heading in HOLDS], [hold_row(each) for each in found])


@app.command()
def hold(
    name: Annotated[str, typer.Argument(metavar="HOLD", help="Its name, such as case-7.")],
    owner: Annotated[str, typer.Option("--owner", help="Who answers for it, by id.")],
    reason: Reason,
    in_class: Annotated[list[str] | None, typer.Option("--class", help="A class; repeat.", show_default=False)] = None,
    source: Annotated[list[str] | None, typer.Option("--source", help="A source; repeat.", show_default=False)] = None,
    indexes: Annotated[
        list[str] | None, typer.Option("--indexes", help="FIRST-LAST of the log; repeat.", show_default=False)
    ] = None,
    received_from: Annotated[
        str | None, typer.Option("--from", help="Received at or after.", show_default=False)
    ] = None,
    received_to: Annotated[str | None, typer.Option("--to", help="Received before.", show_default=False)] = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Place a hold on what meets everything named; nothing of that is destroyed while it lasts."""
    body = {
        "hold": name,
        "owner": owner,
        "reason": reason,
        "classes": in_class or None,
        "sources": source or None,
        "ranges": [given_range(each) for each in indexes] if indexes else None,
        "received_from": received_from,
        "received_to": received_to,
    }
    with connect(data, state, url) as client:
        client.ask("POST", f"{ROUTE}/holds", body)
    say("placed")


@app.command()
def release(
    name: Annotated[str, typer.Argument(metavar="HOLD", help="Its name.")],
    reason: Reason,
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Propose that a hold ends, and print the id of the request; somebody else decides."""
    with connect(data, state, url) as client:
        _print_proposed(client.ask("POST", f"{ROUTE}/holds/{quote(name, safe='')}/release", {"reason": reason}))


@app.command()
def run(data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """Destroy everything that is due now; the server does so by itself once a day."""
    with connect(data, state, url) as client:
        done = client.ask("POST", f"{ROUTE}/runs")
    if as_json:
        print_json(done)
        return
    say(
        f"content of {counted(done['events'], 'event')} in {counted(done['erasures'], 'erasure')}, {done['took_ms']:,} ms"
    )


@app.command()
def history(data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """List the runs that destroyed something or failed, and what the next one would take."""
    with connect(data, state, url) as client:
        found = client.ask("GET", ROUTE)
    if as_json:
        for each in found["runs"]:
            print_json(each)
        return
    rows = [
        [each["at"][:19], each["state"], f"{each['events']:,}", each["erasures"], each["took_ms"], each["code"] or ""]
        for each in found["runs"]
    ]
    print_table([Column(heading) for heading in RUNS], [[plain(str(cell)) for cell in row] for row in rows])
    say(f"next run: {found['next_run'][:19]} UTC")
    due = [[each["class_name"], each["part"], f"{each['events']:,}", f"{each['bytes']:,}"] for each in found["due"]]
    if due:
        print_table([Column(heading) for heading in TALLIES], [[plain(cell) for cell in row] for row in due])


@app.command("erase-person")
def erase_person(
    name: Annotated[list[str], typer.Argument(metavar="NAME...", help="Ids, addresses, names of the person.")],
    reason: Annotated[
        str | None,
        typer.Option("--reason", help="Why; do not name the person. Without one, only what there is is shown."),
    ] = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Find every event that names a person; with --reason, ask for what is personal in them to be destroyed."""
    with connect(data, state, url) as client:
        found = client.ask("POST", f"{ROUTE}/people", {"names": name})
        made = None
        if reason is not None:
            made = client.ask("POST", f"{ROUTE}/erasures", {"names": name, "reason": reason})["change"]
    if as_json:
        print_json({**found, "change": made})
        return
    say(
        f"{counted(found['events'], 'event names', 'events name')} the person: "
        + ", ".join(f"{n:,} {c}" for c, n in found["classes"].items())
    )
    if found["unsealed"]:
        say(f"{found['unsealed']:,} of them are not sealed yet, and go once they are")
    for each in found["held"]:
        say(f"{each['events']:,} of them stay until hold {each['hold']} is released")
    if made is not None:
        out.print(made)


@app.command()
def proof(
    request: ChangeId,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write, such as deletion.zip.")],
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Write the proof that an erasure was carried out; `tallystick verify` checks it offline."""
    require_absent(output)
    with (
        connect(data, state, url) as client,
        client.fetch(f"{_path(request)}/proof") as chunks,
        new_file(output) as sink,
    ):
        for chunk in chunks:
            sink.write(chunk)
    say(f"{output}; check it: tallystick verify {output}")


def _path(request: str) -> str:
    return f"{ROUTE}/changes/{quote(request, safe='')}"


def _print_proposed(made: dict[str, Any]) -> None:
    if made["change"] is None:
        say("in force")
    else:
        out.print(made["change"])
