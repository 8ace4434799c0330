"""How fast does detection judge what is stored, and how long after an event is durable is its alarm?

Workload: one event in two is an application's of about 550 bytes, the other a cloud's audit event of about 1.2 KB in `raw`.
Sixty rules are in force: those that the product brings and, for the rest, generated ones about cloud audit events. First
the events lie in the log and the engine judges them all; then events are recorded at a steady rate, some of which a rule
is about, while the engine follows. Everything is one process, without HTTP: admission, writer and engine share it, as
they do in a server. Latency is from the receipt of an event until its alert is durable in the log. `load_1min` says what
else the machine did: where it is above the cores, only the figure for each second of the processor means something.
"""

from __future__ import annotations

import contextlib
import gc
import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from bench import events as made
from bench import measure, server
from bench.sigma_rules import cloud_rules, made_events
from tallystick.access.operator import OPERATOR
from tallystick.access.sources.model import SourceSettings
from tallystick.access.sources.service import rules_of
from tallystick.config import settings_for
from tallystick.detect.engine import Engine
from tallystick.detect.ports import EnabledRule, EnginePorts
from tallystick.detect.rulefile import parse_rule
from tallystick.detect.state import States
from tallystick.event.admission import SourceRules
from tallystick.follow.alarm import Alarm
from tallystick.follow.log_reader import LogReader
from tallystick.server import Instance, open_instance

EVENTS: Final = 100_000
RULES: Final = 60
RATE: Final = 5_000
SECONDS: Final = 30
BATCH: Final = 100
MARKED: Final = "malware.detected"
"""A rule that the product brings is about this action."""


def main() -> None:
    """Measure and keep the answer."""
    given = measure.sizes(__doc__, events=EVENTS, rate=RATE, seconds=SECONDS)
    with server.home() as home:
        figures = [
            measure.figure("stored events are judged", **stored(home / "stored", given.events)),
            measure.figure(f"alarms at {given.rate:,} events/s", **steady(home / "steady", given.rate, given.seconds)),
        ]
    measure.keep("detect", __doc__, figures)


def stored(home: Path, count: int) -> dict[str, Any]:
    """Return how fast the engine judges what lies in the log."""
    with _open(home) as (instance, source):
        first = instance.ledger.snapshot().size
        for body in _bodies(count, marked_every=0):
            _record(instance, source, body)
        raised: list[Alarm] = []
        with _engine(instance, raised.extend) as engine:
            engine.step()  # the rules are made ready
            _settle()
            engine.position.next_index = first
            before, start = time.process_time(), time.perf_counter()
            while engine.step() == 0.0:
                pass
            seconds, cpu = time.perf_counter() - start, time.process_time() - before
            rules = engine.standing().rules
        return {
            "events": count,
            "rules": len(rules),
            "events_per_s": round(count / seconds),
            "events_per_cpu_s": round(count / cpu),
            "matches": sum(each.matched for each in rules),
            "alarms": len(raised),
            "load_1min": round(os.getloadavg()[0], 1),
        }


def steady(home: Path, rate: int, seconds: int) -> dict[str, Any]:
    """Return how long after its event an alarm is durable, while events are recorded at a steady rate."""
    with _open(home) as (instance, source):
        book, taken = instance.services.alerts.book, Taken(instance)

        def raise_alarms(alarms: Sequence[Alarm]) -> None:
            book.raise_alarms(alarms)
            taken.note(alarms)

        bodies = list(_bodies(rate * seconds, marked_every=rate // 10))
        _settle()
        with _engine(instance, raise_alarms) as engine, engine:
            start = time.perf_counter()
            late_s = 0.0
            for number, body in enumerate(bodies):
                due = start + number * BATCH / rate
                wait_s = due - time.perf_counter()
                if wait_s > 0:
                    time.sleep(wait_s)
                late_s = max(late_s, -wait_s)
                _record(instance, source, body)
            recorded_s = time.perf_counter() - start
            end = time.perf_counter() + 60
            while engine.standing().lag and time.perf_counter() < end:
                time.sleep(0.05)
            time.sleep(1)
        return {
            "events_per_s": round(len(bodies) * BATCH / recorded_s),
            "recording_late_s_max": round(late_s, 2),
            "alarms": len(taken.latencies_s),
            "latency_ms": measure.summary_ms(taken.latencies_s),
            "load_1min": round(os.getloadavg()[0], 1),
        }


@dataclass
class Taken:
    """When the alarms of marked events were durable, after their events were received."""

    instance: Instance
    latencies_s: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, alarms: Sequence[Alarm]) -> None:
        now_us = time.time_ns() // 1000
        snapshot = self.instance.ledger.snapshot()
        with self._lock:
            for alarm in alarms:
                if alarm.kind != "malware-seen" or alarm.count > 1 or not alarm.indexes:
                    continue
                frame = snapshot.frames.holding(alarm.indexes[0])
                if frame is not None:
                    self.latencies_s.append((now_us - frame.received_at) / 1e6)


@contextlib.contextmanager
def _open(home: Path) -> Iterator[tuple[Instance, SourceRules]]:
    with open_instance(settings_for(home / "data", home / "state")) as instance:
        source = instance.services.sources.ensure(OPERATOR, "bench", SourceSettings())
        yield instance, rules_of(source)


@contextlib.contextmanager
def _engine(instance: Instance, raise_alarms: Callable[[Sequence[Alarm]], None]) -> Iterator[Engine]:
    """Yield an engine of its own with sixty rules, beside that of the installation, which does not run."""
    folder = instance.settings.data / "bench"
    folder.mkdir()
    projection, services = instance.projection, instance.services
    segments = instance.settings.data / "segments" / "main"
    rules = _rules(services.rules.enabled())
    catalogue = instance.admission.catalogue
    ports = EnginePorts(
        enabled=lambda: rules,
        senders=dict,
        raise_alarms=raise_alarms,
        now_us=lambda: instance.ledger.status().now,
        refresh=projection.catch_up,
        version=lambda: projection.version,
        lists=services.rules.lists.values,
        category=lambda action: None if (found := catalogue.get(action)) is None else found.category,
    )
    reader = LogReader(instance.ledger.snapshot, segments, dict)
    with contextlib.closing(States(folder, instance.ledger.origin)) as states:
        yield Engine(reader, states, ports)


def _rules(shipped: Sequence[EnabledRule]) -> tuple[EnabledRule, ...]:
    more = cloud_rules(random.Random(3), RULES - len(shipped))
    return (*shipped, *(_enabled(f"cloud-{number}", text) for number, text in enumerate(more)))


def _enabled(rule: str, text: bytes) -> EnabledRule:
    file = parse_rule(text)
    return EnabledRule(rule, file.digest, text, file.severity, file.title)


def _bodies(count: int, *, marked_every: int) -> Iterator[bytes]:
    """Yield batches of events; every so many events one is marked, each by another actor."""
    chance = random.Random(11)
    known = made.targets(chance)
    cloud = made_events(chance, count)
    encode: Callable[[Any], bytes] = partial(msgspec.json.encode)
    for first in range(0, count, BATCH):
        batch = []
        for number in range(first, min(first + BATCH, count)):
            event = made.event(number, chance, "small", known)
            if number % 2:
                event |= {"action": "vendor.cloud.event", "raw": next(cloud)}
            if marked_every and number % marked_every == 0:
                event |= {"action": MARKED, "actor": {"id": f"host-{number}", "type": "system"}}
            batch.append(event)
        yield encode(batch)


def _settle() -> None:
    """Leave what was loaded by now out of later collections, as a server does once it listens."""
    gc.collect()
    gc.freeze()


def _record(instance: Instance, source: SourceRules, body: bytes) -> None:
    now_us = time.time_ns() // 1000
    instance.ledger.append(instance.admission.admit(body, source, now_us=now_us), source.number)


if __name__ == "__main__":
    main()
