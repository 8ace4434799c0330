"""The room of alerts with what it needs of the others."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import partial

from sqlalchemy import Connection

from tallystick.access.grants.members import find_by_handle, find_member
from tallystick.access.model import Caller
from tallystick.alert.notify.rows import load_routing
from tallystick.alert.ports import AlertPorts, Assignable, RuleCard
from tallystick.alert.room import AlertRoom, open_alerts
from tallystick.follow.product_log import ProductEvent
from tallystick.search.service import SearchService
from tallystick.server.access import Access
from tallystick.server.ground import Ground
from tallystick.server.reading import Reading
from tallystick.server.registers import message_of


def open_alert_room(
    ground: Ground, reading: Reading, access: Access, card: RuleCard
) -> AbstractContextManager[AlertRoom]:
    """Return the room, to be entered; `card` may be asked from then on."""
    ports = AlertPorts(
        now_us=ground.book.now_us,
        key=hmac.digest(ground.key, b"tallystick alerts 1", "sha256"),
        count=access.settings.count,
        switch=access.settings.switch,
        looked=reading.recorder.looked,
        message=partial(message_of, ground.register),
        event=partial(_find_event, reading.search),
        person=partial(_find_person, ground, access),
        teams=_teams,
        card=card,
        product_since=partial(_product_since, ground),
    )
    return open_alerts(ground.projection, ground.commands, ports)


def _teams(connection: Connection) -> set[str]:
    return {team.name for team in load_routing(connection)[1].teams}


def _find_event(search: SearchService, caller: Caller, event: int | str) -> tuple[int, str]:
    row = search.get(event, caller)
    return row.index, row.id


def _find_person(ground: Ground, access: Access, text: str) -> Assignable | None:
    """Return an enabled person by id or handle."""
    with ground.projection.engine.connect() as connection:
        member = find_member(connection, text) or find_by_handle(connection, text)
    if member is None or member.disabled:
        return None
    standing = access.room.sessions.standing(member.id, ground.book.now_us())
    return None if standing is None else Assignable(member.id, member.name, standing.rights)


def _product_since(ground: Ground, start_us: int) -> Iterator[ProductEvent]:
    """Return the product's own events from before or at a time on: of a sealed segment that begins before it, all."""
    segments = ground.ledger.snapshot().segments
    first = max((entry.first for entry in segments if entry.received_from < start_us), default=0)
    return ground.read_product(first)
