"""How many events a second does the server take, each durable before its answer, with sealing keeping up?

Workload: events of about 550 bytes, 1,000 a batch, four connections from the same machine; once with admission in the
server's process and once in two workers. Then single events over eight connections.
"""

from __future__ import annotations

import itertools
import time
from typing import Any

from bench import events, load, measure, server

EVENTS = 1_500_000
SINGLES = 20_000


def main() -> None:
    """Measure and keep the answer."""
    given = measure.sizes(__doc__, events=EVENTS, singles=SINGLES)
    figures = [batches(given.events, *options) for options in ((), ("--workers", "2"))]
    figures.append(singles(given.singles))
    measure.keep("ingest", __doc__, figures)


def batches(count: int, *options: str) -> dict[str, Any]:
    """Return the rate at which batches are acknowledged, and the rate with the wait for sealing counted in."""
    with server.running(*options) as target:
        messages = load.batches(target.token)
        before = measure.cpu_s(target.pids())
        result = load.run(target.port, itertools.islice(itertools.cycle(messages), count // load.BATCH))
        accepted = load.BATCH * sum(number for status, number in result.statuses.items() if status < 300)
        backlog_s = _wait_until_sealed(target)
        cpu_s = measure.cpu_s(target.pids()) - before
    return measure.figure(
        " ".join(("HTTP ingest, batches of 1,000", *options)),
        events=accepted,
        events_per_s=round(accepted / result.seconds),
        events_per_s_with_sealing_finished=round(accepted / (result.seconds + backlog_s)),
        cpu_us_per_event=round(cpu_s / accepted * 1e6, 2),
        statuses=result.statuses,
        latency_ms=measure.summary_ms(result.latencies_s),
    )


def singles(count: int) -> dict[str, Any]:
    """Return the rate and latency of one event a request."""
    bodies = list(events.batches(min(count, 2_000), 1))
    with server.running() as target:
        messages = [load.request("/api/v1/events", target.token, body) for body in bodies]
        result = load.run(target.port, itertools.islice(itertools.cycle(messages), count), connections=8)
    return measure.figure(
        "single-event POST, 8 connections",
        events=count,
        events_per_s=round(count / result.seconds),
        statuses=result.statuses,
        latency_ms=measure.summary_ms(result.latencies_s),
    )


def _wait_until_sealed(target: server.Server) -> float:
    """Wait until only the current file is not sealed."""
    start = time.perf_counter()
    while len(list((target.data / "ledger").glob("*/wal/*.wal"))) > 1 and time.perf_counter() - start < 300:
        time.sleep(0.05)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
