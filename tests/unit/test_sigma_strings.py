"""What the values of a rule mean: wildcards, escapes, case, numbers, null, lists, paths and keywords."""

from __future__ import annotations

from typing import Any

import pytest
from tests.sigma_text import matches

from tallystick.sigma import EventView, escape
from tallystick.sigma.wildcards import ANY, ONE, parse_pattern

CASES: list[tuple[str, str, dict[str, Any], bool]] = [
    # Case and the whole of a text
    ("case does not count", "s: {a: IAM}", {"a": "iam"}, True),
    ("case does not count beyond ASCII", "s: {a: ΑΣ}", {"a": "ας"}, True),
    ("the whole text counts", "s: {a: ia}", {"a": "iam"}, False),
    ("another field does not count", "s: {a: iam}", {"b": "iam"}, False),
    ("a missing field is no text", "s: {a: x}", {}, False),
    ("an empty text is empty", "s: {a: ''}", {"a": ""}, True),
    ("an empty text is not a missing field", "s: {a: ''}", {}, False),
    ("an empty text is not null", "s: {a: ''}", {"a": None}, False),
    ("spaces count", "s: {a: ' x'}", {"a": "x"}, False),
    # Wildcards
    ("a star is any run", "s: {a: 'x*z'}", {"a": "xyyz"}, True),
    ("a star is an empty run too", "s: {a: 'x*z'}", {"a": "xz"}, True),
    ("a star runs over lines", "s: {a: 'x*z'}", {"a": "x\n\nz"}, True),
    ("a star at the end", "s: {a: 'x*'}", {"a": "xyz"}, True),
    ("a star at the end leaves the beginning", "s: {a: 'x*'}", {"a": "ax"}, False),
    ("a star at the beginning", "s: {a: '*z'}", {"a": "xyz"}, True),
    ("a star at both ends", "s: {a: '*y*'}", {"a": "xyz"}, True),
    ("a star alone is any text", "s: {a: '*'}", {"a": ""}, True),
    ("a star alone needs a field", "s: {a: '*'}", {}, False),
    ("a star alone is any number", "s: {a: '*'}", {"a": 7}, True),
    ("a question mark is one character", "s: {a: 'x?z'}", {"a": "xyz"}, True),
    ("a question mark is not none", "s: {a: 'x?z'}", {"a": "xz"}, False),
    ("a question mark is not two", "s: {a: 'x?z'}", {"a": "xyyz"}, False),
    ("a question mark is one character beyond ASCII", "s: {a: 'x?z'}", {"a": "xéz"}, True),
    ("a question mark at the beginning", "s: {a: '?z'}", {"a": "yz"}, True),
    ("a question mark and a star", "s: {a: 'a?c*f'}", {"a": "abcdef"}, True),
    ("several stars", "s: {a: 'a*c*e'}", {"a": "abcde"}, True),
    ("several stars keep the order", "s: {a: 'a*c*e'}", {"a": "ace"}, True),
    ("parts do not overlap", "s: {a: 'ab*ba'}", {"a": "aba"}, False),
    ("signs of expressions are plain text", "s: {a: 'a.c(d)?'}", {"a": "a.c(d)x"}, True),
    ("a point is a point", "s: {a: 'a.c*e'}", {"a": "abcde"}, False),
    # Escapes; in the YAML below, quotes are single, so that what stands there is what the rule says
    (r"\ before a letter is itself", r"s: {a: 'C:\win'}", {"a": "c:\\win"}, True),
    (r"\\ before a letter is one", r"s: {a: 'C:\\win'}", {"a": "c:\\win"}, True),
    (r"\* is a star", r"s: {a: 'x\*z'}", {"a": "x*z"}, True),
    (r"\* is not any run", r"s: {a: 'x\*z'}", {"a": "xyz"}, False),
    (r"\? is a question mark", r"s: {a: 'x\?z'}", {"a": "x?z"}, True),
    (r"\? is not any character", r"s: {a: 'x\?z'}", {"a": "xyz"}, False),
    (r"\\* is a backslash and any run", r"s: {a: 'x\\*'}", {"a": "x\\yz"}, True),
    (r"\\* needs the backslash", r"s: {a: 'x\\*'}", {"a": "xyz"}, False),
    (r"\\\* is a backslash and a star", r"s: {a: 'x\\\*'}", {"a": "x\\*"}, True),
    (r"\\\* is no run", r"s: {a: 'x\\\*'}", {"a": "x\\y"}, False),
    (r"\\\ is two", r"s: {a: 'x\\\y'}", {"a": "x\\\\y"}, True),
    (r"\\\\ is two", r"s: {a: 'x\\\\y'}", {"a": "x\\\\y"}, True),
    (r"\ at the end is itself", "s: {a: 'x\\'}", {"a": "x\\"}, True),
    (r"\ at the end, before the run of startswith", "s: {a|startswith: 'x\\'}", {"a": "x\\y"}, True),
    # Numbers, truth, null
    ("a number is its text", "s: {a: 4688}", {"a": "4688"}, True),
    ("a text is its number", "s: {a: '4688'}", {"a": 4688}, True),
    ("a number is a number", "s: {a: 4688}", {"a": 4688}, True),
    ("a whole number is the same with a point", "s: {a: 5}", {"a": 5.0}, True),
    ("a number with a point is the whole one", "s: {a: 5.0}", {"a": 5}, True),
    ("a number as it is written", "s: {a: 1.10}", {"a": "1.10"}, True),
    ("a number of base sixteen", "s: {a: 0x1F}", {"a": 31}, True),
    ("a digest that looks like a number", "s: {a: 12e45678}", {"a": "12E45678"}, True),
    (
        "more digits than a number has",
        "s: {a: 1000000000000000000000000000000000000000000000000000000000000}",
        {"a": "1000000000000000000000000000000000000000000000000000000000000"},
        True,
    ),
    ("another number", "s: {a: 5}", {"a": 50}, False),
    ("a negative number", "s: {a: -1}", {"a": -1}, True),
    ("a number within a text", "s: {a|contains: 68}", {"a": "4688"}, True),
    ("true is true", "s: {a: true}", {"a": True}, True),
    ("true is its text in any case", "s: {a: true}", {"a": "True"}, True),
    ("a text is truth", "s: {a: 'false'}", {"a": False}, True),
    ("true is not one", "s: {a: 1}", {"a": True}, False),
    ("NO is a text", "s: {a: NO}", {"a": "No"}, True),
    ("a date is a text", "s: {a: 2026-01-31}", {"a": "2026-01-31"}, True),
    ("null is null", "s: {a: null}", {"a": None}, True),
    ("null is missing", "s: {a: null}", {}, True),
    ("null is not empty", "s: {a: null}", {"a": ""}, False),
    ("null is not an object", "s: {a: null}", {"a": {"b": 1}}, False),
    ("null within a list", "s: {a: null}", {"a": ["x", None]}, True),
    ("nothing after the colon is null", "s: {a: }", {}, True),
    # Lists and paths
    ("one of the values is enough", "s: {a: [x, y]}", {"a": "y"}, True),
    ("none of the values", "s: {a: [x, y]}", {"a": "z"}, False),
    ("values of several kinds", "s: {a: [x, 'y*', 3]}", {"a": 3}, True),
    ("any member of a list", "s: {a: y}", {"a": ["x", "y"]}, True),
    ("no member of a list", "s: {a: z}", {"a": ["x", "y"]}, False),
    ("an empty list has no text", "s: {a: '*'}", {"a": []}, False),
    ("a list within a list", "s: {a: y}", {"a": [["x"], ["y"]]}, True),
    ("a path into objects", "s: {a.b.c: x}", {"a": {"b": {"c": "x"}}}, True),
    ("a path that ends early", "s: {a.b.c: x}", {"a": {"b": "x"}}, False),
    ("a path through a list", "s: {a.b: y}", {"a": [{"b": "x"}, {"b": "y"}]}, True),
    ("a key with a point", "s: {a.b: x}", {"a.b": "x"}, True),
    ("a key with a point, deeper", "s: {a.b.c: x}", {"a": {"b.c": "x"}}, True),
    ("an object has no text", "s: {a: '*'}", {"a": {"b": "x"}}, False),
    ("keys keep their case", "s: {A: x}", {"a": "x"}, False),
    # Maps and lists of maps
    ("a map needs every field", "s: {a: x, b: y}", {"a": "x"}, False),
    ("a map with every field", "s: {a: x, b: y}", {"a": "x", "b": "y"}, True),
    ("a list of maps needs one", "s: [{a: x}, {b: y}]", {"b": "y"}, True),
    ("a list of maps needs one whole", "s: [{a: x, b: y}, {c: z}]", {"a": "x"}, False),
    # Keywords
    ("a keyword is found in any field", "s: [evil]", {"a": {"b": ["so EVIL here"]}}, True),
    ("a keyword is not found in a key", "s: [evil]", {"evil": "x"}, False),
    ("one keyword is enough", "s: [evil, bad]", {"a": "bad"}, True),
    ("a keyword with a wildcard", "s: ['e?il*x']", {"a": "so evil an x here"}, True),
    ("a number as keyword", "s: [404]", {"a": "HTTP 404"}, True),
    ("a keyword and a number of the event", "s: [404]", {"a": 404}, True),
    ("all keywords", "s: {'|all': [evil, bad]}", {"a": "bad", "b": "evil"}, True),
    ("not all keywords", "s: {'|all': [evil, bad]}", {"a": "bad"}, False),
    ("keywords beside maps", "s: [evil, {a: x}]", {"a": "x"}, True),
    ("a keyword in its case", "s: {'|cased': [Evil, Worse]}", {"a": "evil"}, False),
    ("an expression in the whole event", r"s: {'|re': 'ev.l\d'}", {"a": "my evil7"}, True),
]


@pytest.mark.parametrize(("claim", "searches", "event", "expected"), CASES, ids=[case[0] for case in CASES])
def test_a_value_means(claim: str, searches: str, event: dict[str, Any], expected: bool) -> None:
    assert matches(searches, event) is expected


def test_a_list_of_many_parts_of_texts_means_each_of_them() -> None:
    searches = f"s: {{a|contains: [{', '.join(f'part-{number}-{number}' for number in range(300))}]}}"
    assert matches(searches, {"a": "the PART-299-299 of it"})
    assert not matches(searches, {"a": "the part-299-298 of it"})


@pytest.mark.parametrize("text", ["", "a", "*", "a*b?c", r"\*", r"\\*", r"\\\*", "\\\\server\\x", "100%"])
def test_an_escaped_text_stands_for_itself(text: str) -> None:
    assert parse_pattern(escape(text)) == ((text,) if text else ())


def test_a_text_is_read_into_its_parts() -> None:
    assert parse_pattern(r"a\*b*c?\\*") == ("a*b", ANY, "c", ONE, "\\", ANY)


def test_a_rules_field_may_have_another_path_in_the_event() -> None:
    view = EventView(
        {"protoPayload": {"methodName": "SetIamPolicy"}}, {"gcp.audit.method_name": "protoPayload.methodName"}
    )
    assert view.folded("gcp.audit.method_name") == ("setiampolicy",)


def test_a_field_that_is_there_always_has_a_value() -> None:
    view = EventView({"object": {}, "list": [], "null": None, "text": ""})
    assert [view.get(path) for path in ("object", "list", "null", "text", "missing")] == [
        ({},),
        ([],),
        (None,),
        ("",),
        (),
    ]
