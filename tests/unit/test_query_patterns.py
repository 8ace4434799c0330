"""Wildcards in queries: what they mean, and that no text and no pattern make them slow."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.errors import InvalidInputError
from tallystick.query.fold import contains_regex, fold, is_word_character, wildcard_regex
from tallystick.query.parser import parse_query

WORD = "[0-9A-Za-z_\u0080-\U0010ffff]"
PARTS = st.lists(st.text("abA-.ä_", max_size=3), min_size=2, max_size=5).map(tuple)
TEXTS = st.text("abA-.ä_\n", max_size=24)


def _plainly(parts: tuple[str, ...]) -> re.Pattern[str]:
    """Return the expression as one would write it, which may take for ever."""
    inner = f"{WORD}*".join(re.escape(fold(part)) for part in parts)
    first, last = parts[0][:1], parts[-1][-1:]
    before = rf"(?:\A|(?!{WORD})(?s:.))" if first and is_word_character(first) else ""
    after = rf"(?:\Z|(?!{WORD})(?s:.))" if last and is_word_character(last) else ""
    return re.compile(before + inner.removeprefix(f"{WORD}*").removesuffix(f"{WORD}*") + after)


@settings(max_examples=500, deadline=None)
@given(parts=PARTS, text=TEXTS)
def test_a_wildcard_stands_for_anything_between_its_parts(parts: tuple[str, ...], text: str) -> None:
    plain = re.compile("(?s:.*)".join(re.escape(fold(part)) for part in parts))
    assert bool(wildcard_regex(parts).fullmatch(fold(text))) == bool(plain.fullmatch(fold(text)))


@settings(max_examples=200, deadline=None)
@given(parts=PARTS.filter(any), text=TEXTS)
def test_a_wildcard_in_a_word_stands_for_word_characters(parts: tuple[str, ...], text: str) -> None:
    assert bool(contains_regex(parts).search(fold(text))) == bool(_plainly(parts).search(fold(text)))


@pytest.mark.parametrize("text", ["a" * 200_000, "ab" * 100_000, "a-" * 100_000, "a" * 199_999 + "-"])
@pytest.mark.parametrize("stars", [("", "a", "a", "a", "c"), ("a", *["a"] * 30, "c"), ("", *["a"] * 30, "c", "")])
def test_no_text_and_no_pattern_hold_the_search_up(text: str, stars: tuple[str, ...]) -> None:
    # Backtracking over so many characters would take longer than anybody can wait for this test.
    assert not wildcard_regex(stars).fullmatch(text)
    assert not contains_regex(stars).search(text)


@pytest.mark.parametrize("query", ["index:", "index:>", "index:[0 TO "])
def test_a_number_of_thousands_of_digits_is_refused_like_any_other_that_is_too_large(query: str) -> None:
    with pytest.raises(InvalidInputError, match="is not a whole number"):
        parse_query(query + "9" * 5000 + ("]" if "[" in query else ""), now_us=0)
