"""The whole application: the API with the pages before it."""

from __future__ import annotations

from litestar import Litestar

from tallystick.api.app import create_app
from tallystick.api.services import SERVICES, Services
from tallystick.web.error_page import error_page
from tallystick.web.events.live import LiveStreams
from tallystick.web.routes import PAGES
from tallystick.web.twin import TwinApp


def create_site(services: Services) -> Litestar:
    """Return the application over the services of one installation, with pages."""
    site = create_app(services, pages=PAGES, error_page=error_page, kind=TwinApp)
    bind(site, services)
    return site


def bind(site: Litestar, services: Services) -> None:
    """Let the application stand on these services from now on."""
    site.state[SERVICES] = services
    site.state["live_streams"] = LiveStreams()
