"""What rules rows out before they are read must never rule out a match."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.event.canonical import canonical_json
from tallystick.query.fold import contains_regex, fold
from tallystick.query.model import Contains, Equals, Wildcard
from tallystick.query.parser import parse_query
from tallystick.search.needles import find_needles, mark_rows, needed_words
from tallystick.search.vocabulary import Vocabulary
from tallystick.search.words import WordFilters, block_rows
from tallystick.segment.blocks import BLOCK_ROWS


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (Contains(("Gamma-ray",)), {b"gamma"}),
        (Contains(("kelvin", "")), set()),
        (Contains(("", "kelvin")), set()),
        (Contains(("disk12345 full99999", "")), {b"disk12345"}),
        (Contains(("Ärgernis",)), set()),
        (Contains(("naïve-planning",)), {b"planning"}),
        (Equals("request-000001"), {b"request", b"000001"}),
        (Equals("12345"), set()),
        (Wildcard(("OPS-12345-", "")), {b"12345"}),
        (Wildcard(("", "mid12-dle99-", "")), {b"dle99"}),
    ],
)
def test_only_words_that_must_stand_whole_are_needed(test: Contains | Equals | Wildcard, words: set[bytes]) -> None:
    assert needed_words(test) == words


@pytest.mark.parametrize(
    ("text", "needles"),
    [
        ("disk", {b"disk"}),
        ("action:a", None),
        ("metadata.count>5", {b"count"}),
        ("metadata.x:OPS-17 action:a", {b"ops-17"}),
        ("metadata.x:OPS-17 OR alpha", {b"ops-17", b"alpha"}),
        ("metadata.x:OPS-17 OR action:a", None),
        ("-alpha", None),
        ("alpha -beta", {b"alpha"}),
        ('metadata."a/b~cd":*', {b"cd"}),
        ("019ca945-0a00-715a-816d-19ec4141c8ff", None),
        ('"ä"', None),
    ],
)
def test_needles_are_what_a_match_must_hold(text: str, needles: set[bytes] | None) -> None:
    found = find_needles(parse_query(text, now_us=0))
    assert found == (None if needles is None else frozenset(needles))


TEXTS = st.text('abKkİiÄä-_ "\\\n5', max_size=14)


@settings(max_examples=300, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=8), parts=st.lists(TEXTS, min_size=1, max_size=3).filter(any))
def test_no_match_is_ruled_out_by_needle_word_or_vocabulary(texts: list[str], parts: list[str]) -> None:
    test = Contains(tuple(parts))
    pattern = contains_regex(test.parts)
    documents = [canonical_json({"metadata": {"value": text}}) for text in texts]
    needles = find_needles(parse_query("x", now_us=0)) and _needles(test)
    offsets = np.cumsum([0, *map(len, documents)])
    likely = mark_rows(b"".join(documents), offsets, needles) if needles else np.ones(len(texts), dtype=np.bool_)
    words = needed_words(test)
    vocabulary = Vocabulary()
    numbers = vocabulary.number(texts)
    passing = vocabulary.passing("test", lambda text: pattern.search(fold(text)) is not None, _literal(test))
    for text, document, is_likely, number in zip(texts, documents, likely, numbers, strict=True):
        if pattern.search(fold(text)) is None:
            assert not passing[number]
            continue
        assert passing[number]
        assert is_likely
        assert WordFilters.build([[document]]).blocks_with(words) == [0]


def _needles(test: Contains) -> frozenset[bytes] | None:
    from tallystick.query.model import Text

    return find_needles(Text(test))


def _literal(test: Contains) -> str:
    from tallystick.search.needles import literal_texts, longest_literal

    return longest_literal(literal_texts(test))


def test_a_vocabulary_that_grows_answers_for_the_new_values_too() -> None:
    vocabulary = Vocabulary()
    vocabulary.number(["alpha", "beta"])
    assert vocabulary.passing("a", lambda text: "a" in text, "a").tolist() == [True, True]
    assert vocabulary.equal("ALPHA") == (0,)
    vocabulary.number(["Alpha", "beta", "ccc"])
    assert vocabulary.passing("a", lambda text: "a" in fold(text), "a").tolist() == [True, True, True, False]
    assert vocabulary.equal("alpha") == (0, 2)
    assert vocabulary.exactly("Alpha") == (2,)
    assert vocabulary.exactly("none") == ()


def test_blocks_become_rows() -> None:
    assert block_rows([1], BLOCK_ROWS + 2).tolist() == [False] * BLOCK_ROWS + [True] * 2
