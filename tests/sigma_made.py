"""Rules and events made up by Hypothesis: small alphabets, so that they meet."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tallystick.sigma import Logsource

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
def rule_texts(draw: Any) -> bytes:
    source = draw(st.sampled_from(["{product: p, service: s}", "{product: p}", "{category: c}"]))
    text = f"title: t\nlogsource: {source}\ndetection:\n  s1: {draw(searches())}\n  s2: {draw(searches())}\n"
    return f"{text}  condition: {draw(CONDITIONS)}\n".encode()


VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.just("10.1.2.3"), st.just("YWJhYmFi"))
EVENTS = st.fixed_dictionaries(
    {},
    optional={"a": VALUES, "b": VALUES, "c": st.one_of(VALUES, st.dictionaries(st.just("d"), VALUES)), "c.d": VALUES},
)
