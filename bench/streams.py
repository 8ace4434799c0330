"""How many events a second does one destination take, what does that cost recording, and does a backlog need memory?

Workload: events of about 550 bytes, 1,000 a batch, four connections, to a server with one destination on the same
machine that takes 500 events a request. Once at a steady rate, once as fast as recording goes, without and with the
destination; then a destination that was away while everything was recorded, and catches up.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from bench import load, measure, server

EVENTS = 600_000
BACKLOG = 1_000_000
RATE = 5_000
BATCH = 500
SECONDS = 40
DEADLINE_S = 1_200


def main() -> None:
    """Measure and keep the answer."""
    os.environ["TALLYSTICK_STREAM_NETWORKS"] = "127.0.0.0/8"
    given = measure.sizes(__doc__, events=EVENTS, backlog=BACKLOG)
    alone, beside = (ingest(given.events, stream=stream) for stream in (False, True))
    alone_steady, beside_steady = (steady(stream=stream) for stream in (False, True))
    figures = [
        measure.figure("recording alone", **alone),
        measure.figure("recording with one destination", **beside, against_alone=_share(beside, alone)),
        measure.figure(f"{RATE:,} events/s, alone", **alone_steady),
        measure.figure(f"{RATE:,} events/s with one destination", **beside_steady),
        measure.figure("a backlog is sent", **backlog(given.backlog)),
    ]
    measure.keep("streams", __doc__, figures)


def ingest(count: int, *, stream: bool) -> dict[str, Any]:
    """Return how fast events are recorded at most, and how fast the destination gets them meanwhile and afterwards."""
    with _place(stream=stream) as (target, sink):
        messages = load.batches(target.token)
        start = time.perf_counter()
        result = load.run(target.port, itertools.islice(itertools.cycle(messages), count // load.BATCH))
        recorded_s = time.perf_counter() - start
        meanwhile = sink.events
        sink.wait(count if stream else 0)
        return {
            "events": count,
            "events_per_s": round(count / recorded_s),
            "sent_meanwhile_per_s": round(meanwhile / recorded_s),
            "sent_per_s_overall": round(count / (time.perf_counter() - start)) if stream else 0,
            "statuses": result.statuses,
            "latency_ms": measure.summary_ms(result.latencies_s),
        }


def steady(*, stream: bool) -> dict[str, Any]:
    """Return what recording a steady rate costs, and how far the destination is behind at its end."""
    with _place(stream=stream) as (target, sink):
        messages = load.batches(target.token)
        count = RATE * SECONDS
        before = measure.cpu_s(target.pids())
        requests = itertools.islice(itertools.cycle(messages), count // load.BATCH)
        every_s = load.BATCH * load.CONNECTIONS / RATE
        start = time.perf_counter()
        result = load.run(target.port, requests, every_s=every_s)
        seconds = time.perf_counter() - start
        behind = count - sink.events if stream else 0
        cpu = measure.cpu_s(target.pids()) - before
        return {
            "events_per_s": round(count / seconds),
            "sent_per_s": round(sink.events / seconds),
            "behind_at_the_end": behind,
            "cpu_share": round(cpu / seconds, 2),
            "latency_ms": measure.summary_ms(result.latencies_s),
        }


def backlog(count: int) -> dict[str, Any]:
    """Return how fast a destination catches up that was away, and what memory the server needs for it."""
    with _place(stream=True, away=True) as (target, sink):
        messages = load.batches(target.token)
        load.run(target.port, itertools.islice(itertools.cycle(messages), count // load.BATCH))
        time.sleep(5)
        held = measure.memory_mb(target.pids())
        with measure.memory_peak_mb(target.pids) as peak:
            sink.start()
            start = sink.first()
            sink.wait(count)
            seconds = time.time() - start
        return {
            "events": count,
            "events_per_s": round(count / seconds),
            "memory_before_mb": round(held, 1),
            "memory_peak_mb": peak[0],
        }


class Sink:
    """The receiving process, and what it told of the events that it has."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._process: subprocess.Popen[str] | None = None
        self._told: list[tuple[float, int]] = []

    def start(self) -> None:
        words = [sys.executable, "-m", "bench.sink", str(self._port)]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True).start()

    @property
    def events(self) -> int:
        return self._told[-1][1] if self._told else 0

    def first(self) -> float:
        """Return when the first events came."""
        end = time.perf_counter() + DEADLINE_S
        while not self._told and time.perf_counter() < end:
            time.sleep(0.05)
        return self._told[0][0]

    def wait(self, count: int) -> None:
        """Return once so many events came."""
        end = time.perf_counter() + DEADLINE_S
        while self.events < count:
            if time.perf_counter() > end:
                raise RuntimeError(f"only {self.events:,} of {count:,} events came")
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _listen(self, lines: IO[str]) -> None:
        for line in lines:
            at, events = line.split()
            self._told.append((float(at), int(events)))


@contextmanager
def _place(*, stream: bool, away: bool = False) -> Iterator[tuple[server.Server, Sink]]:
    """Yield a server with a destination, or without one, and the process that receives."""
    port = server.free_port()
    sink = Sink(port)
    with server.home() as folder:
        token = server.make_token(folder)
        if stream:
            _create(folder, port)
            if not away:
                sink.start()
        target = server.start(folder, token)
        try:
            target.wait_until_ready()
            yield target, sink
        finally:
            target.stop()
            sink.stop()


def _create(folder: Path, port: int) -> None:
    where = ("--data", folder / "data", "--state-dir", folder / "state")
    words = ("streams", "create", f"http://127.0.0.1:{port}/", "--name", "bench", "--batch", str(BATCH))
    subprocess.run(server.command(*words, *where, "--query", "source:bench"), check=True, capture_output=True)


def _share(beside: dict[str, Any], alone: dict[str, Any]) -> float:
    share: float = beside["events_per_s"] / alone["events_per_s"]
    return round(share, 3)


if __name__ == "__main__":
    main()
