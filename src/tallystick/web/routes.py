"""Every page, room by room: one import line and one entry each."""

from __future__ import annotations

from typing import Final

from litestar import Router

from tallystick.web.events.live import live_stream
from tallystick.web.events.pages import events_page, overview_page, row_page
from tallystick.web.forms import refuse_cross_site
from tallystick.web.home import home
from tallystick.web.static_files import static_file

_ROOMS: Final = (
    home,
    static_file,
    events_page,
    overview_page,
    row_page,
    live_stream,
)
#: For `create_site`. No page can forget where its forms may come from: the guard is on all of them.
PAGES: Final = (Router(path="/", route_handlers=_ROOMS, guards=[refuse_cross_site], include_in_schema=False),)
