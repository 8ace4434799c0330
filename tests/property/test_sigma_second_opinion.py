"""pySigma reads rules and has no evaluator; what it reads, evaluated here in the plainest way, agrees with ours."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from tests.sigma_made import EVENTS, rule_texts

from tallystick.sigma import EventView, Rule, load
from tallystick.sigma.compiling import compile_rule
from tallystick.sigma.view import find, text_of

collection = pytest.importorskip("sigma.collection", reason="pySigma is not on this machine")
conditions = pytest.importorskip("sigma.conditions")
types = pytest.importorskip("sigma.types")


@settings(max_examples=250, deadline=None)
@given(rule_texts(), EVENTS)
def test_pysigmas_reading_of_a_rule_matches_the_same_events(text: bytes, event: dict[str, Any]) -> None:
    [rule] = load(text)
    assert isinstance(rule, Rule)
    [theirs] = collection.SigmaCollection.from_yaml(text.decode()).rules
    expected = any(holds(each.parsed, event) for each in theirs.detection.parsed_condition)
    assert compile_rule(rule).holds(EventView(event)) is expected


def holds(condition: Any, event: Mapping[str, Any]) -> bool:
    """Return whether a condition of pySigma's holds for an event."""
    if isinstance(condition, conditions.ConditionAND):
        return all(holds(part, event) for part in condition.args)
    if isinstance(condition, conditions.ConditionOR):
        return any(holds(part, event) for part in condition.args)
    if isinstance(condition, conditions.ConditionNOT):
        return not holds(condition.args[0], event)
    if isinstance(condition, conditions.ConditionValueExpression):
        return in_whole(condition.value, event)
    return in_field(find(event, condition.field), condition.value, event)


def in_whole(value: Any, event: Mapping[str, Any]) -> bool:
    whole = EventView(event).whole().casefold()
    return re.search(expression(value, folded=True), whole, re.DOTALL) is not None


def in_field(values: tuple[Any, ...], expected: Any, event: Mapping[str, Any]) -> bool:
    if isinstance(expected, types.SigmaExpansion):
        return any(in_field(values, each, event) for each in expected.values)
    if isinstance(expected, types.SigmaExists):
        return bool(values) is expected.exists
    if isinstance(expected, types.SigmaNull):
        return not values or None in values
    texts = [text for text in map(text_of, values) if text is not None]
    if isinstance(expected, types.SigmaFieldReference):
        others = [text_of(each) for each in find(event, expected.field)]
        return any(one.casefold() == other.casefold() for one in texts for other in others if other is not None)
    if isinstance(expected, types.SigmaCompareExpression):
        return any(compares(value, expected) for value in values)
    if isinstance(expected, types.SigmaCIDRExpression):
        return any(within(text, expected.cidr) for text in texts)
    if isinstance(expected, types.SigmaRegularExpression):
        flags = re.IGNORECASE if types.SigmaRegularExpressionFlag.IGNORECASE in expected.flags else 0
        # RE2 ends a text where it ends; Python's `$` would also stand before a last line end, of which there are none.
        return any(re.search(str(expected.regexp), text, flags) for text in texts)
    assert isinstance(expected, types.SigmaString)
    cased = isinstance(expected, types.SigmaCasedString)
    plain = expression(expected, folded=not cased)
    return any(re.fullmatch(plain, text if cased else text.casefold(), re.DOTALL) for text in texts)


def expression(value: Any, *, folded: bool) -> str:
    pieces = {types.SpecialChars.WILDCARD_MULTI: ".*", types.SpecialChars.WILDCARD_SINGLE: "."}
    return "".join(
        re.escape(part.casefold() if folded else part) if isinstance(part, str) else pieces[part] for part in value.s
    )


def compares(value: Any, expected: Any) -> bool:
    try:
        number = float("x" if isinstance(value, bool) or value is None else value)
    except (TypeError, ValueError):
        return False
    limit = float(expected.number.number)
    return number > limit if expected.op is types.CompareOperators.GT else number <= limit


def within(text: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(text) in ipaddress.ip_network(network)
    except ValueError:
        return False
