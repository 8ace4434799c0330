"""The engine over a real ledger, with rules that tests write and a list that takes the alarms."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.installation import Installation, installation

from tallystick.access.sources.rows import all_sources
from tallystick.clock import Clock
from tallystick.detect.engine import Engine
from tallystick.detect.ports import EnabledRule, EnginePorts, Sender
from tallystick.detect.state import States
from tallystick.detect.subject import Subject
from tallystick.event.occurred import time_of_us
from tallystick.follow.alarm import Alarm, Severity
from tallystick.follow.log_reader import LogReader

S = 1_000_000
HOUR = 3_600 * S
DAY = 24 * HOUR
START = 1_767_607_200 * S
"""Monday, 2026-01-05 at 10:00 UTC."""

MANY_FAILED = """
title: Many failed sign-ins
correlation:
  type: event_count
  rules: [failed]
  group-by: [actor.id]
  timespan: 10m
  condition: {gte: 3}
tallystick: {lateness: 1h}
---
title: A failed sign-in
name: failed
logsource: {product: tallystick}
detection:
  failed: {action: user.sign_in_failed}
  condition: failed
"""
DELETED = """
title: A record was deleted
logsource: {product: tallystick}
detection:
  gone: {action: record.deleted}
  condition: gone
"""


def enabled(
    text: str, rule: str = "r-1", *, scope: str = "", from_index: int = 0, severity: Severity = "high"
) -> EnabledRule:
    """Return a rule in force."""
    data = text.encode()
    title = next(line.partition(": ")[2] for line in text.splitlines() if line.startswith("title: "))
    return EnabledRule(rule, hashlib.sha256(data).hexdigest(), data, severity, title, scope, from_index)


def subject(index: int, received_us: int, action: str = "record.deleted", **changes: Any) -> Subject:
    """Return an event that happened when it was received, unless `occurred_us` says otherwise."""
    actor = changes.pop("actor", "ana")
    event = {
        "action": action,
        "actor": {"id": actor, "type": "user"},
        "targets": [{"id": "r-1", "type": "record"}],
        "scope": "acme/app",
        "occurred_at": time_of_us(changes.pop("occurred_us", received_us)),
        "outcome": "success",
        "source": "app",
        "source_kind": "api",
        **changes,
    }
    number = 0 if event["source_kind"] == "product" else 1
    return Subject(index, received_us, number, event["source_kind"], "application", event)


@dataclass
class DetectWorld:
    """An installation, and an engine beside the one that it has itself, which does not run here."""

    house: Installation
    rules: list[EnabledRule]
    alarms: list[Alarm] = field(default_factory=list)
    lists: dict[str, Sequence[str]] = field(default_factory=dict)
    changes: int = 0
    refuse: Callable[[Sequence[Alarm]], None] = lambda _: None

    def send(self, *events: Mapping[str, Any], **headers: Any) -> list[int]:
        """Record events, and return their indexes."""
        answer = self.house.post([dict(event) for event in events], **headers)
        assert answer.status_code == 201, answer.text
        return [each["index"] for each in answer.json()["events"]]

    def put(self, rule: EnabledRule) -> None:
        """Enable a rule, in place of one with the same id."""
        self.rules[:] = [*(each for each in self.rules if each.id != rule.id), rule]
        self.changes += 1

    def raise_alarms(self, alarms: Sequence[Alarm]) -> None:
        self.refuse(alarms)
        self.alarms += alarms

    @contextmanager
    def engine(self, raise_alarms: Callable[[Sequence[Alarm]], None] | None = None) -> Iterator[Engine]:
        """Yield an engine that goes on from what was saved; `step` runs it."""
        instance = self.house.instance
        projection, settings = instance.projection, instance.settings
        reader = LogReader(instance.ledger.snapshot, settings.data / "segments" / "main", dict)
        with contextlib.closing(States(settings.data / "beside", instance.ledger.origin)) as states:
            ports = EnginePorts(
                enabled=lambda: tuple(self.rules),
                senders=self.senders,
                raise_alarms=raise_alarms or self.raise_alarms,
                now_us=lambda: instance.ledger.status().now,
                refresh=projection.catch_up,
                version=lambda: projection.version + self.changes,
                lists=self.lists.get,
                category=self._category,
            )
            yield Engine(reader, states, ports)

    def senders(self) -> dict[int, Sender]:
        with self.house.instance.projection.engine.connect() as connection:
            return {
                each.number: Sender(
                    each.number,
                    each.name,
                    each.settings.kind,
                    "",
                    each.settings.silence_s,
                    each.registered_at,
                    each.retired,
                )
                for each in all_sources(connection)
            }

    def _category(self, action: str) -> str | None:
        found = self.house.instance.admission.catalogue.get(action)
        return None if found is None else found.category


def settle(engine: Engine) -> None:
    """Judge everything that is in the log."""
    while engine.step() == 0.0:
        pass


@contextmanager
def detecting(root: Path, *texts: str, clock: Clock | None = None) -> Iterator[DetectWorld]:
    """Yield a world with rules in force."""
    rules = [enabled(text, f"r-{number}") for number, text in enumerate(texts, 1)]
    with installation(root, clock=clock) as house:
        world = DetectWorld(house, rules)
        (house.instance.settings.data / "beside").mkdir(exist_ok=True)
        world.house.token()
        yield world
