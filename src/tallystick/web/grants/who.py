"""Who could do something somewhere at a time, on a page."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency

from tallystick.access.permissions import Permission
from tallystick.access.scopes import parse_scope
from tallystick.api.grant_views import HolderView, holder_view
from tallystick.api.grants import parse_permission, parse_time
from tallystick.api.services import Services
from tallystick.event.occurred import time_of_us
from tallystick.web.caller import person
from tallystick.web.page import render


class HoldersPage(msgspec.Struct, frozen=True, kw_only=True):
    """Who could do something somewhere at a time."""

    permission: str
    scope: str
    at: str
    at_time: str
    permissions: list[str]
    holders: list[HolderView]


@get("/access/who", sync_to_thread=True, opt={"parameters": ("permission", "scope", "at")})
def holders_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[bytes]:
    """Return who could do something somewhere at a time, from the log alone."""
    caller, given = person(request, services), request.query_params
    asked = parse_permission(given.get("permission") or Permission.EVENTS_READ.value)
    scope, at = given.get("scope") or "/", given.get("at") or "now"
    at_us = parse_time(at, services, "/at")
    found = services.grants.who_could(caller, asked, parse_scope(scope), at_us)
    view = HoldersPage(
        permission=asked.value,
        scope=scope,
        at=at,
        at_time=time_of_us(at_us),
        permissions=[each.value for each in Permission],
        holders=[holder_view(each) for each in found],
    )
    return render(request, services, "grants/who.html", view, title="Who could")
