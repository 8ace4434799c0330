"""The address of the site itself."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get

from tallystick.web.caller import HOME
from tallystick.web.flash import see_other


@get("/", include_in_schema=False)
async def home(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Lead to the events."""
    return see_other(request, HOME)
