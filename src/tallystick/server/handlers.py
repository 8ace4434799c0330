"""Everything that turns the product's events into tables, room by room."""

from __future__ import annotations

from typing import Final

from tallystick.access.grants import handlers as grants
from tallystick.access.people import handlers as people
from tallystick.access.sources import handlers as sources
from tallystick.alert.book import handlers as alerts
from tallystick.alert.notify import handlers as notify
from tallystick.detect import handlers as detect
from tallystick.evidence import handlers as evidence
from tallystick.follow import handlers as log
from tallystick.govern import handlers as govern
from tallystick.policies import handlers as policies
from tallystick.releases import handlers as releases
from tallystick.retain import handlers as retain
from tallystick.review import handlers as review
from tallystick.settings import handlers as settings
from tallystick.stream import handlers as stream
from tallystick.work import handlers as work

_ROOMS: Final = (
    log,
    grants,
    people,
    sources,
    settings,
    evidence,
    work,
    policies,
    stream,
    releases,
    detect,
    alerts,
    notify,
    govern,
    review,
    retain,
)
HANDLERS: Final = {key: handler for room in _ROOMS for key, handler in room.HANDLERS.items()}
