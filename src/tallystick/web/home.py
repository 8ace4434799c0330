"""The address of the site itself."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency

from tallystick.api.services import Services
from tallystick.web.caller import HOME, visitor
from tallystick.web.chrome import areas_of
from tallystick.web.flash import see_other

_OPEN_TO_ALL: Final = "/account"


@get("/", sync_to_thread=True)
def home(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[bytes]:
    """Lead to the first room that is open to whoever comes, and whoever may nothing yet to what says so."""
    caller = visitor(request, services)
    if caller is None:
        return see_other(request, HOME)
    areas = areas_of(caller, "/")
    return see_other(request, areas[0].path if areas else _OPEN_TO_ALL)
