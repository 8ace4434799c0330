"""Puts the room of alerts together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from tallystick.alert.book.clock import limits_of
from tallystick.alert.book.closing import ClosingService
from tallystick.alert.book.figures import FigureService
from tallystick.alert.book.overdue import Overdue
from tallystick.alert.book.population import PopulationService
from tallystick.alert.book.raising import AlertBook
from tallystick.alert.book.reading import AlertReading
from tallystick.alert.book.service import AlertService
from tallystick.alert.ports import AlertPorts
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection


@dataclass(frozen=True, slots=True)
class AlertRoom:
    """The services of this room."""

    book: AlertBook
    reading: AlertReading
    service: AlertService
    closing: ClosingService
    figures: FigureService
    population: PopulationService
    overdue: Overdue


@contextmanager
def open_alerts(projection: Projection, commands: Commands, ports: AlertPorts) -> Iterator[AlertRoom]:
    """Yield the room while it watches what is overdue."""
    book = AlertBook(commands, ports.now_us, ports.key, partial(limits_of, ports.count))
    with Overdue(projection, book.raise_alarms, ports.now_us) as overdue:
        yield AlertRoom(
            book,
            AlertReading(projection, ports),
            AlertService(commands, ports),
            ClosingService(commands, ports),
            FigureService(projection, ports),
            PopulationService(projection, commands, ports),
            overdue,
        )
