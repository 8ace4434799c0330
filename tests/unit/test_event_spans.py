from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tallystick.event.spans import Spans

RANGES = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12)), max_size=8)


def members(ranges: list[tuple[int, int]]) -> set[int]:
    return {index for first, size in ranges for index in range(first, first + size)}


def held(spans: Spans) -> set[int]:
    return {index for first, end in spans for index in range(first, end)}


@given(RANGES, RANGES)
def test_spans_are_sets_of_indexes(left: list[tuple[int, int]], right: list[tuple[int, int]]) -> None:
    one, two = Spans(left), Spans(right)
    assert held(one) == members(left) == {index for index in range(80) if index in one}
    assert held(one | two) == members(left) | members(right)
    assert held(one & two) == members(left) & members(right)
    assert held(one - two) == members(left) - members(right)


@given(RANGES, st.integers(0, 60), st.integers(1, 20))
def test_spans_know_whether_they_cover_or_touch_a_range(ranges: list[tuple[int, int]], first: int, size: int) -> None:
    spans, asked = Spans(ranges), set(range(first, first + size))
    assert spans.cover(first, first + size) == (asked <= members(ranges))
    assert bool(list(spans.touching(first, first + size))) == bool(asked & members(ranges))
