"""`tallystick reviews`: duties and their reviews; marking, signing, taking away, and what falls due."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from tallystick.cli.connect import connect
from tallystick.cli.console import print_json, say
from tallystick.cli.duties import app as duty
from tallystick.cli.duties import named, print_rows
from tallystick.cli.files import new_file, require_absent
from tallystick.cli.options import Data, Json, State, Url
from tallystick.client import Client
from tallystick.counted import counted

ROUTE = "/api/v1/reviews"
LIST = ("id", "title", "kind", "period", "scope", "state", "due", "done")
SECTIONS = ("section", "title", "count", "done", "waiting for")
ROWS = ("index", "at", "action", "actor", "target", "what")
ITEMS = ("item", "verdict", "facts")
DUE = ("due", "title", "kind", "period", "scope", "state", "review")
_NOT_FACTS = ("item", "people")

app = typer.Typer(
    help="Reviews of the log: list, show, mark, decide, follow up, sign, export, calendar; and their duties.",
    no_args_is_help=True,
)
app.add_typer(duty, name="duty")

ReviewId = Annotated[str, typer.Argument(metavar="REVIEW", help="Id of the review, as `reviews list` shows it.")]
SectionName = Annotated[str, typer.Argument(metavar="SECTION", help="Name of the section, as `reviews show` shows it.")]
Note = Annotated[str, typer.Option("--note", help="What was found, and why it is so.")]
Digest = Annotated[
    str | None,
    typer.Option("--digest", help="Refuse if the snapshot has another digest than this.", show_default=False),
]
Scope = Annotated[str, typer.Option("--scope", help="This scope and those below it; / is everything.")]


@app.command("list")
def list_reviews(
    scope: Scope = "/",
    of: Annotated[str | None, typer.Option("--duty", help="Only of this duty.", show_default=False)] = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List reviews, the newest period first, with where each stands."""
    with connect(data, state, url) as client:
        found = client.ask("GET", ROUTE, scope=scope, duty=of)["reviews"]
    if as_json:
        for each in found:
            print_json(each)
        return
    print_rows(
        LIST, "title", [(*_line(each), each["due"][:10], f"{each['done']}/{each['sections']}") for each in found]
    )
    if not found:
        say("no reviews; `tallystick reviews duty add` sets up what is reviewed, and the first opens by itself", "dim")


@app.command()
def show(
    review: ReviewId,
    section: Annotated[
        str | None, typer.Argument(metavar="[SECTION]", help="Show its rows.", show_default=False)
    ] = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show a review with its sections, or one section with its rows."""
    path = _path(review) if section is None else f"{_path(review)}/sections/{quote(section, safe='')}"
    with connect(data, state, url) as client:
        found = client.ask("GET", path)
    if as_json:
        print_json(found)
    elif section is None:
        _show(found)
    else:
        _show_section(found)


@app.command()
def recount(
    review: ReviewId,
    section: SectionName,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Run the query of a section again at the size of its snapshot; leaves with status 1 when it finds something else."""
    with connect(data, state, url) as client:
        found = client.ask("GET", f"{_path(review)}/sections/{quote(section, safe='')}/recount")
    if as_json:
        print_json(found)
    else:
        say(
            f"{counted(found['count'], 'event')}, digest {found['digest']}: {'the same' if found['same'] else 'ANOTHER'} as then"
        )
    if not found["same"]:
        raise typer.Exit(1)


@app.command()
def mark(
    review: ReviewId,
    section: SectionName,
    verdict: Annotated[str, typer.Argument(metavar="VERDICT", help="`no finding` or `finding`.")],
    note: Note = "",
    digest: Digest = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Say what was found in a section. It says nothing of what is about yourself."""
    with connect(data, state, url) as client:
        body = {"digest": _seen(client, review, digest), "verdict": verdict, "note": note}
        found = client.ask("POST", f"{_path(review)}/sections/{quote(section, safe='')}/mark", body)
    _say_standing(found, section)


@app.command()
def decide(
    review: ReviewId,
    section: SectionName,
    item: Annotated[str, typer.Argument(metavar="ITEM", help="Id of the item, as `reviews show` shows it.")],
    verdict: Annotated[str, typer.Argument(metavar="VERDICT", help="Such as keep or revoke, confirmed or changed.")],
    note: Note = "",
    digest: Digest = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Decide about one item; a grant that is revoked ends at once."""
    with connect(data, state, url) as client:
        body = {"item": item, "digest": _seen(client, review, digest), "verdict": verdict, "note": note}
        found = client.ask("POST", f"{_path(review)}/sections/{quote(section, safe='')}/decide", body)
    _say_standing(found, section)


@app.command("follow-up")
def follow_up(
    review: Annotated[str, typer.Argument(metavar="REVIEW", help="Id of the review, or of a follow-up with --done.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is to be done, or what came of it.")],
    owner: Annotated[str, typer.Option("--owner", help="Id of a person, or name of a team.")] = "",
    due: Annotated[str, typer.Option("--due", help="A day such as 2027-02-01.")] = "",
    section: Annotated[str, typer.Option("--section", help="The section that it comes from.")] = "",
    done: Annotated[bool, typer.Option("--done", help="The follow-up is done.")] = False,
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Leave something to be done, or with --done say what came of it."""
    with connect(data, state, url) as client:
        if done:
            client.ask("POST", f"/api/v1/follow-ups/{quote(review, safe='')}/done", {"outcome": text})
            say(f"{review} is done")
            return
        if not owner or not due:
            raise typer.BadParameter("a follow-up has --owner and --due")
        body = {"text": text, "owner": owner, "due": due, "section": section}
        found = client.ask("POST", f"{_path(review)}/follow-ups", body)
    newest = max(found["follow_ups"], key=lambda each: each["opened_at"])
    say(f"{newest['id']} is open until {newest['due'][:10]}")


@app.command()
def sign(
    review: ReviewId,
    reason: Annotated[str, typer.Option("--reason", help="Why it is late; mandatory then.")] = "",
    digest: Digest = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Sign a review, the first or the second signature."""
    with connect(data, state, url) as client:
        body = {"digest": _seen(client, review, digest), "reason": reason}
        found = client.ask("POST", f"{_path(review)}/sign", body)
    if as_json:
        print_json(found)
    else:
        say(f"{review} is {found['line']['state']}")


@app.command()
def export(
    review: ReviewId,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")],
    form: Annotated[str, typer.Option("--format", help="html, csv, json or package.")] = "package",
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Take a review away. Every export is an event."""
    require_absent(output)
    with (
        connect(data, state, url) as client,
        client.download(f"{_path(review)}/export", format=form) as chunks,
        new_file(output) as sink,
    ):
        for chunk in chunks:
            sink.write(chunk)
    say(f"wrote {output}")
    if form == "package":
        say(f"check it anywhere:  tallystick verify {output} --key KEY", "dim")


@app.command()
def calendar(
    month: Annotated[str | None, typer.Argument(help="Such as 2027-01; now if left out.", show_default=False)] = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List what falls due in a month: reviews, and periods that are still to end."""
    with connect(data, state, url) as client:
        found = client.ask("GET", "/api/v1/review-calendar", month=month)
    if as_json:
        print_json(found)
        return
    cells = [
        (
            each["due"][:10],
            *named(each),
            each["period"],
            each["scope"],
            each["state"] or "to come",
            each["review"] or "",
        )
        for each in found["due"]
    ]
    print_rows(DUE, "title", cells)
    if not cells:
        say(f"nothing falls due in {found['month']}", "dim")


@app.command()
def figures(scope: Scope = "/", data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """Say how reviews are done: in time, how long they take, what they found, what is left to do."""
    with connect(data, state, url) as client:
        found = client.ask("GET", "/api/v1/review-figures", scope=scope)
    if as_json:
        print_json(found)
    else:
        print_rows(("figure", "value"), "", [(name.replace("_", " "), str(value)) for name, value in found.items()])


def _show(found: dict[str, Any]) -> None:
    line = found["line"]
    say(f"{line['title'] or line['duty']}, {line['period']}, {line['scope']}: {line['state']}, due {line['due'][:10]}")
    say(f"snapshot at size {found['size']:,}, digest {found['digest']}", "dim")
    cells = [
        (each["section"], each["title"], f"{each['count']:,}", "yes" if each["done"] else "no", each["waiting"])
        for each in found["sections"]
    ]
    print_rows(SECTIONS, "waiting for", cells)
    for each in found["signatures"]:
        late = f", late: {each['reason']}" if each["late"] else ""
        say(f"{each['place']} signature by {each['name'] or each['person']} at {each['at'][:19]}{late}")
    for each in found["follow_ups"]:
        stands = "done" if each["done_at"] else f"due {each['due'][:10]}"
        say(f"{each['id']} ({stands}, {each['owner']}): {each['text'] or 'erased'}")


def _show_section(found: dict[str, Any]) -> None:
    section = found["section"]
    say(f"{section['title']}: {section['count']:,} found, digest {section['digest']}")
    if section["query"]:
        say(section["query"], "dim")
    if section["items"]:
        cells = [(each["item"], _verdict(each), _facts(each["facts"])) for each in section["items"]]
        print_rows(ITEMS, "facts", cells)
    rows = [
        (str(each["index"]), each["received_at"][:19], each["action"], each["actor"], each["target"], each["message"])
        for each in found["rows"]
    ]
    print_rows(ROWS, "what", rows)
    for each in section["marks"]:
        own = f", but for {each['own']} about herself" if each["own"] else ""
        say(f"{each['name'] or each['person']}: {each['verdict']}{own} {each['note'] or ''}")


def _verdict(item: dict[str, Any]) -> str:
    return item["marks"][-1]["verdict"] if item["marks"] else ""


def _facts(facts: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items() if name not in _NOT_FACTS and value)


def _say_standing(found: dict[str, Any], section: str) -> None:
    stands = next(each for each in found["sections"] if each["section"] == section)
    say(f"{section}: {'done' if stands['done'] else stands['waiting']}")


def _seen(client: Client, review: str, digest: str | None) -> str:
    """Return the digest that was seen: the one given, or the present one."""
    return digest or str(client.ask("GET", _path(review))["digest"])


def _line(each: dict[str, Any]) -> tuple[str, ...]:
    return each["id"], *named(each), each["period"], each["scope"], each["state"]


def _path(review: str) -> str:
    return f"{ROUTE}/{quote(review, safe='')}"
