"""Route of the page that says who read an event."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, urlencode

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter

from tallystick.api.services import Services
from tallystick.search.model import Row
from tallystick.web.caller import person
from tallystick.web.page import render

_OPENED = frozenset({"event.viewed", "proof.downloaded"})


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One event that records reading. `surely` says that the event itself was opened, not only what lies around it."""

    id: str
    at: str
    who: str
    what: str
    via: str
    rows: int | None
    times: int
    surely: bool
    withheld: bool


class ReadersPage(msgspec.Struct, frozen=True, kw_only=True):
    """Who read an event, newest first; `search` asks the same in Events."""

    event_id: str
    readings: tuple[Reading, ...]
    count: int
    count_exact: bool
    older: str


@get("/events/{event_id:str}/readers", sync_to_thread=True, opt={"parameters": ("cursor",)})
def readers_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    event_id: Annotated[str, PathParameter(description="The id of an event, or its index.")],
    cursor: Annotated[str, QueryParameter(name="cursor", description="From the page before.")] = "",
) -> Response[bytes]:
    """Return who read an event. The look is recorded."""
    wanted = int(event_id) if event_id.isascii() and event_id.isdigit() and len(event_id) < 20 else event_id
    page = services.search.who_read(wanted, person(request, services), cursor=cursor or None)
    here = f"/events/{quote(event_id, safe='')}/readers"
    view = ReadersPage(
        event_id=event_id,
        readings=tuple(map(_reading, page.rows)),
        count=page.count,
        count_exact=page.count_exact,
        older=f"{here}?{urlencode({'cursor': page.next_cursor})}" if page.next_cursor else "",
    )
    return render(request, services, "exports/readers.html", view, title="Who read this")


def _reading(row: Row) -> Reading:
    event = row.event
    actor, metadata = event["actor"], event.get("metadata") or {}
    return Reading(
        id=row.id,
        at=event["occurred_at"],
        who=str(actor.get("name") or actor.get("id") or f"key {actor.get('key', '?')}"),
        what=row.message,
        via=str((event.get("context") or {}).get("auth_method", "")),
        rows=metadata.get("rows"),
        times=metadata.get("coalesced", 1),
        surely=event["action"] in _OPENED,
        withheld=row.withheld,
    )
