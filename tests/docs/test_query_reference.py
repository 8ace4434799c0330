"""The reference page of the query language is the one the code writes, and its examples parse."""

from __future__ import annotations

import re

from tests.paths import ROOT

from tallystick.query.fields import FIELDS
from tallystick.query.parser import parse_query
from tallystick.query.reference import render_reference

PAGE = ROOT / "docs" / "reference" / "query-language.md"


def test_the_reference_page_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == render_reference(), (
        "run python -m tallystick.query.reference on the page"
    )


def test_every_field_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"`{name}" in text for name in FIELDS)


def test_the_examples_of_the_page_and_the_guide_parse() -> None:
    written = PAGE.read_text(encoding="utf-8").partition("## Fields")[0]
    written += (ROOT / "docs" / "guide" / "searching.md").read_text(encoding="utf-8")
    examples = re.findall(r"^    (?!tallystick )(\S.*:.*)$", written, re.MULTILINE)
    examples += [
        each
        for each in re.findall(r"`([a-z_.]+(?:[:<>](?! )[^`]+))`", written)
        if "\\" not in each and not each.startswith("field:")
    ]
    assert len(examples) > 25
    for example in examples:
        parse_query(example, now_us=10**15)
