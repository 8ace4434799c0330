"""A ledger of made-up events, filled in process: admission, append and sealing as in the server, without HTTP.

What filling cost is kept beside it in `filled.json`, and a finished ledger is used again when its folder is given.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import events, measure
from tallystick.access.model import Caller
from tallystick.access.operator import OPERATOR
from tallystick.access.permissions import Permission
from tallystick.access.rights import Rights
from tallystick.access.sources.model import SourceSettings
from tallystick.access.sources.service import rules_of
from tallystick.config import settings_for
from tallystick.errors import UnavailableError
from tallystick.event.admission import Batch, Media
from tallystick.ledger.model import Receipt
from tallystick.server import Instance, open_instance

BATCH = 1_000
STEPS = 40
WAITING_MAX = 8
SEAL_S_MAX = 600
TAIL = 20_000


@dataclass(frozen=True, slots=True)
class Step:
    """The ledger had so many events after so long: wall clock, and processor time of all the product's processes."""

    events: int
    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Filled:
    """A finished ledger: its folder, how many made-up events it was filled with, and what that cost."""

    home: Path
    events: int
    shape: str
    steps: tuple[Step, ...]

    @property
    def data(self) -> Path:
        return self.home / "data"


@contextmanager
def opened(home: Path) -> Iterator[Instance]:
    """Yield the installation in a benchmark's folder."""
    with open_instance(settings_for(home / "data", home / "state")) as instance:
        yield instance


def reader(*scopes: str, own: str | None = None, readings: bool = True) -> Caller:
    """Return a caller who may read personal data, everywhere or in some scopes, and own events in another one."""
    granted = [(permission, scope) for permission in Permission for scope in scopes or ("",)]
    granted = [pair for pair in granted if readings or pair[0] is not Permission.READING_READ]
    rights = Rights.of([*granted, *([] if own is None else [(Permission.EVENTS_READ_OWN, own)])])
    return Caller("bench", "service", "bench", rights, "127.0.0.1", "api")


def filled(home: Path, count: int, shape: events.Shape) -> Filled:
    """Return the finished ledger in `home`, which is made when the folder is empty, with everything in it sealed."""
    record = home / "filled.json"
    if record.exists():
        known = json.loads(record.read_bytes())
        if known["shape"] != shape:
            raise SystemExit(f"{home} holds events of the shape {known['shape']}")
        steps = tuple(Step(**step) for step in known["steps"])
        return Filled(home, known["events"], shape, steps)
    if (home / "data").exists():
        raise SystemExit(f"{home} holds a ledger that was not finished; remove it first")
    with opened(home) as instance:
        steps = tuple(fill(instance, count, shape))
        seal_all(instance)
    record.write_text(json.dumps({"events": count, "shape": shape, "steps": [asdict(step) for step in steps]}))
    return Filled(home, count, shape, steps)


def fill(instance: Instance, count: int, shape: events.Shape, seed: int = 1) -> Iterator[Step]:
    """Append `count` events and yield what it cost so far, forty times; all are durable at the end."""
    source = rules_of(instance.services.sources.ensure(OPERATOR, "bench", SourceSettings(kind="bench")))
    every = max(BATCH, count // STEPS // BATCH * BATCH)
    waiting: deque[Future[Receipt]] = deque()
    with events.made_elsewhere(count, BATCH, shape, seed) as (maker, bodies):
        start, cpu_before, done = time.perf_counter(), _cpu_s(maker), 0
        for body in bodies:
            admitted = instance.services.record.admit(body, source, Media.AUTO, partial=False)
            waiting.append(_submit(instance, admitted.batch, source.number))
            done += len(admitted.batch)
            while len(waiting) > (WAITING_MAX if done < count else 0):
                waiting.popleft().result()
            if done % every == 0 or done == count:
                wall_s = time.perf_counter() - start
                if sys.stderr.isatty() or done == count:
                    end = "\n" if done == count else "\r"
                    sys.stderr.write(f"{done:>12,} events in the ledger, {done / wall_s:>7,.0f} a second{end}")
                yield Step(done, round(wall_s, 3), round(_cpu_s(maker) - cpu_before, 3))


def seal_all(instance: Instance) -> None:
    """Return when every event is sealed."""
    size = instance.ledger.status().acknowledged.size
    instance.ledger.wait_committed(size, SEAL_S_MAX)
    instance.ledger.rotate()
    end = time.perf_counter() + SEAL_S_MAX
    while instance.ledger.status().sealed.size < size:
        if time.perf_counter() > end:
            raise RuntimeError(f"not sealed after {SEAL_S_MAX} s: {instance.ledger.status().trouble}")
        time.sleep(0.05)


def leave_tail(instance: Instance, count: int = TAIL) -> int:
    """Append events until some `count` are not sealed, as in any server that runs; return how many are not."""
    snapshot = instance.ledger.snapshot()
    missing = count - (snapshot.size - snapshot.sealed_size)
    if missing > 0:
        list(fill(instance, missing, "wide", seed=snapshot.size))
    snapshot = instance.ledger.snapshot()
    return snapshot.size - snapshot.sealed_size


def _submit(instance: Instance, batch: Batch, source: int) -> Future[Receipt]:
    while True:
        try:
            return instance.services.record.submit(batch, source)
        except UnavailableError:  # sealing is behind: the server answers 503 here
            time.sleep(0.05)


def _cpu_s(maker: int) -> float:
    return measure.cpu_s(pid for pid in measure.family(os.getpid()) if pid != maker)
