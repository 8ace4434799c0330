"""`tallystick streams`: where events are streamed to, how each destination does, and what it refused."""

from __future__ import annotations

import os
from typing import Annotated, Any
from urllib.parse import quote

import typer

from tallystick.cli.connect import connect
from tallystick.cli.console import plain, print_json, say
from tallystick.cli.options import Data, Json, State, Url
from tallystick.cli.table import Column, print_table
from tallystick.errors import InvalidInputError

ROUTE = "/api/v1/streams"
HEADINGS = ("id", "name", "address", "scope", "state", "behind", "set aside", "last success", "last error")

app = typer.Typer(help="Streams: destinations that events are sent to as they are recorded.", no_args_is_help=True)
secret = typer.Typer(help="The signing secret of a destination.", no_args_is_help=True)
app.add_typer(secret, name="secret")

Stream = Annotated[str, typer.Argument(help="Id of the destination.")]
Address = Annotated[str | None, typer.Option("--to", help="Address to send to, over https.")]
Name = Annotated[str | None, typer.Option("--name", help="What people call it.")]
Form = Annotated[str | None, typer.Option("--format", help="standard (Standard Webhooks) or gitlab.")]
Scope = Annotated[str | None, typer.Option("--scope", help="Whose events, with all below it; / is everything.")]
Query = Annotated[str | None, typer.Option("--query", help="Which events, as in a search.")]
Personal = Annotated[bool | None, typer.Option("--personal/--facts-only", help="With personal data; you grant it.")]
Reading = Annotated[bool | None, typer.Option("--reading/--no-reading", help="With the record of who read what.")]
Batch = Annotated[int | None, typer.Option("--batch", min=1, max=1000, help="Events that one request may carry.")]
Header = Annotated[
    list[str] | None,
    typer.Option("--header", help="NAME=VARIABLE: a header whose value stands in that environment variable; repeat."),
]


class HeaderOptionError(InvalidInputError):
    """A header of a destination is not given as a name and an environment variable that is set."""

    code = "stream-header-option"
    advice = "Write it as NAME=VARIABLE; a value on the command line could be seen by every user of the machine."


@app.command("list")
def list_streams(data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """List the destinations, with how each one does."""
    with connect(data, state, url) as client:
        found = client.ask("GET", ROUTE)["streams"]
    if as_json:
        for each in found:
            print_json(each)
        return
    rows = [[plain(cell) for cell in _cells(each)] for each in found]
    print_table([Column(heading, folds=heading == "address") for heading in HEADINGS], rows)


@app.command()
def create(
    to: Annotated[str, typer.Argument(help="Address to send to, over https.")],
    name: Annotated[str, typer.Option("--name", help="What people call it.")],
    form: Form = None,
    scope: Scope = None,
    query: Query = None,
    personal: Personal = None,
    reading: Reading = None,
    batch: Batch = None,
    header: Header = None,
    from_index: Annotated[
        int | None, typer.Option("--from", min=0, help="Index to begin with; without it, what comes next.")
    ] = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Begin to stream to an address, and print its secrets for the only time."""
    wanted = _settings(name, to, form, scope, query, personal, reading, batch, header)
    if from_index is not None:
        wanted["from_index"] = from_index
    with connect(data, state, url) as client:
        _print_one(client.ask("POST", ROUTE, wanted), as_json=as_json)
    say("the receiver checks each request with the signing secret; it is not shown again", "dim")


@app.command()
def show(stream: Stream, data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """Show one destination."""
    with connect(data, state, url) as client:
        _print_one(client.ask("GET", _path(stream)), as_json=as_json)


@app.command()
def change(
    stream: Stream,
    name: Name = None,
    to: Address = None,
    form: Form = None,
    scope: Scope = None,
    query: Query = None,
    personal: Personal = None,
    reading: Reading = None,
    batch: Batch = None,
    header: Header = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Change a destination for events from now on; what is not given stays. Headers are replaced as a whole."""
    wanted = _settings(name, to, form, scope, query, personal, reading, batch, header)
    with connect(data, state, url) as client:
        _print_one(client.ask("PATCH", _path(stream), wanted), as_json=as_json)


@app.command()
def pause(stream: Stream, data: Data = None, state: State = None, url: Url = None) -> None:
    """Send nothing that is recorded from now on; nothing is lost."""
    _post(stream, "pause", None, data, state, url)
    say(f"{stream} is paused")


@app.command()
def resume(stream: Stream, data: Data = None, state: State = None, url: Url = None) -> None:
    """Go on where the destination was paused."""
    _post(stream, "resume", None, data, state, url)
    say(f"{stream} goes on where it was paused")


@app.command("test")
def send_test(stream: Stream, data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """Send a request that holds no event, and print what came of it."""
    _print_one(_post(stream, "test", None, data, state, url), as_json=as_json)


@secret.command()
def rotate(
    stream: Stream,
    overlap: Annotated[int, typer.Option("--overlap", min=0, help="Seconds in which both secrets sign.")] = 86_400,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Make a new signing secret, and print it for the only time."""
    _print_one(_post(stream, "rotate", {"overlap_s": overlap}, data, state, url), as_json=as_json)


@app.command()
def backfill(
    stream: Stream,
    from_index: Annotated[int, typer.Option("--from", min=0, help="Index from which everything is sent again.")],
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Send again everything from an index on that the destination asks for now."""
    _post(stream, "backfill", {"from_index": from_index}, data, state, url)
    say(f"{stream} gets everything from index {from_index:,} on again")


@app.command("dead-letters")
def dead_letters(
    stream: Stream, data: Data = None, state: State = None, url: Url = None, as_json: Json = False
) -> None:
    """List the events that the destination refused again and again, with the reasons."""
    with connect(data, state, url) as client:
        found = client.ask("GET", f"{_path(stream)}/letters")["letters"]
    if as_json:
        for each in found:
            print_json(each)
        return
    rows = [
        [plain(str(cell)) for cell in (each["index"], each["at"][:19], each["tries"], each["reason"])] for each in found
    ]
    print_table([Column("index"), Column("when"), Column("tries"), Column("why", folds=True)], rows)


@app.command()
def replay(
    stream: Stream,
    index: Annotated[int | None, typer.Option("--index", min=0, help="Which event; without it, all of them.")] = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Send again what the destination had refused."""
    done = _post(stream, "replay", {"index": index}, data, state, url)
    say(f"{done['replayed']} sent again")


@app.command()
def delete(stream: Stream, data: Data = None, state: State = None, url: Url = None) -> None:
    """End a destination for ever; it still gets what it is due, the event of its end last."""
    _post(stream, "delete", None, data, state, url)
    say(f"{stream} is deleted")


def _post(stream: str, verb: str, body: dict[str, Any] | None, data: Data, state: State, url: Url) -> Any:
    with connect(data, state, url) as client:
        return client.ask("POST", f"{_path(stream)}/{verb}", body)


def _path(stream: str) -> str:
    return f"{ROUTE}/{quote(stream, safe='')}"


def _settings(
    name: str | None,
    to: str | None,
    form: str | None,
    scope: str | None,
    query: str | None,
    personal: bool | None,
    reading: bool | None,
    batch: int | None,
    header: list[str] | None,
) -> dict[str, Any]:
    """Return the settings that were given, as the API takes them."""
    given = {
        "name": name,
        "url": to,
        "format": form,
        "scope": scope,
        "query": query,
        "personal": personal,
        "reading": reading,
        "batch": batch,
        "headers": None if header is None else dict(map(_header, header)),
    }
    return {name: value for name, value in given.items() if value is not None}


def _header(text: str) -> tuple[str, str]:
    name, _, variable = text.partition("=")
    value = os.environ.get(variable)
    if not name or value is None:
        raise HeaderOptionError(f"the header {name!r} names no variable that is set")
    return name, value


def _cells(each: dict[str, Any]) -> tuple[str, ...]:
    standing = each["standing"]
    return (
        each["id"],
        each["name"] or "",
        each["url"],
        each["scope"],
        each["state"],
        f"{standing['lag']:,}",
        f"{standing['letters']:,}",
        (standing["last_success"] or "")[:19],
        (standing["last_error"] or "")[:19],
    )


def _print_one(each: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(each)
        return
    flat = {**each, **each.get("standing", {})}
    flat.pop("standing", None)
    rows = [(plain(name, "dim"), plain(value)) for name, value in flat.items()]
    print_table((Column(), Column(folds=True)), rows, header=False)
