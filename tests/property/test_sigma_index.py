"""Finding the rules that can match changes no answer, and a rule means the same to a second, plainer reading."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.sigma import EventView, Logsource, Rule, compile_rules, load
from tallystick.sigma.compiling import compile_rule
from tallystick.sigma.conditions import is_name
from tallystick.sigma.expressions import LiteralSet, compile_expression
from tallystick.sigma.required import required_text
from tallystick.sigma.wildcards import ANY, ONE, escape, format_pattern, parse_pattern

FIELDS = ("a", "b", "c.d")
TEXT = st.text(alphabet="aAbBß*?\\.-/ 1", max_size=6)
WORDS = st.sampled_from(["", "a", "A", "ab", "aba", "b*", "?b", "a*b", r"\*", "*", "a-b", " -a", "1", "11"])
SCALARS = st.one_of(TEXT, WORDS, st.integers(-2, 12), st.booleans(), st.none(), st.floats(-2, 12, width=16))
MODIFIERS = st.sampled_from(
    [
        "",
        "contains",
        "startswith",
        "endswith",
        "contains|cased",
        "cased",
        "neq",
        "windash|contains",
        "re",
        "re|i",
        "fieldref",
        "gt",
        "lte",
        "exists",
        "base64offset|contains",
        "cidr",
    ]
)
EXPRESSIONS = st.sampled_from(["a", "a+b", "^a", "b$", "ab?", "a|b", "(ab)+", "[ab]1", "a.b", "x{2}a"])
LOGSOURCES = (Logsource(product="p", service="s"), Logsource(product="p"), Logsource(category="c"))


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@st.composite
def items(draw: Any) -> str:
    modifiers = draw(MODIFIERS)
    field = draw(st.sampled_from(FIELDS))
    if modifiers.startswith("re"):
        values = [quoted(draw(EXPRESSIONS))]
    elif modifiers in {"gt", "lte"}:
        values = [str(draw(st.integers(-2, 12)))]
    elif modifiers == "exists":
        values = [draw(st.sampled_from(["true", "false"]))]
    elif modifiers == "fieldref":
        values = [draw(st.sampled_from(FIELDS))]
    elif modifiers == "cidr":
        values = [draw(st.sampled_from(["10.0.0.0/8", "'::/0'", "1.2.3.4"]))]
    elif modifiers.startswith("base64"):
        values = [quoted(draw(st.text(alphabet="ab", min_size=2, max_size=4)))]
    else:
        drawn = draw(st.lists(st.one_of(TEXT, WORDS), min_size=1, max_size=3))
        values = [quoted(text) for text in drawn]
        if not modifiers and draw(st.integers(0, 9)) == 0:
            values = ["null"]
    several = len(values) > 1 and modifiers and modifiers != "exists" and draw(st.booleans())
    key = "|".join(part for part in (field, modifiers, "all" if several else "") if part)
    return f"{quoted(key)}: [{', '.join(values)}]"


@st.composite
def searches(draw: Any) -> str:
    kind = draw(st.integers(0, 5))
    if kind == 0:
        return "[" + ", ".join(quoted(text) for text in draw(st.lists(WORDS, min_size=1, max_size=2))) + "]"
    if kind == 1:
        return "[" + ", ".join("{" + draw(items()) + "}" for _ in range(2)) + "]"
    first, second = draw(items()), draw(items())
    return "{" + (first if kind == 2 or first.split(":")[0] == second.split(":")[0] else f"{first}, {second}") + "}"


CONDITIONS = st.sampled_from(
    [
        "s1",
        "s1 and s2",
        "s1 or s2",
        "s1 and not s2",
        "not s1",
        "1 of s*",
        "all of them",
        "(s1 or not s2) and s2",
        "[s1, s2 and s1]",
    ]
)


@st.composite
def rules(draw: Any) -> Rule:
    source = draw(st.sampled_from(["{product: p, service: s}", "{product: p}", "{category: c}"]))
    text = f"title: t\nlogsource: {source}\ndetection:\n  s1: {draw(searches())}\n  s2: {draw(searches())}\n"
    [rule] = load((text + f"  condition: {draw(CONDITIONS)}\n").encode())
    assert isinstance(rule, Rule)
    return rule


VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.just("10.1.2.3"), st.just("YWJhYmFi"))
EVENTS = st.fixed_dictionaries(
    {},
    optional={"a": VALUES, "b": VALUES, "c": st.one_of(VALUES, st.dictionaries(st.just("d"), VALUES)), "c.d": VALUES},
)


@settings(max_examples=400, deadline=None)
@given(st.lists(rules(), min_size=1, max_size=20), st.lists(EVENTS, min_size=1, max_size=5))
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


@settings(max_examples=400, deadline=None)
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
def test_a_pattern_written_again_is_the_same_pattern(written: str) -> None:
    pattern = parse_pattern(written)
    assert parse_pattern(format_pattern(pattern)) == pattern
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


@settings(max_examples=400, deadline=None)
@given(PIECES, st.text(alphabet="ab.1", max_size=8))
def test_what_an_expression_finds_holds_the_text_that_it_requires(pieces: list[str], text: str) -> None:
    expression = "".join(pieces)
    if compile_expression(expression)(text):
        assert required_text(expression) in text


@given(st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=600, unique=True), st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_the_literals_found_are_those_that_stand_in_the_text(literals: list[str], text: str) -> None:
    assert sorted(LiteralSet(literals).find(text)) == [at for at, literal in enumerate(literals) if literal in text]


@given(st.text(max_size=12))
def test_a_name_that_may_be_given_can_be_asked_for(name: str) -> None:
    if is_name(name):
        [rule] = load(
            f"title: t\nlogsource: {{product: p}}\ndetection:\n  {quoted(name)}: {{a: x}}\n  condition: {quoted(name)}\n".encode()
        )
        assert isinstance(rule, Rule)
