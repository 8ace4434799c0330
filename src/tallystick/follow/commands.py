"""State-changing commands, one at a time: catch up, decide, append, apply, answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection

from tallystick.follow.projection import Projection

Event = Mapping[str, Any]
T = TypeVar("T")


class Append(Protocol):
    """Puts the product's own events into the log."""

    def __call__(self, events: Sequence[Event], /) -> None:
        """Return when the events are durable, as source 0, all or none."""
        ...


class Commands:
    """Runs decisions against tables that stand for the whole log, and makes their events the only way to change them."""

    def __init__(self, projection: Projection, append: Append) -> None:
        self._projection = projection
        self._append = append
        self._lock = threading.Lock()

    def run(self, decide: Callable[[Connection], Sequence[Event]]) -> None:
        """Let `decide` look at the tables and return events; return when they are durable and applied.

        `decide` raises to refuse; an empty answer changes nothing.
        """
        with self._lock:
            self._projection.catch_up()
            with self._projection.engine.connect() as connection:
                events = decide(connection)
            if not events:
                return
            self._append(events)
            # A crash here leaves the events in the log and the tables behind; the next start catches up.
            self._projection.catch_up()

    def hold_still(self, act: Callable[[], T]) -> T:
        """Return what `act` returns, which writes to the log by itself, with the tables up to date before and after.

        Nothing else decides meanwhile.
        """
        with self._lock:
            self._projection.catch_up()
            done = act()
            # A crash here leaves the tables behind; the next start catches up.
            self._projection.catch_up()
            return done
