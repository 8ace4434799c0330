"""The history of a release as its page shows it: by day, each edit with the lines that it took away and put in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import groupby
from typing import Any, Final, Literal

import msgspec

from tallystick.api.release_views import StepView, WhoView

CONTEXT: Final = 2
"""Lines around a change that are shown with it."""
LINES_MAX: Final = 400
COMPARED_MAX: Final = 40_000
"""Pairs of lines; a text that has more is shown as taken away and put in as a whole, between what both begin and end with."""
Mark = Literal["same", "gone", "new", "left out"]


class Line(msgspec.Struct, frozen=True):
    """A line of a text, and whether an edit took it away or put it in; `left out` says how many are not shown."""

    mark: Mark
    text: str


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What an edit did to one field; no lines where old and new text were erased."""

    field: str
    lines: list[Line]


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a release."""

    index: int
    at: str
    message: str
    by: WhoView
    differences: list[Difference]


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """The events of one day (UTC), newest first."""

    day: str
    moments: list[Moment]


def days_of(history: Sequence[StepView]) -> list[Day]:
    """Return a history by its days, both newest first."""
    return [
        Day(day=day, moments=[_moment(step) for step in steps])
        for day, steps in groupby(history, key=lambda step: step.at[:10])
    ]


def difference(old: Sequence[str], new: Sequence[str]) -> list[Line]:
    """Return the lines of a change in order, with a little of what stayed around them."""
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    gone, put = old[start : len(old) - end], new[start : len(new) - end]
    lines = [Line("same", text) for text in old[max(0, start - CONTEXT) : start]]
    lines += _compared(gone, put)
    lines += [Line("same", text) for text in old[len(old) - end :][:CONTEXT]]
    if len(lines) > LINES_MAX:
        return [*lines[:LINES_MAX], Line("left out", f"{len(lines) - LINES_MAX:,} more lines")]
    return lines


def _moment(step: StepView) -> Moment:
    differences = [
        Difference(field=str(change["field"]), lines=difference(_lines(change, "old"), _lines(change, "new")))
        for change in step.changes
    ]
    return Moment(index=step.index, at=step.at, message=step.message, by=step.by, differences=differences)


def _lines(change: Mapping[str, Any], side: str) -> list[str]:
    value = change.get(side)
    if value is None or value == "":
        return []
    if isinstance(value, list):
        return [str(each) for each in value]
    return value.split("\n") if isinstance(value, str) else [json.dumps(value, ensure_ascii=False)]


def _compared(gone: Sequence[str], put: Sequence[str]) -> Iterator[Line]:
    if len(gone) * len(put) > COMPARED_MAX:
        steps = [("replace", 0, len(gone), 0, len(put))]
    else:
        steps = list(SequenceMatcher(None, gone, put, autojunk=False).get_opcodes())
    for step, first, last, new_first, new_last in steps:
        if step == "equal":
            yield from (Line("same", text) for text in gone[first:last])
        else:
            yield from (Line("gone", text) for text in gone[first:last])
            yield from (Line("new", text) for text in put[new_first:new_last])


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many lines both begin with."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
