"""Does an event cost more when the ledger is large, and does searching suffer from ingesting?

Workload: processor time and wall clock of an event of about 680 bytes while the ledger grows past N, against N/10, in
process, sealing included; then the newest 100 by five fields over HTTP from a server on that ledger: idle, while 10,000
events a second are sent, and while as many are sent as it takes.
"""

from __future__ import annotations

import time
from http.client import HTTPConnection
from itertools import islice
from typing import Any
from urllib.parse import quote

from bench import ledger, load, measure, server
from bench.search import questions

EVENTS = 10_000_000
SEARCHES = 150
STATE_S_MAX = 60.0


def main() -> None:
    """Measure and keep the answer."""
    given = measure.sizes(__doc__, events=EVENTS, searches=SEARCHES)
    with server.home(given.data) as home:
        filled = ledger.filled(home, given.events, "wide")
        figures = [cost(filled)]
        with server.running(data=home) as target:
            figures += searching(target, given.searches)
    measure.keep("scaling", __doc__, figures)


def cost(filled: ledger.Filled) -> dict[str, Any]:
    """Compare what filling cost near the end with what it cost when the ledger had a tenth."""
    near = filled.events // 10
    early = _slope(filled, near - near // 2, near + near // 2)
    late = _slope(filled, filled.events - near, filled.events)
    return measure.figure(
        "cost of an event at N against N/10",
        events=filled.events,
        cpu_us_per_event={"at N/10": early[0], "at N": late[0]},
        wall_us_per_event={"at N/10": early[1], "at N": late[1]},
        cpu_ratio=round(late[0] / early[0], 3),
        wall_ratio=round(late[1] / early[1], 3),
    )


def searching(target: server.Server, count: int) -> list[dict[str, Any]]:
    """Return the times of searches in each state, and how they compare with an idle server's."""
    _search(target, seed=10, count=max(20, count // 3))
    states = {"idle": _search(target, seed=11, count=count)}
    with load.pressing(target.port, target.token, events_per_s=10_000):
        states["at 10,000 events/s"] = _search(target, seed=12, count=count)
    before, start = target.sizes()["acknowledged"], time.perf_counter()
    with load.pressing(target.port, target.token):
        states["at full speed"] = _search(target, seed=13, count=count)
        rate = (target.sizes()["acknowledged"] - before) / (time.perf_counter() - start)
    idle = measure.percentile(states["idle"], 0.5)
    return [
        measure.figure(
            f"newest 100 over HTTP, {name}",
            ms=measure.summary_ms(times),
            searches=len(times),
            p50_against_idle=round(measure.percentile(times, 0.5) / idle, 2),
            **({"events_per_s": round(rate)} if name == "at full speed" else {}),
        )
        for name, times in states.items()
    ]


def _search(target: server.Server, *, seed: int, count: int) -> list[float]:
    connection = HTTPConnection("127.0.0.1", target.port)
    times: list[float] = []
    for text in islice(questions(seed), count):
        if sum(times) > STATE_S_MAX:
            break
        start = time.perf_counter()
        headers = {"Authorization": f"Bearer {target.token}"}
        connection.request("GET", f"/api/v1/events?limit=100&query={quote(text)}", headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        times.append(time.perf_counter() - start)
    connection.close()
    return times


def _slope(filled: ledger.Filled, first: int, last: int) -> tuple[float, float]:
    """Return microseconds of processor and of wall clock for an event between two sizes."""
    begin = max((step for step in filled.steps if step.events <= first), key=lambda step: step.events, default=None)
    begin = begin or ledger.Step(0, 0.0, 0.0)
    end = min((step for step in filled.steps if step.events >= last), key=lambda step: step.events)
    events = end.events - begin.events
    return round((end.cpu_s - begin.cpu_s) / events * 1e6, 2), round((end.wall_s - begin.wall_s) / events * 1e6, 2)


if __name__ == "__main__":
    main()
