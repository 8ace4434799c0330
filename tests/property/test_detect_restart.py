"""States saved and taken back at any point give the alarms of a run that was never interrupted."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.correlation_steps import Run, correlation
from tests.detect_world import DELETED, HOUR, MANY_FAILED, START, S, enabled, subject

from tallystick.detect.replay import Replay
from tallystick.detect.subject import Subject
from tallystick.follow.alarm import Alarm

NATIVE = "tallystick: {kind: %s}\n"
RULES = [
    enabled(DELETED, "plain"),
    enabled(MANY_FAILED, "many"),
    enabled(MANY_FAILED.replace("event_count", "value_count").replace("gte: 3", "gte: 2, field: context.ip"), "values"),
    enabled(
        MANY_FAILED.replace("type: event_count", "type: temporal_ordered")
        .replace("rules: [failed]", "rules: [failed, gone]")
        .replace("  condition: {gte: 3}\n", "")
        + "---\n"
        + DELETED.replace("title: A record was deleted", "title: Gone\nname: gone"),
        "ordered",
    ),
    enabled(DELETED + NATIVE % "silence, group_by: [actor.id], expect: 2m", "silent"),
    enabled(DELETED + NATIVE % "first_seen, value: [context.ip], warm_up: 60s", "new"),
]
STEP = st.tuples(
    st.sampled_from([0, 1, 7, 30, 61, 200, 900]),
    st.sampled_from(["record.deleted", "user.sign_in_failed", "user.signed_in"]),
    st.sampled_from(["ana", "bo"]),
    st.sampled_from(["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
    st.sampled_from([0, 0, 0, 20, 400, 7200]),
)


def subjects(steps: list[tuple[int, str, str, str, int]]) -> list[Subject]:
    made, at = [], START
    for index, (after_s, action, actor, address, late_s) in enumerate(steps):
        at += after_s * S
        made.append(subject(index, at, action, actor=actor, context={"ip": address}, occurred_us=at - late_s * S))
    return made


class Kept:
    """What a run saves, as it goes to the disk and comes back."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, tuple[int, bytes]]] = {}
        self.received_us = 0

    def save(self, run: Replay) -> None:
        changes = [*run.detector.take_changes(), *(("folds", *row) for row in run._folding.take_changes())]
        for rule, group, order, plain in changes:
            part = self.rows.setdefault(rule, {})
            if plain is None:
                part.pop(json.dumps(group), None)
            else:
                part[json.dumps(group)] = (order, msgspec.msgpack.encode(plain))
        self.received_us = run.detector.received_us

    def restore(self) -> Replay:
        run = Replay(RULES)
        rows = {
            rule: sorted(
                (tuple(json.loads(group)), order, msgspec.msgpack.decode(data)) for group, (order, data) in part.items()
            )
            for rule, part in self.rows.items()
        }
        for part in rows.values():
            part.sort(key=lambda row: row[1])
        run.detector.load(rows)
        run._folding.load(rows.get("folds", []))
        run.detector.received_us = self.received_us
        return run


def plain(alarms: list[Alarm]) -> list[dict[str, Any]]:
    return sorted((asdict(each) for each in alarms), key=lambda each: each["occasion"])


@given(st.lists(STEP, max_size=60), st.lists(st.integers(0, 60), max_size=6))
def test_interrupted_and_whole_runs_raise_the_same_alarms(
    steps: list[tuple[int, str, str, str, int]], stops: list[int]
) -> None:
    events = subjects(steps)
    until = (events[-1].received_us if events else START) + HOUR
    whole = Replay(RULES)
    expected = [alarm for each in events for alarm in whole.feed(each)] + whole.end(until)

    kept = Kept()
    run, told = Replay(RULES), list[Alarm]()
    for index, each in enumerate(events):
        if index in stops:
            kept.save(run)
            run = kept.restore()
        told += run.feed(each)
    told += run.end(until)
    assert plain(told) == plain(expected)
    assert len({each.occasion for each in expected}) == len(expected)


@given(
    st.lists(st.tuples(st.integers(0, 300), st.sampled_from("ab"), st.sampled_from("xy")), max_size=40),
    st.sampled_from(["event_count", "value_count", "temporal", "temporal_ordered"]),
)
def test_a_correlation_fires_exactly_where_looking_at_all_windows_says_so(
    steps: list[tuple[int, str, str]], kind: str
) -> None:
    span = 60
    when = {"gte": 3} if kind == "event_count" else {"gte": 2} if kind == "value_count" else {}
    names = ("a", "b") if kind.startswith("temporal") else ("a",)
    made = correlation(kind, names, when=when, field="v" if kind == "value_count" else "", span_s=span)
    run, seen = Run(made), list[tuple[int, int, str, str]]()
    for index, (at, drawn, value) in enumerate(steps):
        rule = drawn if drawn in names else "a"
        seen.append((at, index, rule, value))
        fired = bool(run.feed(at, rule, {"v": value}))
        assert fired == _holds(kind, sorted(seen), (at, index, rule, value), span), seen


def _holds(kind: str, seen: list[tuple[int, int, str, str]], new: tuple[int, int, str, str], span: int) -> bool:
    """Look at every window that ends at an event and holds the new one."""
    for end in range(len(seen)):
        window = [each for each in seen[: end + 1] if each[0] >= seen[end][0] - span]
        if new not in window:
            continue
        if kind == "event_count" and len(window) >= 3:
            return True
        if kind == "value_count" and len({each[3] for each in window}) >= 2:
            return True
        if kind == "temporal" and len({each[2] for each in window}) == 2:
            return True
        if kind == "temporal_ordered":
            pairs = ((one, two) for one in window for two in window if one < two and (one[2], two[2]) == ("a", "b"))
            if any(new in pair for pair in pairs):
                return True
    return False
