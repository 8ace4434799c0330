"""The room of systems and exceptions, with the ports that it names."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from tallystick.access.operator import OPERATOR
from tallystick.follow.alarm import RaiseAlarms
from tallystick.govern import GovernRoom, open_govern
from tallystick.govern.ports import GovernPorts
from tallystick.query.model import Node
from tallystick.search.arrivals import Arrivals
from tallystick.server.access import Access
from tallystick.server.ground import Ground
from tallystick.server.reading import Reading


def open_govern_room(
    ground: Ground, reading: Reading, access: Access, raise_alarms: RaiseAlarms
) -> AbstractContextManager[GovernRoom]:
    """Return the room, which is open for as long as the context lasts."""

    def category_of(size: int, action: str) -> str | None:
        found = ground.register.catalogue_at(size).get(action)
        return None if found is None else found.category

    def arrivals(questions: Sequence[tuple[Node, Sequence[str]]], first: int, size: int) -> list[Arrivals]:
        return reading.search.arrivals(questions, OPERATOR, first, size)

    ports = GovernPorts(
        looked=reading.recorder.looked,
        raise_alarms=raise_alarms,
        now_us=ground.book.now_us,
        count=access.settings.count,
        size=lambda: ground.ledger.snapshot().size,
        received_at=reading.search.received_at,
        read_product=ground.read_product,
        category_of=category_of,
        arrivals=arrivals,
    )
    return open_govern(ground.projection, ground.commands, ground.settings.data, ground.ledger.origin, ports)
