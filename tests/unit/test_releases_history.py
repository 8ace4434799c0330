"""What an edit took away and put in, line by line, whatever the size of the text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.api.release_views import StepView, WhoView
from tallystick.web.releases.history import CONTEXT, LINES_MAX, Line, days_of, difference

WHO = WhoView(id="p-1", type="user", name=None, via="page", address=None)
LINES = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=12)


def step(index: int, at: str, changes: list[dict[str, object]]) -> StepView:
    return StepView(index=index, at=at, action="release.updated", message="m", name="n", by=WHO, changes=changes)


def test_changed_lines_stand_between_a_few_that_stayed() -> None:
    old = ["1", "2", "3", "4", "5", "6", "7"]
    new = ["1", "2", "3", "four", "5", "6", "7"]
    assert difference(old, new) == [
        Line("same", "2"), Line("same", "3"), Line("gone", "4"), Line("new", "four"), Line("same", "5"), Line("same", "6"),
    ]  # fmt: skip
    assert CONTEXT == 2


@given(LINES, LINES)
def test_what_is_gone_and_what_is_new_lead_from_one_text_to_the_other(old: list[str], new: list[str]) -> None:
    lines = difference(old, new)
    gone, put = (
        [each.text for each in lines if each.mark == "gone"],
        [each.text for each in lines if each.mark == "new"],
    )
    kept_old, kept_new = list(old), list(new)
    for text in gone:
        kept_old.remove(text)
    for text in put:
        kept_new.remove(text)
    assert kept_old == kept_new or sorted(kept_old) == sorted(kept_new)
    if old == new:
        assert not gone
        assert not put


def test_a_long_text_is_cut_with_the_number_of_lines_left_out() -> None:
    lines = difference([], [str(number) for number in range(LINES_MAX + 50)])
    assert len(lines) == LINES_MAX + 1
    assert lines[-1] == Line("left out", "50 more lines")


@pytest.mark.parametrize("new", ["\n".join(["y"] * 30_000), "\n".join(str(number) for number in range(30_000))])
def test_texts_with_very_many_lines_are_not_compared_pair_by_pair(new: str) -> None:
    lines = difference(["x"] * 30_000, new.split("\n"))
    assert [each.mark for each in lines[:LINES_MAX]] == ["gone"] * LINES_MAX
    assert lines[-1] == Line("left out", f"{60_000 - LINES_MAX:,} more lines")


def test_events_of_one_day_stand_together_and_lists_are_compared_by_their_items() -> None:
    changes: list[dict[str, object]] = [{"field": "milestones", "old": ["M1", "M2"], "new": ["M2"]}]
    history = [
        step(9, "2026-03-02T00:00:01Z", changes),
        step(8, "2026-03-01T23:59:59Z", [{"field": "description"}]),
        step(7, "2026-03-01T10:00:00Z", []),
    ]
    first, second = days_of(history)
    assert (first.day, [each.index for each in second.moments]) == ("2026-03-02", [8, 7])
    assert first.moments[0].differences[0].lines == [Line("gone", "M1"), Line("same", "M2")]
    assert second.moments[0].differences[0].lines == [], "erased on both sides"
