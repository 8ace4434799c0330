"""Puts the room of alerts together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from tallystick.alert.book.clock import limits_of
from tallystick.alert.book.raising import AlertBook
from tallystick.alert.ports import AlertPorts
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection


@dataclass(frozen=True, slots=True)
class AlertRoom:
    """The services of this room."""

    book: AlertBook


@contextmanager
def open_alerts(projection: Projection, commands: Commands, ports: AlertPorts) -> Iterator[AlertRoom]:
    """Yield the room."""
    book = AlertBook(commands, ports.now_us, ports.key, partial(limits_of, ports.count))
    yield AlertRoom(book)
