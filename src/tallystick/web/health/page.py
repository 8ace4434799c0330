"""The route of the health page."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency

from tallystick.api.services import Services
from tallystick.web.caller import person
from tallystick.web.page import render


@get("/health", sync_to_thread=True)
def health_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[bytes]:
    """Return one verdict and what it rests on. The look is recorded."""
    view = services.health.look(person(request, services))
    return render(request, services, "health/page.html", view, title="Health")
