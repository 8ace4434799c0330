"""The last five weeks of the demo as they go by: what is due at its time is done then, and what watches keeps up.

Nothing here waits: the clock stands until every rule has judged what there is, and then goes on.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tallystick.access.model import Caller
from tallystick.cli.demo_clock import DemoClock
from tallystick.cli.demo_people import caller

if TYPE_CHECKING:
    from tallystick.alert.book.model import Alert
    from tallystick.server import Instance

MINUTE_US: Final = 60_000_000
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US
#: When what happens once a day is looked at, after midnight UTC.
DAILY_US: Final = 2 * HOUR_US + 10 * MINUTE_US
WATCHER: Final = "callum.grant"


class Month:
    """The story's order of things; `on_alert` is asked what happens to each alert that opens."""

    def __init__(self, instance: Instance, clock: DemoClock, end_us: int) -> None:
        self.instance = instance
        self.clock = clock
        self.end_us = end_us
        self.on_alert: Callable[[Alert], None] = lambda _: None
        self._due: list[tuple[int, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._callers: dict[str, Caller] = {}
        self._met: set[str] = set()
        self._told = -1
        self._next_day = (clock.now_us() // DAY_US + 1) * DAY_US + DAILY_US

    @property
    def has_begun(self) -> bool:
        return self._told >= 0

    def begin(self) -> None:
        """Watch from here on: what was recorded before is old logs that were brought along, of which nobody is told."""
        self.instance.services.detection.learn()
        self._told = 0

    def end(self) -> None:
        """Let it be the end of the story, with everything judged and the state of what watches on the disk."""
        self.reach(self.end_us)
        self.watch()
        with self.instance.services.detection:
            pass  # leaving it saves how far it is

    def at(self, at_us: int, do: Callable[[], object]) -> None:
        """Have something done at its time, or never where that is after the end."""
        if at_us <= self.end_us:
            heapq.heappush(self._due, (at_us, next(self._numbers), do))

    def reach(self, at_us: int) -> None:
        """Let it be that time, with everything done that was due until then."""
        while True:
            due = self._due[0][0] if self._due else at_us + 1
            if min(due, self._next_day) > at_us:
                break
            if self._next_day <= due:
                self.clock.reach(self._next_day)
                self._next_day += DAY_US
                self._look_daily()
            else:
                _, _, do = heapq.heappop(self._due)
                self.clock.reach(due)
                do()
            self.watch()
        self.clock.reach(at_us)

    def watch(self) -> None:
        """Have what is in the log judged, and what is new among the alerts handled."""
        engine = self.instance.services.detection
        while engine.step() == 0.0:
            pass
        if engine.position.alarms != self._told:
            self._told = engine.position.alarms
            self._meet_alerts()

    def person(self, handle: str, address: str) -> Caller:
        """Return somebody of the organisation, with the rights of the first time she was asked for."""
        if handle not in self._callers:
            self._callers[handle] = caller(self.instance, handle, address)
        return self._callers[handle]

    def _look_daily(self) -> None:
        """Do what the rooms do by themselves every few seconds."""
        services = self.instance.services
        services.systems.watch.once()
        services.reviews.upkeep.look()
        self._meet_alerts()

    def _meet_alerts(self) -> None:
        reading = self.instance.services.alerts.reading
        found = reading.list(self.person(WATCHER, "192.0.2.44")).alerts
        for alert in sorted(found, key=lambda each: each.opened_index):
            if alert.id not in self._met:
                self._met.add(alert.id)
                self.on_alert(alert)
