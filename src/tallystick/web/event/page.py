"""Routes of one event: its page, its proof as a file, and the readers of it."""

from __future__ import annotations

from typing import Annotated, Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.api.services import Services
from tallystick.evidence.panel import entry_at, make_panel
from tallystick.evidence.prove import prove_event
from tallystick.search.errors import EventNotFoundError
from tallystick.web.event.view import GonePage, make_event_page
from tallystick.web.events.pages import reader
from tallystick.web.headers import page_response
from tallystick.web.page import render

_INDEX_DIGITS_MAX: Final = 19
EventId = Annotated[str, PathParameter(description="The id of an event, or its index.")]


@get("/events/{event_id:str}", sync_to_thread=True, opt={"parameters": ("show",)})
def event_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    event_id: EventId,
    show: Annotated[str, QueryParameter(name="show", description="changes, fields, json, bytes or raw.")] = "",
) -> Response[bytes]:
    """Return one event, and beside it its proof. The view is recorded."""
    caller = reader(request, services)
    try:
        disclosure, row = services.search.open(_id_or_index(event_id), caller)
    except EventNotFoundError:
        gone = _gone(services, caller, event_id)
        if gone is None:
            raise
        return render(request, services, "event/gone.html", gone, title=f"Entry {gone.index}")
    scope = row.event["scope"]
    view = make_event_page(
        row,
        disclosure,
        make_panel(services.ledger, disclosure),
        tab=show,
        erasure=services.log.erasure_of(row.index) if row.erased else None,
        can_prove=caller.rights.allows(Permission.PROOFS_READ, scope),
        can_see_readers=caller.rights.allows(Permission.READING_READ, scope),
        now=services.ledger.status().now,
    )
    return render(request, services, "event/page.html", view, title=row.message)


@get("/events/{event_id:str}/proof", sync_to_thread=True)
def proof_file(
    request: Request[Any, Any, Any], services: NamedDependency[Services], event_id: EventId
) -> Response[bytes]:
    """Return the proof of an event as a file that anybody can check. The download is recorded."""
    caller = reader(request, services)
    disclosure, row = services.search.disclose(_id_or_index(event_id), caller)
    made = prove_event(services.ledger, disclosure)
    services.recorder.proof_downloaded(caller, row)
    headers = {"content-disposition": f'attachment; filename="{row.id}.tlog-proof"'}
    return page_response(request, made, media_type="text/plain", headers=headers)


def _gone(services: Services, caller: Caller, event_id: str) -> GonePage | None:
    """Return what is left of an erased index, for who may read everything: of others it is not said what was there."""
    index = _id_or_index(event_id)
    if not isinstance(index, int) or not caller.rights.allows(Permission.EVENTS_READ, ""):
        return None
    erasure, entry = services.log.erasure_of(index), entry_at(services.ledger, index)
    return None if erasure is None or entry is None else GonePage(index=index, entry=entry, erasure=erasure)


def _id_or_index(text: str) -> str | int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _INDEX_DIGITS_MAX else text
