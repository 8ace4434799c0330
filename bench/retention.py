"""How long does it take until content whose retention has passed is destroyed, while people search?

Workload: sealed events of about 680 bytes in one class, in a ledger that was filled as the server fills it. Then the clock
is set forward by 500 days and the run is started, while two threads go on searching. Every erasure is judged by the
verifier's rule before and recorded after. A second, smaller ledger loses only the personal part, which writes every
segment anew. What a run of ten million would take is extrapolated by the event, and said to be so.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import ledger, measure, server
from tallystick.access.model import Caller
from tallystick.access.operator import OPERATOR
from tallystick.clock import SystemClock
from tallystick.config import settings_for
from tallystick.retain.model import Terms
from tallystick.search.model import Search
from tallystick.server import Instance, open_instance

EVENTS = 1_000_000
PERSONAL = 100_000
BAR = 10_000_000
DAY_US = 86_400_000_000
SEARCHERS = 2
ASKER = Caller("p-bench", "user", "bench", ledger.reader().rights, "127.0.0.1", "page")


class Later(SystemClock):
    """The machine's clock, so many days ahead."""

    def __init__(self, days: int) -> None:
        super().__init__()
        self._ahead = days * DAY_US

    def now_us(self) -> int:
        return super().now_us() + self._ahead


def main() -> None:
    """Measure and keep the answer."""
    given = measure.sizes(__doc__, events=EVENTS, personal=PERSONAL)
    figures = []
    with server.home(given.data) as home:
        ledger.filled(home, given.events, "wide")
        figures.append(expire(home, "a whole class expires", 500))
    with server.home(None) as home:
        ledger.filled(home, given.personal, "wide")
        shorten(home)
        figures.append(expire(home, "only the personal part expires", 380))
    measure.keep("retention", __doc__, figures)


def shorten(home: Path) -> None:
    """Have two people agree that the personal part goes after a year."""
    with later(home, 0) as instance:
        room, terms = instance.services.retention, Terms(400, 365)
        digest = room.service.simulate(ASKER, "standard", terms).digest
        change = room.service.change(ASKER, "standard", terms, "bench", digest)
        assert change is not None
        room.service.approve(OPERATOR, change, room.reading.change(OPERATOR, change)[0].digest)


def expire(home: Path, name: str, days: int) -> dict[str, Any]:
    """Return how long the run took, and the searches meanwhile."""
    with later(home, days) as instance:
        runner = instance.services.retention.runner
        start = time.perf_counter()
        due = sum(each.events for each in runner.preview())
        planned = time.perf_counter() - start
        times: list[float] = []
        with searching(instance, times):
            start = time.perf_counter()
            outcome = runner.run("bench")
            took = time.perf_counter() - start
        assert outcome.events == due, "everything that was due went"
        assert sum(each.events for each in runner.preview()) == 0
    per_second = outcome.events / took
    return measure.figure(
        name,
        events=outcome.events,
        erasures=outcome.erasures,
        seconds=round(took, 1),
        preview_seconds=round(planned, 1),
        events_per_second=round(per_second),
        extrapolated_10m_seconds=round(BAR / per_second, 1),
        searches=len(times),
        search_ms=measure.summary_ms(times) if times else None,
    )


@contextmanager
def later(home: Path, days: int) -> Iterator[Instance]:
    """Yield the installation so many days ahead, without a run of its own."""
    clock = Later(days)
    with open_instance(settings_for(home / "data", home / "state"), clock=clock) as instance:
        instance.services.retention.worker.stop()
        yield instance


@contextmanager
def searching(instance: Instance, times: list[float]) -> Iterator[None]:
    """Search on and on in threads while the context lasts."""
    stop = threading.Event()
    search = instance.services.search

    def ask(first: int) -> None:
        for number in itertools.count(first, SEARCHERS):
            if stop.is_set():
                return
            started = time.perf_counter()
            search.search(Search(text=f"actor:u-{number % 20_000:05d}"), ledger.reader())
            times.append(time.perf_counter() - started)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(SEARCHERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main()
