"""Commands that read: search, show, tail, export. Each reading is itself recorded."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from rich.text import Text

from tallystick.cli.connect import connect
from tallystick.cli.console import PIPED, WIDE, out, plain, print_json, say
from tallystick.cli.files import FileUnusableError, new_file
from tallystick.cli.options import Data, From, Json, Quiet, State, To, Url
from tallystick.cli.table import Column, print_table

PAGE_EVENTS_MAX = 1000
TAIL_PAUSE_S = 1.0
NAME_WIDTH = 26
OUTCOME_STYLES = {"failure": "red", "denied": "yellow"}
SEVERITY_STYLES = {"high": "bold", "critical": "bold red"}

Query = Annotated[str, typer.Argument(help="What to look for; empty is everything.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the tree."""
    for command in (search, show, tail, export):
        app.command()(command)


def search(
    query: Query = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Most rows to print.")] = 50,
    since: From = None,
    until: To = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Print the newest events that match, newest first."""
    printed = 0
    with connect(data, state, url) as client:
        table = _EventTable()
        cursor: str | None = None
        unread: dict[int, dict[str, Any]] = {}
        while printed < limit:
            page = client.search(
                query, **{"from": since, "to": until, "limit": min(limit - printed, PAGE_EVENTS_MAX), "cursor": cursor}
            )
            for row in page["events"]:
                print_json(row) if as_json else table.add(row)
            printed += len(page["events"])
            cursor = page.get("next_cursor")
            for part in page.get("incomplete") or ():
                unread[part["first"]] = part
            if cursor is None or not (page["events"] or page.get("out_of_time")):
                break
        for part in unread.values():
            last = part["first"] + part["size"] - 1
            say(f"not searched: {part['first']}-{last} ({part['reason']}); `tallystick verify` says more", "yellow")
        if not as_json:
            table.print()
            say(_count(page, printed), "dim")


def show(
    event_id: Annotated[str, typer.Argument(metavar="ID", help="Id or index of the event.")],
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show one event with everything recorded about it."""
    with connect(data, state, url) as client:
        row = client.event(event_id)
    if as_json:
        print_json(row)
        return
    out.print(plain(row["message"], "bold"))
    about = {name: row.get(name) for name in ("id", "index", "received_at", "source", "class")}
    marks = {name: True for name in ("undeclared", "erased") if row.get(name)}
    everything = {**about, **marks, **row["event"]}
    rows = [line for name, value in everything.items() for line in _members(name, value)]
    print_table((Column(least=NAME_WIDTH), Column(folds=True)), rows, header=False)
    if row.get("withheld"):
        say("The personal part is withheld from you.", "yellow")


def tail(
    query: Query = "",
    after: Annotated[int | None, typer.Option("--after", help="Start behind this index instead of now.")] = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Print events as they arrive, until interrupted.

    Oldest first; events that record reading are left out, unless the query asks for them.
    """
    with connect(data, state, url) as client:
        last = after if after is not None else _newest(client.search("", limit=1))
        fresh = True
        while True:
            page = client.after(last, limit=PAGE_EVENTS_MAX, query=query)
            table = _EventTable(steady=True)
            for row in page["events"]:
                print_json(row) if as_json else table.add(row)
            table.print(header=fresh)
            fresh = fresh and not page["events"]
            sys.stdout.flush()
            last = max(last, page["last_index"])
            if not page["events"]:
                time.sleep(TAIL_PAUSE_S)


def export(
    query: Query = "",
    file_format: Annotated[str, typer.Option("--format", help="csv, jsonl or parquet.")] = "jsonl",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write; else standard output.")] = None,
    since: From = None,
    until: To = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    quiet: Quiet = False,
) -> None:
    """Write every event that matches to a file.

    The file says which query, range, count and checkpoint it holds.
    """
    if file_format == "parquet" and output is None and sys.stdout.isatty():
        raise FileUnusableError("a terminal cannot show Parquet", advice="Give -o FILE, or --format csv.")
    parameters: dict[str, Any] = {"format": file_format, "from": since, "to": until}
    written = 0
    with connect(data, state, url) as client, _sink(output) as sink, client.export(query, **parameters) as chunks:
        for chunk in chunks:
            sink.write(chunk)
            written += len(chunk)
    if not quiet and output is not None:
        say(f"wrote {written:,} bytes to {output}")


@contextmanager
def _sink(output: Path | None) -> Iterator[IO[bytes]]:
    """Yield where an export goes."""
    if output is None:
        yield sys.stdout.buffer
        return
    with new_file(output) as sink:
        yield sink


class _EventTable:
    """Rows of events. `index` is the short name by which `show` and `prove` find one too.

    A narrow terminal has the scope below what happened, so that neither is cut off.
    """

    def __init__(self, *, steady: bool = False) -> None:
        self._narrow = not PIPED and out.width < WIDE
        self._steady = steady
        self._rows: list[tuple[Text, ...]] = []

    def add(self, row: dict[str, Any]) -> None:
        event = row["event"]
        actor = event["actor"]
        outcome = event.get("outcome", "success")
        what = plain(row["message"], SEVERITY_STYLES.get(event.get("severity", ""), ""))
        if outcome != "success":
            what.append(f"  {outcome}", OUTCOME_STYLES.get(outcome, ""))
        scope = plain(event["scope"])
        if self._narrow:
            what = Text("\n").join((what, plain(event["scope"], "dim")))
        self._rows.append(
            (
                plain(str(row["index"]), "dim"),
                plain(event["occurred_at"][: 16 if self._narrow else 19].replace("T", " ")),
                plain(actor.get("name") or actor.get("id") or f"key {actor.get('key', '?')}"),
                what,
                *(() if self._narrow else (scope,)),
            )
        )

    def print(self, *, header: bool = True) -> None:
        actor, scope = (14, 0) if self._narrow else (24, 28)
        columns = [
            Column("index", right=True, least=7 * self._steady),
            Column("occurred (UTC)"),
            Column("actor", most=actor, least=actor * self._steady),
            Column("what", folds=True),
        ]
        if not self._narrow:
            columns.append(Column("scope", most=scope, least=scope * self._steady))
        print_table(columns, self._rows, header=header)


def _members(name: str, value: object) -> Iterator[tuple[Text, Text]]:
    """Yield everything below a member, each value beside the path that leads to it."""
    if isinstance(value, dict):
        for inner, inner_value in value.items():
            yield from _members(f"{name}.{inner}", inner_value)
    elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        for number, item in enumerate(value):
            yield from _members(f"{name}[{number}]", item)
    elif value is not None:
        yield plain(name, "dim"), plain(value)


def _newest(page: dict[str, Any]) -> int:
    return max((row["index"] for row in page["events"]), default=-1)


def _count(page: dict[str, Any], printed: int) -> str:
    count = page.get("count", {})
    total = f"{count.get('value', printed):,}" + ("" if count.get("exact", True) else "+")
    return f"{printed:,} of {total} events" if printed else "nothing matches"
