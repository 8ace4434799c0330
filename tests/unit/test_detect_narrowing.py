"""What a rule says before events are read: by which actions history is narrowed, and whether it can hold at all."""

from __future__ import annotations

import pytest
from tests.rules_world import rule_text

from tallystick.detect.logsources import Logsources, shipped_bindings
from tallystick.detect.narrowing import actions_of, can_hold, query_of
from tallystick.detect.rulefile import parse_rule
from tallystick.detect.shipping import pack
from tallystick.detect.trials import subjects_of
from tallystick.query.parser import parse_query
from tallystick.sigma import Rule, load

HEAD = "title: t\nlogsource: {product: tallystick}\ndetection:\n"


def rule(detection: str) -> Rule:
    (found,) = load((HEAD + detection).encode())
    assert isinstance(found, Rule)
    return found


@pytest.mark.parametrize(
    ("detection", "actions"),
    [
        ("  a: {action: user.signed_in}\n  condition: a", {"user.signed_in"}),
        ("  a: {action: [x.made, Y.Gone]}\n  condition: a", {"x.made", "y.gone"}),
        ("  a: {action: stream.*}\n  condition: a", {"stream.*"}),
        ("  a: {action|startswith: stream.}\n  condition: a", {"stream.*"}),
        ("  a: {action: x.made, outcome: failure}\n  b: {action: y.made}\n  condition: a or b", {"x.made", "y.made"}),
        ("  a: {action: x.made}\n  b: {outcome: failure}\n  condition: a and b", {"x.made"}),
        ("  a: {action: x.made}\n  b: {outcome: failure}\n  condition: a or b", None),
        ("  a: {action: x.made}\n  condition: not a", None),
        ("  a: {action: x.made}\n  b: {action: y.made}\n  condition: a and not b", {"x.made"}),
        ("  a: {action|endswith: made}\n  condition: a", None),
        ("  a: {action: '*made'}\n  condition: a", None),
        ("  a1: {action: x.made}\n  a2: {action: y.made}\n  condition: 1 of a*", {"x.made", "y.made"}),
        ("  a: [word]\n  condition: a", None),
    ],
)
def test_history_is_narrowed_by_the_actions_that_every_match_has(detection: str, actions: set[str] | None) -> None:
    found = actions_of([rule(detection)])
    assert (None if found is None else set(found)) == actions


@pytest.mark.parametrize("name", pack())
def test_no_event_for_which_a_rule_fires_is_narrowed_away(name: str) -> None:
    file = parse_rule(pack()[name])
    actions = actions_of(file.documents)
    for sample in (each for each in file.samples if each.matches and actions is not None):
        kept = [subject for subject in subjects_of(sample) if is_among(subject.event["action"], actions or ())]
        assert kept
        assert {subject.index for subject in kept} == {subject.index for subject in subjects_of(sample)}


def is_among(action: str, actions: object) -> bool:
    assert isinstance(actions, frozenset)
    return any(action.startswith(each[:-1]) if each.endswith("*") else action == each for each in actions)


@pytest.mark.parametrize(
    ("detection", "holds"),
    [
        ("  a: {action: x}\n  condition: a", True),
        ("  a: {nowhere: x}\n  condition: a", False),
        ("  a: {nowhere: null}\n  condition: a", True),
        ("  a: {nowhere|exists: false}\n  condition: a", True),
        ("  a: {nowhere: x}\n  condition: not a", True),
        ("  a: {action: x, nowhere: y}\n  condition: a", False),
        ("  a: {nowhere: x}\n  b: {action: y}\n  condition: a or b", True),
        ("  a: {nowhere: x}\n  b: {action: y}\n  condition: a and b", False),
        ("  a: [word]\n  condition: a", True),
    ],
)
def test_a_rule_cannot_hold_where_what_it_requires_never_comes(detection: str, holds: bool) -> None:
    assert can_hold(rule(detection), {"action"}) is holds


def test_the_rule_of_the_tests_is_narrowed_to_its_action() -> None:
    assert actions_of(parse_rule(rule_text().encode()).documents) == frozenset({"secret.read"})


@pytest.mark.parametrize(
    ("logsource", "detection", "query"),
    [
        ("tallystick", "  a: {action: x.made}\n  condition: a", "action:(x.made)"),
        (
            "aws",
            "  a: {eventName: [DeleteTrail, StopLogging]}\n  condition: a",
            "raw.eventName:(deletetrail OR stoplogging)",
        ),
        (
            "aws",
            "  a: {eventName: DeleteTrail, eventSource: a.amazonaws.com}\n  condition: a",
            "raw.eventName:(deletetrail)",
        ),
        ("aws", "  a: {eventName|startswith: Delete}\n  condition: a", ""),
        ("aws", "  a: {eventName: 'Delete Trail'}\n  condition: a", ""),
        ("aws", "  a: {userIdentity.type: Root}\n  condition: a", ""),
        ("aws", "  a: {eventName: Delete}\n  condition: not a", ""),
        ("aws", "  a: {message: Delete}\n  condition: a", ""),
        ("gcp", "  a: {eventName: CREATE_USER}\n  condition: a", ""),
    ],
)
def test_history_of_vendors_events_is_narrowed_by_what_one_field_must_be(
    logsource: str, detection: str, query: str
) -> None:
    (found,) = load((HEAD.replace("tallystick", logsource) + detection).encode())
    made = query_of([found], Logsources(shipped_bindings()), lambda _: None)
    assert made == query
    if query:
        parse_query(made, now_us=0)


def test_a_search_for_several_rules_finds_what_any_of_them_wants() -> None:
    texts = ("  a: {action: x.made}\n  condition: a", "  a: {action: y.made}\n  condition: a")
    made = query_of([rule(each) for each in texts], Logsources(shipped_bindings()), lambda _: None)
    assert made == "action:(x.made) OR action:(y.made)"
