"""Whatever happens to alerts: each is told of, or held back for a reason that is stated; never twice for one occasion."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from typing import Final

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.alert.notify.dispatch import Group
from tallystick.alert.notify.matchers import parse_matchers
from tallystick.alert.notify.model import CLOSED, NEW, US, Receiver, Seen, Silence, Tells, Way
from tallystick.alert.notify.planner import Planner, World
from tallystick.alert.notify.routing_text import parse_routing

ROUTING: Final = parse_routing(
    """
route:
  receiver: ops
  group_by: [scope]
  routes:
  - matchers: [kind=page]
    receiver: pager
    continue: true
    escalation: [{after: 10m, receiver: boss}]
  - matchers: [kind=night]
    receiver: pager
    mute_time_intervals: [always]
  - matchers: [scope=acme/none]
    receiver: nobody
time_intervals: [{name: always, time_intervals: [{}]}]
inhibit_rules: [{source_matchers: [severity=critical], target_matchers: [severity=low], equal: [scope]}]
"""
)
RECEIVERS: Final = {
    name: Receiver(name, Way.WEBHOOK, "", None, resolved, (), (), "", "", 0, "", None, None, None)
    for name, resolved in (("ops", True), ("pager", False), ("boss", True))
}


@dataclass(frozen=True)
class Step:
    """What happens next: time passes, and perhaps one alert changes."""

    seconds: int
    act: str
    number: int
    severity: str
    scope: str
    kind: str


STEPS = st.lists(
    st.builds(
        Step,
        seconds=st.sampled_from([0, 1, 29, 30, 299, 300, 601, 15_000]),
        act=st.sampled_from(["open", "open", "acknowledge", "close", "reopen", "worsen", "silence", "restart", "wait"]),
        number=st.integers(0, 5),
        severity=st.sampled_from(["low", "high", "critical"]),
        scope=st.sampled_from(["acme/app", "acme/web", "acme/none"]),
        kind=st.sampled_from(["page", "night", "other"]),
    ),
    max_size=25,
)


class Story:
    """Alerts over time, and what was told of them."""

    def __init__(self) -> None:
        self.now = 1_800_000_000 * US
        self.index = 0
        self.alerts: dict[str, Seen] = {}
        self.silences: list[Silence] = []
        self.planner = Planner("log", {}, None)
        self.kept: dict[str, Group] = {}
        self.told: Counter[tuple[str, str, int]] = Counter()
        self.reasons: set[tuple[str, str]] = set()
        self.keys: list[str] = []
        self.seen_epochs: dict[str, dict[str, int]] = {}
        self.look()

    def change(self, alert: str, **values: object) -> None:
        self.index += 1
        self.alerts[alert] = replace(self.alerts[alert], changed_index=self.index, **values)  # type: ignore[arg-type]

    def do(self, step: Step) -> None:
        self.now += step.seconds * US
        alert = f"al-{step.number}"
        found = self.alerts.get(alert)
        match step.act:
            case "open" if found is None:
                self.index += 1
                self.alerts[alert] = Seen(
                    alert, step.kind, step.scope, step.severity, NEW, self.index, self.now, self.now, self.index
                )
            case "acknowledge" if found is not None and found.state == NEW:
                self.change(alert, state="acknowledged")
            case "close" if found is not None:
                self.change(alert, state=CLOSED)
            case "reopen" if found is not None and not found.is_open:
                self.change(alert, state="acknowledged", epoch=self.index + 1, since=self.now)
            case "worsen" if found is not None and found.is_open and found.severity != "critical":
                self.change(alert, severity="critical", epoch=self.index + 1, since=self.now)
            case "silence":
                matchers = parse_matchers(f"scope={step.scope}")
                self.silences.append(
                    Silence("si", matchers, step.scope, "", "", self.now, self.now + 600 * US, None, None)
                )
            case "restart":
                groups = {
                    name: msgspec.json.decode(msgspec.json.encode(each), type=Group) for name, each in self.kept.items()
                }
                self.planner = Planner("log", groups, self.planner.place)
        self.look()

    def look(self) -> None:
        place = self.planner.place
        after = place.after if place else -1
        changed = sorted(
            (each for each in self.alerts.values() if each.changed_index > after), key=lambda each: each.changed_index
        )
        standing = [each for each in self.alerts.values() if each.is_open]
        world = World(self.now, "digest", ROUTING, RECEIVERS, self.silences, changed, standing)
        plan = self.planner.plan(world, self.alerts)
        self.kept = {**{name: each for name, each in self.kept.items() if name not in plan.gone}, **plan.touched}
        for each in plan.deliveries:
            self.keys.append(each.key)
            if each.tells in {Tells.FIRING, Tells.ESCALATION}:
                self.fresh(each.group, each.firing)
            assert set(each.firing) == {alert for alert in each.firing if self.alerts[alert].is_open}
            assert all(not self.alerts[alert].is_open for alert in each.resolved)
        for _, note in plan.notes:
            self.reasons |= {(held["alert"], held["reason"]) for held in json.loads(note)["metadata"]["held"]}

    def fresh(self, group: str, firing: tuple[str, ...]) -> None:
        known = self.seen_epochs.setdefault(group, {})
        fresh = [alert for alert in firing if known.get(alert) != self.alerts[alert].epoch]
        assert fresh, "nothing new was told"
        for alert in fresh:
            known[alert] = self.alerts[alert].epoch
            self.told[group, alert, known[alert]] += 1


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_each_alert_is_told_or_held_back_with_a_reason_and_no_occasion_is_told_twice(steps: list[Step]) -> None:
    story = Story()
    for step in steps:
        story.do(step)
    for _ in range(3):  # whatever waits has its time
        story.now += 3600 * US
        story.look()
    assert max(story.told.values(), default=1) == 1
    assert len(set(story.keys)) == len(story.keys), "each notification has a key of its own"
    told = {alert for _, alert, _ in story.told}
    for alert in story.alerts:
        assert alert in told or any(alert == held for held, _ in story.reasons), alert
