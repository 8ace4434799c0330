"""What somebody with rules in one scope would try with the rules of others."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.detect_world import enabled

from tallystick.detect.compiled import RulesInForce, compile_enabled
from tallystick.detect.errors import RuleTextError
from tallystick.detect.logsources import Logsources, shipped_bindings
from tallystick.detect.ports import EnabledRule
from tallystick.detect.rulefile import parse_rule

FAILED = """
title: A failed sign-in
name: failed_here
logsource: {product: tallystick}
detection:
  failed: {action: user.sign_in_failed}
  condition: failed
"""
MANY = """
title: Many failed sign-ins
correlation:
  type: event_count
  rules: [failed_here]
  group-by: [actor.id]
  timespan: 10m
  condition: {gte: 3}
"""
HARMLESS = FAILED.replace("user.sign_in_failed", "never.happens")


def compiled(rules: Sequence[EnabledRule]) -> RulesInForce:
    return compile_enabled(rules, Logsources(shipped_bindings()), lambda _: None)


@pytest.mark.parametrize("other", ["dr-a", "dr-z"])
def test_a_rule_of_a_scope_below_cannot_take_the_place_of_one_that_a_correlation_counts(other: str) -> None:
    force = compiled([enabled(FAILED, "dr-m"), enabled(MANY, "dr-n"), enabled(HARMLESS, other, scope="acme/sandbox")])
    assert [each.correlation.rules for each in force.correlations.correlators.values()] == [("dr-m#0",)]


def test_a_correlation_that_could_mean_two_rules_says_so_instead_of_counting_one() -> None:
    force = compiled([enabled(FAILED, "dr-m"), enabled(MANY, "dr-n"), enabled(HARMLESS, "dr-z")])
    assert force.correlations.correlators == {}
    assert "more than one rule" in force.units["dr-n"].failed


def test_a_rule_may_count_what_those_above_it_are_called() -> None:
    force = compiled([enabled(FAILED, "dr-m"), enabled(MANY, "dr-n", scope="acme")])
    assert [each.correlation.rules for each in force.correlations.correlators.values()] == [("dr-m#0",)]


@pytest.mark.parametrize(
    "held",
    [
        "occurred_at: x",
        "occurred_at: 7",
        "occurred_at: 2026-01-05",
        "occurred_at: 99999-01-01T00:00:00Z",
        "scope: [acme]",
        "actor: ana",
        "targets: 3",
        "targets: [app]",
        "metadata: 7",
        "source: {}",
    ],
)
def test_a_sample_that_no_event_could_be_is_refused_at_its_place(held: str) -> None:
    samples = f"tallystick:\n  samples:\n  - match: true\n    events:\n    - {{action: a.b, {held}}}\n"
    with pytest.raises(RuleTextError) as refused:
        parse_rule((FAILED + samples).encode())
    assert (refused.value.line, refused.value.column) == (12, 21)
