"""Routes of the timelines."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter

from tallystick.api.problem import Problem, problem_of
from tallystick.api.services import Services
from tallystick.errors import InvalidInputError
from tallystick.query.errors import PersonalWithheldError
from tallystick.query.model import Equals, FieldRef, Term
from tallystick.query.writer import format_query
from tallystick.search.model import Row, Search
from tallystick.web.events.columns import actor_values, target_values
from tallystick.web.events.pages import reader
from tallystick.web.events.question import Asked
from tallystick.web.events.table import timeline_of
from tallystick.web.page import render
from tallystick.web.present import day

ROWS: Final = 200
Cursor = Annotated[str, QueryParameter(name="cursor", description="From the page of later events.")]


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was part of an event, and its own timeline; an empty address for the one that is shown."""

    text: str
    href: str


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One event in a timeline."""

    index: int
    id: str
    occurred_at: str
    message: str
    action: str
    outcome: str
    actor: tuple[Link, ...]
    targets: tuple[Link, ...]
    request: Link | None
    reason: str
    changes: tuple[dict[str, Any], ...]
    withheld: bool
    erased: bool


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """The events of one day, in UTC, in the order in which they happened."""

    day: str
    moments: tuple[Moment, ...]


class TimelineView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one thing that the caller may read; `earlier` leads to what happened before."""

    kind: str
    name: str
    days: tuple[Day, ...]
    count: int
    count_exact: bool
    earlier: str
    newest: str
    search: str
    problem: Problem | None = None


@get("/timeline/actor/{actor_id:path}", sync_to_thread=True, opt={"parameters": ("cursor",)})
def actor_timeline(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    actor_id: Annotated[str, PathParameter(description="Id or pseudonym key of an actor.")],
    cursor: Cursor = "",
) -> Response[bytes]:
    """Return what an actor did."""
    name = actor_id.strip("/")
    return _timeline(request, services, "actor", name, [("actor", name)], timeline_of("actor", name), cursor)


@get("/timeline/target/{target_type:str}/{target_id:path}", sync_to_thread=True, opt={"parameters": ("cursor",)})
def target_timeline(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    target_type: Annotated[str, PathParameter(description="Type of a target.")],
    target_id: Annotated[str, PathParameter(description="Id or pseudonym key of a target.")],
    cursor: Cursor = "",
) -> Response[bytes]:
    """Return what was done to a target."""
    name = target_id.strip("/")
    asked = [("target.type", target_type), ("target", name)]
    return _timeline(request, services, target_type, name, asked, timeline_of("target", target_type, name), cursor)


@get("/timeline/request/{request_id:path}", sync_to_thread=True, opt={"parameters": ("cursor",)})
def request_timeline(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    request_id: Annotated[str, PathParameter(description="Id of a request.")],
    cursor: Cursor = "",
) -> Response[bytes]:
    """Return what one request caused, across sources."""
    name = request_id.strip("/")
    return _timeline(request, services, "request", name, [("request_id", name)], timeline_of("request", name), cursor)


def _timeline(
    request: Request[Any, Any, Any],
    services: Services,
    kind: str,
    name: str,
    terms: list[tuple[str, str]],
    here: str,
    cursor: str,
) -> Response[bytes]:
    """Return the newest events of a thing, and let what came before follow page by page."""
    caller = reader(request, services)
    text = " ".join(format_query(Term(FieldRef(field), Equals(value))) for field, value in terms)
    view = TimelineView(
        kind=kind,
        name=name,
        days=(),
        count=0,
        count_exact=True,
        earlier="",
        newest=here if cursor else "",
        search=Asked(q=text).link(),
    )
    title = f"Timeline of {kind} {name[:80]}"
    try:
        page = services.search.search(Search(text=text), caller, cursor=cursor or None, limit=ROWS)
    except (InvalidInputError, PersonalWithheldError) as error:
        problem = problem_of(error)
        refused = msgspec.structs.replace(view, problem=problem)
        return render(request, services, "timeline/page.html", refused, title=title, status=problem.status)
    moments = sorted((_moment(row, here) for row in page.rows), key=lambda each: (each.occurred_at, each.index))
    view = msgspec.structs.replace(
        view,
        days=tuple(
            Day(day=found, moments=tuple(those))
            for found, those in groupby(moments, lambda each: day(each.occurred_at))
        ),
        count=page.count,
        count_exact=page.count_exact,
        earlier=f"{here}?cursor={page.next_cursor}" if page.next_cursor else "",
    )
    return render(request, services, "timeline/page.html", view, title=title)


def _moment(row: Row, here: str) -> Moment:
    event = row.event
    actor = event.get("actor", {})
    request_id = str(event.get("context", {}).get("request_id", ""))
    actors = [(value.text, timeline_of("actor", value.title)) for value in actor_values(event)]
    targets = [
        (value.text, timeline_of("target", str(target.get("type", "")), value.title))
        for value, target in zip(target_values(event), event.get("targets", ()), strict=True)
    ]
    asked = (request_id, timeline_of("request", request_id))
    return Moment(
        index=row.index,
        id=row.id,
        occurred_at=event["occurred_at"],
        message=row.message,
        action=event["action"],
        outcome=event.get("outcome", ""),
        actor=tuple(_links(actors, here)) if actor else (),
        targets=tuple(_links(targets, here)),
        request=next(_links([asked], here)) if request_id else None,
        reason=str(event.get("reason", "")),
        changes=tuple(event.get("changes", ())),
        withheld=row.withheld,
        erased=row.erased,
    )


def _links(found: list[tuple[str, str]], here: str) -> Iterator[Link]:
    return (Link(text=text, href="" if href == here else href) for text, href in found)
