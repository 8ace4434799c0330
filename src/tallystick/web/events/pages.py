"""Routes of the events page: the table, the counts beside it, and one row opened."""

from __future__ import annotations

import time
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import PathParameter

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.api.problem import problem_of
from tallystick.api.services import Services
from tallystick.errors import InvalidInputError, TallystickError
from tallystick.query.errors import PersonalWithheldError
from tallystick.search.model import Page
from tallystick.web.caller import person, require
from tallystick.web.error_page import mark_place
from tallystick.web.events.chips import chips_of
from tallystick.web.events.nothing import explain_nothing
from tallystick.web.events.overview import OverviewView, make_overview_view
from tallystick.web.events.question import ASKED, PARAMETERS, Asked
from tallystick.web.events.saved import saved_views
from tallystick.web.events.table import make_choices, make_columns, make_more, make_rows
from tallystick.web.events.view import EventsView
from tallystick.web.events.window import window_of
from tallystick.web.exports.formats import export_formats
from tallystick.web.page import render

ROWS: Final = 100
#: A log of up to so many entries is counted together with the page; the counts of a larger one come after it.
COUNTED_AT_ONCE: Final = 20_000
_PRODUCT: Final = "tallystick"


@get("/events", sync_to_thread=True, dependencies=ASKED, opt={"parameters": PARAMETERS})
def events_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], asked: NamedDependency[Asked]
) -> Response[bytes]:
    """Return a page of events that match, newest first."""
    caller = reader(request, services)
    started = time.perf_counter()
    try:
        columns = asked.columns()
        page = services.search.search(asked.search(), caller, cursor=asked.cursor or None, limit=ROWS)
    except (InvalidInputError, PersonalWithheldError) as error:
        return _refused(request, services, asked, caller, error)
    took_ms = round((time.perf_counter() - started) * 1000)
    now_us = services.ledger.status().now
    view = msgspec.structs.replace(
        _empty_view(services, asked, caller, now_us),
        columns=make_columns(asked.first_page(), columns),
        choices=make_choices(asked.first_page(), columns),
        rows=make_rows(asked, columns, page.rows),
        count=page.count,
        count_exact=page.count_exact,
        took_ms=took_ms,
        out_of_time=page.out_of_time,
        incomplete=page.incomplete,
        fact_only=page.fact_only,
        older=asked.link(cursor=page.next_cursor) if page.next_cursor else "",
        pinned_size=page.pinned_size,
        stream_url=_stream_url(asked, page) if asked.live else "",
        first_run=_first_run(request, asked, caller, page),
        overview=_overview(services, caller, asked, now_us) if _counts_at_once(services, asked) else None,
        nothing=None if page.rows or page.next_cursor else explain_nothing(services, caller, asked, now_us),
    )
    return render(request, services, "events/page.html", view, title="Events", fragment="events/results.html")


@get("/events/overview", sync_to_thread=True, dependencies=ASKED, opt={"parameters": PARAMETERS})
def overview_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], asked: NamedDependency[Asked]
) -> Response[bytes]:
    """Return the counts of a question over time and by value."""
    caller = reader(request, services)
    view = _overview(services, caller, asked, services.ledger.status().now)
    return render(request, services, "events/overview_page.html", view, title="Counts", fragment="events/overview.html")


@get("/events/{event_id:str}/row", sync_to_thread=True, dependencies=ASKED, opt={"parameters": PARAMETERS})
def row_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    asked: NamedDependency[Asked],
    event_id: Annotated[str, PathParameter(description="The id of an event.")],
) -> Response[bytes]:
    """Return one event with every field, as it opens within the table. The view is recorded."""
    caller = reader(request, services)
    row = services.search.get(event_id, caller)
    view = make_more(asked, row, len(asked.columns()) + 1)
    return render(request, services, "events/row_page.html", view, title=row.message, fragment="events/row.html")


def reader(request: Request[Any, Any, Any], services: Services) -> Caller:
    """Return who looks, allowed to read some events at least."""
    caller = person(request, services)
    if not caller.rights.anywhere(Permission.EVENTS_READ_OWN):
        require(caller, Permission.EVENTS_READ)
    return caller


def _empty_view(services: Services, asked: Asked, caller: Caller, now_us: int) -> EventsView:
    return EventsView(
        asked=asked,
        window=window_of(asked, now_us),
        chips=chips_of(asked, now_us),
        clear=asked.link(q="", start="", end="", scope="", reading=False),
        columns=(),
        choices=(),
        rows=(),
        count=0,
        count_exact=True,
        took_ms=0,
        out_of_time=False,
        incomplete=(),
        fact_only=(),
        newest=asked.link() if asked.cursor else "",
        older="",
        pinned_size=0,
        overview_url=asked.link("/events/overview"),
        overview_here=asked.link(cursor=asked.cursor, overview=True),
        live_url=asked.link(live=True),
        stop_url=asked.link(),
        stream_url="",
        with_readings=asked.link(reading=not asked.reading),
        export_formats=export_formats(services, caller),
        saved=saved_views(services, caller, asked),
    )


def _refused(
    request: Request[Any, Any, Any], services: Services, asked: Asked, caller: Caller, error: TallystickError
) -> Response[bytes]:
    """Answer a question that cannot be asked so: with what was typed, and the place where it fails."""
    problem = problem_of(error)
    before, at, after = mark_place(asked.q, problem)
    view = msgspec.structs.replace(
        _empty_view(services, asked, caller, services.ledger.status().now),
        problem=problem,
        before=before,
        at=at,
        after=after,
    )
    return render(
        request,
        services,
        "events/page.html",
        view,
        title="Events",
        status=problem.status,
        fragment="events/results.html",
    )


def _overview(services: Services, caller: Caller, asked: Asked, now_us: int) -> OverviewView:
    facets, histogram = services.search.overview(asked.search(), caller)
    return make_overview_view(asked, facets, histogram, now_us)


def _counts_at_once(services: Services, asked: Asked) -> bool:
    return asked.overview or services.ledger.status().acknowledged.size <= COUNTED_AT_ONCE


def _stream_url(asked: Asked, page: Page) -> str:
    url = asked.link("/events/live")
    return f"{url}{'&' if '?' in url else '?'}after={page.pinned_size - 1}"


def _first_run(request: Request[Any, Any, Any], asked: Asked, caller: Caller, page: Page) -> str:
    """Return the address to send the first event to, as long as nobody but the product itself ever sent one."""
    sees_all = "" in caller.read_scopes  # who sees a part only cannot tell, and is not told
    if not sees_all or not asked.is_everything or page.next_cursor or any(row.source != _PRODUCT for row in page.rows):
        return ""
    host, port = request.scope.get("server") or ("127.0.0.1", 8400)
    return f"{request.url.scheme}://{f'[{host}]' if ':' in host else host}:{port}"
