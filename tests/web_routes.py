"""Every route that the application really has, for tests that must leave none out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import cast

from litestar.routes import HTTPRoute

from tallystick.api.services import Services
from tallystick.web.site import create_site

NEVER_THERE = "p-0000000000"
"""An id that nothing has, in the form that ids have."""


@dataclass(frozen=True, slots=True, order=True)
class Route:
    """A method and the pattern of a path, as the application registers them."""

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_page(self) -> bool:
        """Return whether it is for browsers: not the API, nor what machines ask for at the root."""
        return not self.path.startswith(
            ("/api/", "/static/", "/tile/", "/checkpoint", "/healthz", "/readyz", "/metrics")
        )

    def filled(self, **values: str) -> str:
        """Return a path: each place of the pattern has the value of its name, or an id that nothing has."""
        return re.sub(r"{(\w+):\w+}", lambda found: values.get(found[1], NEVER_THERE), self.path)


@cache
def routes() -> tuple[Route, ...]:
    """Return every route, in order; those that Litestar answers by itself (OPTIONS) are left out."""
    site = create_site(cast("Services", None))
    found = {
        Route(str(method), route.path)
        for route in site.routes
        if isinstance(route, HTTPRoute)
        for method, handler in route.route_handler_map.items()
        if str(method) not in {"OPTIONS", "HEAD"} and handler
    }
    return tuple(sorted(found))


def pages(method: str) -> list[Route]:
    """Return the routes for browsers that answer a method."""
    return [route for route in routes() if route.is_page and route.method == method]
