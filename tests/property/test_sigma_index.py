"""Finding the rules that can match changes no answer, and a rule means the same to a second, plainer reading."""

from __future__ import annotations

import random
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sigma_made import EVENTS, LOGSOURCES, TEXT, quoted, rule_texts

from tallystick.sigma import EventView, Rule, compile_rules, load
from tallystick.sigma.compiling import compile_rule
from tallystick.sigma.conditions import is_name
from tallystick.sigma.expressions import LiteralSet, compile_expression
from tallystick.sigma.required import required_text
from tallystick.sigma.wildcards import ANY, ONE, escape, parse_pattern


def rule_of(text: bytes) -> Rule:
    [rule] = load(text)
    assert isinstance(rule, Rule)
    return rule


@settings(max_examples=150, deadline=None)
@given(st.lists(rule_texts().map(rule_of), min_size=1, max_size=20), st.lists(EVENTS, min_size=1, max_size=5))
def test_the_index_changes_no_answer(drawn: list[Rule], events: list[dict[str, Any]]) -> None:
    named = {f"r{number}": rule for number, rule in enumerate(drawn)}
    together = compile_rules(named)
    for event in events:
        for origins in (None, frozenset(LOGSOURCES[:1]), frozenset(LOGSOURCES[1:])):
            expected = tuple(
                key
                for key, rule in named.items()
                if (origins is None or any(rule.logsource.covers(each) for each in origins))
                and compile_rule(rule).holds(EventView(event))
            )
            assert together.match(EventView(event), origins) == expected


@settings(max_examples=150, deadline=None)
@given(TEXT, TEXT)
def test_a_wildcard_text_matches_what_the_same_expression_of_python_matches(written: str, text: str) -> None:
    pieces = {ANY: ".*", ONE: "."}
    pattern = parse_pattern(written)
    plain = "".join(re.escape(part.casefold()) if isinstance(part, str) else pieces[part] for part in pattern)  # type: ignore[index]
    [rule] = load(
        f"title: t\nlogsource: {{product: p}}\ndetection:\n  s: {{a: {quoted(written)}}}\n  condition: s\n".encode()
    )
    assert isinstance(rule, Rule)
    expected = re.fullmatch(plain, text.casefold(), re.DOTALL) is not None
    assert compile_rule(rule).holds(EventView({"a": text})) is expected


@given(st.text(alphabet="ab*?\\", max_size=8))
def test_an_escaped_text_stands_for_itself(written: str) -> None:
    assert parse_pattern(escape(written)) == ((written,) if written else ())


PIECES = st.lists(
    st.sampled_from(
        [
            "a",
            "b",
            "ab",
            ".",
            "a?",
            "b+",
            "(ab)",
            "(?:a|b)",
            "[ab]",
            "[^]a]",
            r"\.",
            r"\d",
            "a{2}",
            "|",
            "^",
            "$",
            r"\x61",
            r"\Qa\E",
        ]
    ),
    max_size=6,
)


@settings(max_examples=150, deadline=None)
@given(PIECES, st.text(alphabet="ab.1", max_size=8))
def test_what_an_expression_finds_holds_the_text_that_it_requires(pieces: list[str], text: str) -> None:
    expression = "".join(pieces)
    if compile_expression(expression)(text):
        assert required_text(expression) in text


@given(st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=600, unique=True), st.text(max_size=60))
@settings(max_examples=40, deadline=None)
def test_the_literals_found_are_those_that_stand_in_the_text(literals: list[str], text: str) -> None:
    assert sorted(LiteralSet(literals).find(text)) == [at for at, literal in enumerate(literals) if literal in text]


def test_literals_that_do_not_fit_one_automaton_are_found_by_several() -> None:
    chance = random.Random(11)
    literals = list(dict.fromkeys("".join(chance.choices("abcd", k=chance.randint(6, 90))) for _ in range(3_000)))
    together, apart = LiteralSet(literals), LiteralSet(literals, memory=1024 * 1024)
    for _ in range(20):
        text = "".join(chance.choices("abcd", k=2_000)) + chance.choice(literals)
        expected = [at for at, literal in enumerate(literals) if literal in text]
        assert sorted(together.find(text)) == sorted(apart.find(text)) == expected


@given(st.text(max_size=12))
def test_a_name_that_may_be_given_can_be_asked_for(name: str) -> None:
    if is_name(name):
        [rule] = load(
            f"title: t\nlogsource: {{product: p}}\ndetection:\n  {quoted(name)}: {{a: x}}\n  condition: {quoted(name)}\n".encode()
        )
        assert isinstance(rule, Rule)
