"""Reading events: pages, one event, its proof, facets, histogram, exports, and disclosures for verification."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency, Provide
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import PathParameter, QueryParameter
from litestar.response import Stream

from tallystick.access.scopes import parse_scope
from tallystick.api.openapi import FILES, PROBLEMS
from tallystick.api.services import Services, reader_of
from tallystick.event.disclosure import format_disclosure
from tallystick.evidence.prove import prove_event
from tallystick.ledger.errors import NotCommittedError
from tallystick.search.errors import EventNotFoundError
from tallystick.search.export import FORMATS, export_events
from tallystick.search.model import Facets, Histogram, Incomplete, Page, Search
from tallystick.search.render import row_json

_QUESTION: Final = ("query", "from", "to", "scope", "reading")
_INDEX_DIGITS_MAX: Final = 20
_NDJSON: Final = "application/x-ndjson"
LIMIT: Final = 100
NEXT_AFTER: Final = "tallystick-next-after"
_DISCLOSED_STEP: Final = 250
_DISCLOSED_BYTES: Final = 16 << 20
"""Of disclosures in one answer, but for the last step."""

Query = Annotated[
    str, QueryParameter(name="query", description="What to look for, in the query language; empty is everything.")
]
From = Annotated[
    str | None, QueryParameter(name="from", description="Earliest occurred_at: RFC 3339, or relative (-7d).")
]
To = Annotated[str | None, QueryParameter(name="to", description="Latest occurred_at; 2026-03-01 means the whole day.")]
Scope = Annotated[str | None, QueryParameter(name="scope", description="Only this scope and what lies below it.")]
Reading = Annotated[bool, QueryParameter(name="reading", description="Include the events that record reading.")]
EventId = Annotated[str, PathParameter(description="The id of an event (a UUID), or its index.")]
Limit = Annotated[int, QueryParameter(name="limit", ge=1, le=1000, description="Most rows in one answer.")]


def question(
    text: Query = "", start: From = None, end: To = None, below: Scope = None, reading: Reading = False
) -> Search:
    """Return the question that the parameters ask, the same for every route that searches."""
    scope = None if below is None else parse_scope(below)
    return Search(text=text, start=start, end=end, scope=scope, reading=reading)


_ASKING: Final = {"search": Provide(question, sync_to_thread=False)}


class CountView(msgspec.Struct, frozen=True, kw_only=True):
    """How many events match: exactly, or at least so many."""

    value: int
    exact: bool


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """One event as the caller may see it. `event` has the members that were sent, normalised."""

    index: int
    id: str
    received_at: str
    source: str
    class_: str = msgspec.field(name="class")
    message: str
    withheld: bool
    erased: bool
    undeclared: bool
    event: dict[str, Any]


class PageView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of events. With `after_index` they come oldest first and `last_index` says where to go on; otherwise newest
    first, and `next_cursor` leads to the next page.
    """

    events: list[EventView]
    count: CountView | None = None
    next_cursor: str | None = None
    last_index: int | None = None
    caught_up: bool | None = None
    pinned_size: int | None = None
    out_of_time: bool = False
    incomplete: list[Incomplete] = []


@get(
    "/api/v1/events",
    sync_to_thread=True,
    dependencies=_ASKING,
    opt={"parameters": (*_QUESTION, "limit", "cursor", "after_index")},
    responses={200: ResponseSpec(PageView, description="A page of events.")},
    summary="Search events",
    tags=["events"],
)
def events(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    search: NamedDependency[Search],
    limit: Limit = LIMIT,
    cursor: Annotated[str | None, QueryParameter(name="cursor", description="From the page before.")] = None,
    after_index: Annotated[
        int | None,
        QueryParameter(name="after_index", ge=-1, description="For collectors: events above it, oldest first."),
    ] = None,
) -> Response[bytes]:
    """Return the events that match, newest first; with `after_index` oldest first. The reading is recorded."""
    caller = reader_of(request, services)
    if after_index is not None:
        pull = services.search.after_index(search, caller, after_index, limit=limit, session=caller.address)
        rows = b",".join(map(row_json, pull.rows))
        rest = {"last_index": pull.next_after, "caught_up": pull.caught_up, "incomplete": pull.incomplete}
        return _page(rows, rest)
    return _newest(services.search.search(search, caller, cursor=cursor, limit=limit))


@get(
    "/api/v1/events/{event_id:str}",
    sync_to_thread=True,
    opt={PROBLEMS: {404: EventNotFoundError.code}},
    responses={200: ResponseSpec(EventView, description="The event.")},
    summary="One event",
    tags=["events"],
)
def event(request: Request[Any, Any, Any], services: NamedDependency[Services], event_id: EventId) -> Response[bytes]:
    """Return one event by id or index. The reading is recorded."""
    return Response(
        row_json(services.search.get(_id_or_index(event_id), reader_of(request, services))),
        media_type="application/json",
    )


@get(
    "/api/v1/events/{event_id:str}/proof",
    sync_to_thread=True,
    opt={PROBLEMS: {404: EventNotFoundError.code, 503: NotCommittedError.code}},
    media_type="text/plain",
    summary="Proof of an event",
    tags=["events"],
)
def proof(request: Request[Any, Any, Any], services: NamedDependency[Services], event_id: EventId) -> Response[bytes]:
    """Return a C2SP tlog-proof whose extra data discloses the event. The download is recorded."""
    caller, wanted = reader_of(request, services), _id_or_index(event_id)
    disclosure, row = services.search.disclose(wanted, caller)
    made = prove_event(services.ledger, disclosure)
    services.recorder.proof_downloaded(caller, row)
    headers = {"content-disposition": f'attachment; filename="{row.id}.tlog-proof"'}
    return Response(made, media_type="text/plain", headers=headers)


@get(
    "/api/v1/events/{event_id:str}/readers",
    sync_to_thread=True,
    opt={PROBLEMS: {404: EventNotFoundError.code}, "parameters": ("limit", "cursor")},
    responses={200: ResponseSpec(PageView, description="Events that record reading.")},
    summary="Who read an event",
    tags=["events"],
)
def readers(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    event_id: EventId,
    limit: Limit = LIMIT,
    cursor: Annotated[str | None, QueryParameter(name="cursor", description="From the page before.")] = None,
) -> Response[bytes]:
    """Return the events that record who read an event, newest first: who opened or proved it, and whose searches,
    exports and pulls since then found something in a scope that holds it. Needs `reading.read` in the event's scope;
    readings recorded in scopes that the caller may not read are left out.
    """
    caller = reader_of(request, services)
    return _newest(services.search.who_read(_id_or_index(event_id), caller, cursor=cursor, limit=limit))


@get(
    "/api/v1/facets",
    sync_to_thread=True,
    dependencies=_ASKING,
    opt={"parameters": _QUESTION},
    summary="Counts by value",
    tags=["events"],
)
def facets(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    search: NamedDependency[Search],
) -> Facets:
    """Return the most frequent values of each field among the events that match. The reading is recorded."""
    return services.search.facets(search, reader_of(request, services))


@get(
    "/api/v1/histogram",
    sync_to_thread=True,
    dependencies=_ASKING,
    opt={"parameters": _QUESTION},
    summary="Counts over time",
    tags=["events"],
)
def histogram(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    search: NamedDependency[Search],
) -> Histogram:
    """Return how many events match over time. The reading is recorded."""
    return services.search.histogram(search, reader_of(request, services))


@get(
    "/api/v1/export",
    sync_to_thread=True,
    dependencies=_ASKING,
    opt={"parameters": (*_QUESTION, "format"), FILES: tuple(FORMATS.values())},
    summary="Export events",
    tags=["events"],
)
def export(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    search: NamedDependency[Search],
    file_format: Annotated[str, QueryParameter(name="format", description="csv, jsonl or parquet.")] = "jsonl",
) -> Stream:
    """Stream every event that matches, without a limit; the file says which query, range, count and checkpoint it holds.

    The export is recorded before its first byte.
    """
    caller = reader_of(request, services)
    chunks = export_events(services.search, services.ledger, search, caller, file_format)
    headers = {"content-disposition": f'attachment; filename="events.{file_format}"'}
    return Stream(chunks, media_type=FORMATS[file_format], headers=headers)


@get(
    "/api/v1/disclosures",
    sync_to_thread=True,
    opt={"parameters": ("after_index", "limit")},
    media_type=_NDJSON,
    summary="Disclosures, for verification",
    tags=["log"],
)
def disclosures(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    after_index: Annotated[
        int, QueryParameter(name="after_index", ge=-1, description="Where to go on: only events above it.")
    ] = -1,
    limit: Annotated[
        int, QueryParameter(name="limit", ge=1, le=10_000, description="Most events in one answer.")
    ] = 1000,
) -> Response[bytes]:
    """Return the exact bytes and salts of the events above an index, one disclosure a line, as far as the caller may
    read. The header `tallystick-next-after` says up to which index all were looked at; an answer ends early when it
    grows large. The reading is recorded.
    """
    caller = reader_of(request, services)
    lines: list[bytes] = []
    size = 0
    while limit and size < _DISCLOSED_BYTES:
        step = min(limit, _DISCLOSED_STEP)
        found, after_index = services.search.disclosures_after(caller, after_index, step)
        lines += [format_disclosure(each) + b"\n" for each in found]
        size += sum(map(len, lines[len(lines) - len(found) :]))
        limit -= step
        if len(found) < step:
            break
    return Response(b"".join(lines), media_type=_NDJSON, headers={NEXT_AFTER: str(after_index)})


def _id_or_index(text: str) -> str | int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < _INDEX_DIGITS_MAX else text


def _newest(page: Page) -> Response[bytes]:
    rest = {
        "count": CountView(value=page.count, exact=page.count_exact),
        "next_cursor": page.next_cursor,
        "pinned_size": page.pinned_size,
        "out_of_time": page.out_of_time,
        "incomplete": page.incomplete,
    }
    return _page(b",".join(map(row_json, page.rows)), rest)


def _page(rows: bytes, rest: dict[str, Any]) -> Response[bytes]:
    tail = msgspec.json.encode({name: value for name, value in rest.items() if value is not None})
    comma = b"," if len(tail) > 2 else b""
    return Response(b'{"events":[' + rows + b"]" + comma + tail[1:], media_type="application/json")
