"""Whatever is given as a rule, the answer is a rule or an error with a place; whatever event, an answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sigma_made import rule_texts
from tests.sigma_text import rule_of

from tallystick.sigma import EventView, Rule, SigmaError, SigmaTooLargeError, compile_rules, explain, load

SPLINTERS = st.sampled_from(
    ["|", "|re", "|all", "|expand", "'", '"', "{", "}", "[", "]", "*", "?", "\\", "%", "%x%", "\n", "  ", ": ", "- ", "&a ", "*a", "!!x ", "null", "\0", "é", "--- ", "not ", "1 of ", "(", ")", "0x", "1e5", "{1,9}"]
)  # fmt: skip
JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=5),
        st.sampled_from(["\ud800", "a" * 200]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "b", "c", "d", "c.d", ""]), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(rule_texts(), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 3), SPLINTERS), min_size=1, max_size=4))
def test_a_damaged_rule_is_a_rule_or_an_error_with_a_place(text: bytes, damage: list[tuple[int, int, str]]) -> None:
    for at, cut, splinter in damage:
        text = text[:at] + splinter.encode() + text[at + cut :]
    refused: SigmaError | SigmaTooLargeError | None = None
    try:
        rules = {f"r{number}": each for number, each in enumerate(load(text)) if isinstance(each, Rule)}
        compile_rules(rules).match(EventView({"a": "x"}))
    except (SigmaError, SigmaTooLargeError) as error:
        refused = error
    if refused is not None:
        assert refused.line
        assert refused.column
        assert refused.line <= text.count(b"\n") + 2


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_bytes_are_no_rule_or_refused(text: bytes) -> None:
    with pytest.raises((SigmaError, SigmaTooLargeError)):
        load(text)


@settings(max_examples=120, deadline=None)
@given(rule_texts(), st.dictionaries(st.sampled_from(["a", "b", "c", "c.d"]), JSON))
def test_any_event_gets_an_answer_and_the_same_reason(text: bytes, event: dict[str, Any]) -> None:
    [rule] = load(text)
    assert isinstance(rule, Rule)
    matched = compile_rules({"r": rule}).match(EventView(event))
    assert explain(rule, EventView(event)).matched is (matched == ("r",))


@pytest.mark.parametrize("value", ["?" * 4096, "*a" * 2000, "é?*" * 1000, "." * 4000 + "?"])
def test_the_longest_wildcard_text_is_evaluated_in_line_with_the_text(value: str) -> None:
    rules = compile_rules({"r": rule_of(f"s: {{a: '{value}'}}")})
    assert rules.match(EventView({"a": "!" * 100_000})) == ()


def test_a_longer_wildcard_text_is_refused_with_its_place() -> None:
    with pytest.raises(SigmaTooLargeError, match="4096") as caught:
        rule_of(f"s: {{a: '{'?' * 4097}'}}")
    assert (caught.value.line, caught.value.column) == (4, 10)


def test_a_long_text_is_found_by_its_beginning_and_matches_as_a_whole() -> None:
    texts = [f"{number:03}{'x' * 4_000}" for number in range(20)]
    rules = compile_rules({text[:3]: rule_of(f"s: {{a|contains: '{text}'}}") for text in texts})
    assert rules.match(EventView({"a": "-007" + "x" * 4_000})) == ("007",)
    assert rules.match(EventView({"a": "-007" + "x" * 3_999})) == ()
    assert rules.unindexed == ()
