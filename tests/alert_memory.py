"""Alerts over a log in memory: real admission, real tables, real handlers, and a clock that moves when told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from tests.grants_world import HANDLERS, World

from tallystick.access.rights import Rights
from tallystick.alert.book import handlers
from tallystick.alert.book.clock import limits_of
from tallystick.alert.book.closing import ClosingService
from tallystick.alert.book.figures import FigureService
from tallystick.alert.book.overdue import Overdue
from tallystick.alert.book.raising import AlertBook
from tallystick.alert.book.reading import AlertReading
from tallystick.alert.book.service import AlertService
from tallystick.alert.ports import AlertPorts, Assignable, Card
from tallystick.settings.model import SETTINGS
from tallystick.store.tables.alerts import ALERT, ALERT_EVENT, ALERT_OCCASION, ALERT_STEP

TABLES = (ALERT, ALERT_EVENT, ALERT_OCCASION, ALERT_STEP)


class AlertMemory:
    """A room of alerts; `cards` are the rules that say something, `switches` the settings that are on."""

    def __init__(self) -> None:
        self.world = World({**HANDLERS, **handlers.HANDLERS})
        self.cards: dict[str, Card] = {}
        self.people: dict[str, Rights] = {}
        self.second_person = False
        self.teams: set[str] = set()
        ports = AlertPorts(
            now_us=self.world.now_us,
            key=b"k" * 32,
            count=_count,
            switch=lambda _: self.second_person,
            looked=self.world.looks.looked,
            message=lambda _, event: str(event["action"]),
            event=lambda _, event: (int(event), "00000000-0000-7000-8000-000000000000"),
            person=self._person,
            teams=lambda _: self.teams,
            card=lambda kind, _: self.cards.get(kind),
            product_since=lambda _: self.world.read(0),
        )
        projection, commands = self.world.projection, self.world.commands
        self.book = AlertBook(commands, self.world.now_us, b"k" * 32, lambda severity: limits_of(_count, severity))
        self.reading = AlertReading(projection, ports)
        self.service = AlertService(commands, ports)
        self.closing = ClosingService(commands, ports)
        self.figures = FigureService(projection, ports)
        self.overdue = Overdue(projection, self.book.raise_alarms, self.world.now_us)

    def rows(self) -> list[Any]:
        """Return the alerts in the order in which they were opened."""
        with self.world.projection.engine.connect() as connection:
            return list(connection.execute(select(ALERT).order_by(ALERT.c.opened_index)))

    def contents(self) -> Mapping[str, list[tuple[Any, ...]]]:
        """Return every row of every table of alerts."""
        with self.world.projection.engine.connect() as connection:
            return {table.name: sorted(map(tuple, connection.execute(select(table))), key=repr) for table in TABLES}

    def events(self) -> list[dict[str, Any]]:
        """Return what the log says of alerts, oldest first."""
        return [each.event for each in self.world.read(0) if each.action.startswith("alert.")]

    def _person(self, text: str) -> Assignable | None:
        rights = self.people.get(text)
        return None if rights is None else Assignable(text, text.title(), rights)


def _count(name: str) -> int:
    found = SETTINGS[name].default
    assert isinstance(found, int)
    return found
