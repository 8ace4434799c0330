"""Correlations over matches: windows that slide, matches that come late, ties, groups, and chains."""

from __future__ import annotations

from typing import Any

import pytest
from tests.correlation_steps import START, Run, S, correlation

from tallystick.sigma import SigmaError
from tallystick.sigma.correlate import AHEAD_US, GROUPS_OF_ONE_MAX, LATENESS_US, event_time
from tallystick.sigma.correlate_chain import Correlations

NO = None
COUNTS: dict[str, tuple[dict[str, Any], list[tuple[Any, ...]], list[int | None]]] = {
    "fires when the number is reached, and goes on": (
        {"when": {"gte": 3}}, [(0, "a"), (10, "a"), (20, "a"), (30, "a")], [NO, NO, 3, 4]),
    "both ends of a window are in it": (
        {"when": {"gte": 2}, "span_s": 60}, [(0, "a"), (60, "a")], [NO, 2]),
    "a moment more than the timespan is too long": (
        {"when": {"gte": 2}, "span_s": 60}, [(0, "a"), (60.000001, "a")], [NO, NO]),
    "windows do not snap to the minute": (
        {"when": {"gte": 4}}, [(55, "a"), (58, "a"), (62, "a"), (65, "a")], [NO, NO, NO, 4]),
    "what left the window is not counted": (
        {"when": {"gte": 2}}, [(0, "a"), (100, "a"), (200, "a")], [NO, NO, NO]),
    "a match that comes late fills the window it belongs to": (
        {"when": {"gte": 3}}, [(0, "a"), (50, "a"), (500, "a"), (25, "a")], [NO, NO, NO, 3]),
    "a late match may complete a window that began before it": (
        {"when": {"gte": 2}}, [(0, "a"), (300, "a"), (40, "a")], [NO, NO, 2]),
    "a late match that is alone there fires nothing": (
        {"when": {"gte": 2}}, [(0, "a"), (300, "a"), (150, "a")], [NO, NO, NO]),
    "matches at the same moment all count": (
        {"when": {"gte": 3}}, [(5, "a"), (5, "a"), (5, "a")], [NO, NO, 3]),
    "gt": ({"when": {"gt": 1}}, [(0, "a"), (1, "a")], [NO, 2]),
    "lt holds for each event while there are few": ({"when": {"lt": 2}}, [(0, "a"), (1, "a")], [1, NO]),
    "lte": ({"when": {"lte": 1}}, [(0, "a"), (1, "a")], [1, NO]),
    "eq": ({"when": {"eq": 2}}, [(0, "a"), (1, "a"), (2, "a")], [NO, 2, NO]),
    "neq": ({"when": {"neq": 2}}, [(0, "a"), (1, "a"), (2, "a")], [1, NO, 3]),
    "two criteria make a range": (
        {"when": {"gte": 2, "lt": 4}}, [(0, "a"), (1, "a"), (2, "a"), (3, "a")], [NO, 2, 3, NO]),
    "several rules are counted together, an event once": (
        {"rules": ("a", "b"), "when": {"gte": 2}}, [(0, ("a", "b")), (1, "b")], [NO, 2]),
    "each group counts for itself": (
        {"by": ("user",), "when": {"gte": 2}},
        [(0, "a", {"user": "ana"}), (1, "a", {"user": "bo"}), (2, "a", {"user": "ana"})], [NO, NO, 2]),
    "events without the field are a group too": (
        {"by": ("user",), "when": {"gte": 2}}, [(0, "a"), (1, "a", {"user": "bo"}), (2, "a", {})], [NO, NO, 2]),
    "a list counts in the group of each member": (
        {"by": ("user",), "when": {"gte": 2}},
        [(0, "a", {"user": ["ana", "bo"]}), (1, "a", {"user": "bo"})], [NO, 2]),
}  # fmt: skip

VALUES: dict[str, tuple[dict[str, Any], list[tuple[Any, ...]], list[int | None]]] = {
    "different values are counted, repeats are not": (
        {"when": {"gte": 3}},
        [(at, "a", {"ip": ip}) for at, ip in enumerate(("1", "1", "2", "2", "3"))], [NO, NO, NO, NO, 3]),
    "a value that left the window is forgotten": (
        {"when": {"gte": 2}}, [(0, "a", {"ip": "1"}), (100, "a", {"ip": "2"}), (130, "a", {"ip": "3"})], [NO, NO, 2]),
    "a value stays while one of its events is in the window": (
        {"when": {"gte": 2}},
        [(0, "a", {"ip": "1"}), (50, "a", {"ip": "1"}), (100, "a", {"ip": "2"})], [NO, NO, 2]),
    "what lacks the field is not counted": ({"when": {"gte": 1}}, [(0, "a", {}), (1, "a", {"ip": "1"})], [NO, 1]),
    "each member of a list is a value": ({"when": {"gte": 2}}, [(0, "a", {"ip": ["1", "2"]})], [2]),
    "a late value counts where it belongs": (
        {"when": {"gte": 3}},
        [(0, "a", {"ip": "1"}), (50, "a", {"ip": "2"}), (200, "a", {"ip": "1"}), (20, "a", {"ip": "3"})],
        [NO, NO, NO, 3]),
    "several fields are counted together": (
        {"field": ("ip", "port"), "when": {"gte": 2}},
        [(0, "a", {"ip": "1", "port": 1}), (1, "a", {"ip": "1"}), (2, "a", {"ip": "1", "port": 2})], [NO, NO, 2]),
    "a number and its text are one value": ({"when": {"gte": 2}}, [(0, "a", {"ip": 1}), (1, "a", {"ip": "1"})], [NO, NO]),
}  # fmt: skip

TEMPORAL: dict[str, tuple[str, dict[str, Any], list[tuple[Any, ...]], list[int | None]]] = {
    "all rules in any order": ("temporal", {}, [(0, "b"), (10, "a")], [NO, 2]),
    "not all rules": ("temporal", {}, [(0, "a"), (10, "a")], [NO, NO]),
    "too far apart": ("temporal", {}, [(0, "a"), (61, "b")], [NO, NO]),
    "one event may match all": ("temporal", {}, [(0, ("a", "b"))], [2]),
    "a late match completes them": ("temporal", {}, [(0, "a"), (400, "a"), (30, "b")], [NO, NO, 2]),
    "fewer rules are enough where the condition says so": (
        "temporal", {"rules": ("a", "b", "d"), "when": {"gte": 2}}, [(0, "a"), (1, "d")], [NO, 2]),
    "in order": ("temporal_ordered", {}, [(0, "a"), (10, "b")], [NO, 2]),
    "out of order": ("temporal_ordered", {}, [(0, "b"), (10, "a")], [NO, NO]),
    "the newest start counts": ("temporal_ordered", {}, [(0, "a"), (50, "a"), (100, "b")], [NO, NO, 2]),
    "in order, too far apart": ("temporal_ordered", {}, [(0, "a"), (61, "b")], [NO, NO]),
    "at the same moment the order of the log decides": ("temporal_ordered", {}, [(5, "a"), (5, "b")], [NO, 2]),
    "at the same moment, the other way round": ("temporal_ordered", {}, [(5, "b"), (5, "a")], [NO, NO]),
    "one event takes one step": ("temporal_ordered", {}, [(0, ("a", "b"))], [NO]),
    "two events that match both are a first and a second": (
        "temporal_ordered", {}, [(0, ("a", "b")), (1, ("a", "b"))], [NO, 2]),
    "a late first step completes the order": (
        "temporal_ordered", {}, [(100, "b"), (500, "b"), (80, "a")], [NO, NO, 2]),
    "a late last step completes the order": (
        "temporal_ordered", {}, [(0, "a"), (500, "a"), (30, "b")], [NO, NO, 2]),
    "a late step that comes before its first fires nothing": (
        "temporal_ordered", {}, [(100, "a"), (500, "a"), (80, "b")], [NO, NO, NO]),
    "three steps": (
        "temporal_ordered", {"rules": ("a", "b", "d")}, [(0, "a"), (1, "d"), (2, "b"), (3, "d")], [NO, NO, NO, 3]),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTS)
def test_events_are_counted_in_sliding_windows(name: str) -> None:
    given, events, expected = COUNTS[name]
    assert Run(correlation("event_count", **given)).counts(events) == expected


@pytest.mark.parametrize("name", VALUES)
def test_different_values_are_counted_in_sliding_windows(name: str) -> None:
    given, events, expected = VALUES[name]
    assert Run(correlation("value_count", **{"field": "ip", **given})).counts(events) == expected


@pytest.mark.parametrize("name", TEMPORAL)
def test_rules_match_together_or_in_order(name: str) -> None:
    kind, given, events, expected = TEMPORAL[name]
    assert Run(correlation(kind, **{"rules": ("a", "b"), **given})).counts(events) == expected


def test_a_firing_names_its_events_its_window_and_its_values() -> None:
    run = Run(correlation("value_count", field="ip", by=("user",), when={"gte": 3}))
    events = [(at, "a", {"user": "ana", "ip": f"10.0.0.{at}"}) for at in (0, 10, 20)]
    fired = [each for event in events for each in run.feed(*event)]
    assert [key for key, _ in fired] == ["c"]
    found = fired[0][1]
    assert found.group == ("ana",)
    assert found.indexes == (0, 1, 2)
    assert (found.since_us, found.time_us) == (START, START + 20 * S)
    assert found.values == ("10.0.0.0", "10.0.0.10", "10.0.0.20")


def test_aliases_join_rules_that_call_the_same_thing_differently() -> None:
    run = Run(
        correlation("temporal", ("a", "b"), by=("who",), aliases={"who": {"a": "user", "b": "account.name"}}),
    )
    assert run.feed(0, "a", {"user": "ana"}) == []
    assert run.feed(1, "b", {"account": {"name": "bo"}}) == []
    assert [each.group for _, each in run.feed(2, "b", {"account": {"name": "ana"}})] == [("ana",)]


def test_a_correlation_of_correlations_sees_their_groups() -> None:
    many = correlation("event_count", ("a",), by=("user", "ip"), when={"gte": 2})
    then = correlation("temporal_ordered", ("many", "b"), by=("user",), span_s=300)
    run = Run({"many": many, "then": then})
    assert run.feed(0, "a", {"user": "ana", "ip": "1"}) == []
    assert [key for key, _ in run.feed(1, "a", {"user": "ana", "ip": "1"})] == ["many"]
    assert run.feed(2, "b", {"user": "bo"}) == []
    assert [(key, each.group) for key, each in run.feed(3, "b", {"user": "ana"})] == [("then", ("ana",))]


def test_one_that_counts_events_counts_how_often_another_came_true() -> None:
    many = correlation("event_count", ("a",), when={"gte": 2}, span_s=10)
    often = correlation("event_count", ("many",), when={"gte": 2}, span_s=1000)
    run = Run({"many": many, "often": often})
    first = [key for at in range(5) for key, _ in run.feed(at, "a")]
    assert "often" not in first, "five attempts in a row are one burst"
    run.feed(100, "a")
    assert "often" in [key for key, _ in run.feed(101, "a")]


def test_a_correlation_that_refers_to_itself_is_refused() -> None:
    circle = {"x": correlation("temporal", ("y",)), "y": correlation("temporal", ("x",))}
    with pytest.raises(SigmaError, match="refers to itself"):
        Run(circle)


def test_a_correlation_that_refers_to_nothing_is_refused() -> None:
    with pytest.raises(SigmaError, match="'gone', which is not there"):
        Correlations({"x": correlation("temporal", ("gone",))}, {"x": "x"})


@pytest.mark.parametrize(("kind", "when"), [("event_count", {"gte": 60_000}), ("temporal_ordered", {"gte": 1})])
def test_a_condition_that_is_not_evaluated_is_refused_with_its_place(kind: str, when: dict[str, int]) -> None:
    with pytest.raises(SigmaError, match="not evaluated") as caught:
        Run(correlation(kind, ("a", "b"), when=when))
    assert (caught.value.line, caught.value.column) == (2, 3)


def test_a_claimed_time_far_from_its_receipt_is_not_believed() -> None:
    received = START
    assert event_time(received - LATENESS_US, received) == received - LATENESS_US
    assert event_time(received - LATENESS_US - 1, received) == received
    assert event_time(received + AHEAD_US, received) == received + AHEAD_US
    assert event_time(received + AHEAD_US + 1, received) == received


def test_groups_beyond_the_most_are_dropped_and_counted() -> None:
    run = Run(correlation("event_count", by=("user",), when={"gte": 2}), groups_max=3)
    for at in range(5):
        run.feed(at, "a", {"user": f"u{at}"})
    correlator = run.correlations.correlators["c"]
    assert len(correlator.groups) == 3
    assert correlator.groups.dropped == 2
    assert run.feed(6, "a", {"user": "u0"}) == [], "it was forgotten, and counted as such"
    assert len(run.feed(7, "a", {"user": "u4"})) == 1


def test_groups_that_can_matter_no_more_are_forgotten_without_being_counted() -> None:
    run = Run(correlation("event_count", by=("user",), when={"gte": 2}))
    for at in range(50):
        run.feed(at * 3600, "a", {"user": f"u{at}"})
    correlator = run.correlations.correlators["c"]
    assert len(correlator.groups) == 1
    assert correlator.groups.dropped == 0


def test_a_group_with_too_many_matches_forgets_the_oldest_and_says_so() -> None:
    run = Run(correlation("event_count", when={"gte": 3}, span_s=3600))
    counts = run.counts([(at / 1000, "a") for at in range(5000)])
    correlator = run.correlations.correlators["c"]
    assert correlator.dropped_entries == 5000 - 4096
    assert counts[-1] is not None


def test_an_event_with_endless_lists_counts_in_a_bounded_number_of_groups() -> None:
    run = Run(correlation("event_count", by=("user", "ip"), when={"gte": 1}))
    fired = run.feed(0, "a", {"user": [f"u{n}" for n in range(100)], "ip": [f"i{n}" for n in range(100)]})
    assert len(fired) == GROUPS_OF_ONE_MAX
