"""What arrived: how often by the hour of receipt, and when last, among what a scan finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tallystick.search.coded import CodedColumn, NumberColumn, TextColumn
from tallystick.search.parts import Part
from tallystick.search.render import name_of
from tallystick.search.scan import Scan

HOUR_US: Final = 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Arrived:
    """Events by the hour in which they were received (its number since 1970), and place and time of the newest one."""

    hours: Mapping[int, int]
    index: int
    at: int

    def and_later(self, later: Arrived) -> Arrived:
        """Return both together; `later` is of higher indexes."""
        return Arrived(Counter(self.hours) + Counter(later.hours), later.index, later.at)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What a question found among a range of indexes: all of it (None for nothing), and by value of each field asked for.

    `incomplete` says that a part of the range could not be read.
    """

    all: Arrived | None
    by: Mapping[str, Mapping[str, Arrived]] = field(default_factory=dict)
    incomplete: bool = False


def count_arrivals(scan: Scan, fields: Sequence[str]) -> Arrivals:
    """Return what a scan finds; reads columns only, but for terms on content."""
    everything: Arrived | None = None
    by: dict[str, dict[str, Arrived]] = {name: {} for name in fields}
    for part in (part for group in scan.view.groups(ascending=True) for part in group):
        low, high = scan.limits(part)
        if low >= high:
            continue
        with scan.naming_damage(part):
            selection = scan.decide(part)
            rows = np.arange(part.rows) if selection is True else np.flatnonzero(selection)
            if not len(rows):
                continue
            times = _numbers(part, "received_at").at(rows)
            hours = times // HOUR_US
            everything = _joined(everything, _arrived(part, rows, times, hours))
            for name in fields:
                for value, chosen in _by_value(scan, part, name, rows):
                    more = _arrived(part, rows[chosen], times[chosen], hours[chosen])
                    by[name][value] = _joined(by[name].get(value), more)
    return Arrivals(everything, by, bool(scan.incomplete) or scan.out_of_time)


def _arrived(part: Part, rows: NDArray[np.intp], times: NDArray[np.int64], hours: NDArray[np.int64]) -> Arrived:
    known, counts = np.unique(hours, return_counts=True)
    # Rows stand in order of index, and times never decrease with it.
    newest = int(part.indexes(rows[-1:])[0])
    return Arrived(dict(zip(known.tolist(), counts.tolist(), strict=True)), newest, int(times[-1]))


def _joined(known: Arrived | None, more: Arrived) -> Arrived:
    """Return both together; segments of several classes share a range, so either may hold the newer event."""
    if known is None:
        return more
    return known.and_later(more) if more.index > known.index else more.and_later(known)


def _by_value(scan: Scan, part: Part, name: str, rows: NDArray[np.intp]) -> Iterator[tuple[str, NDArray[np.intp]]]:
    """Yield each value among the rows with the places of its rows, in order."""
    if name == "source":
        numbers = _numbers(part, "source").at(rows)
        for number in np.unique(numbers).tolist():
            yield name_of(scan.plan.names.sources, number), np.flatnonzero(numbers == number)
        return
    column = part.column(name)
    if isinstance(column, CodedColumn):
        codes = column.codes[rows]
        for code in np.unique(codes).tolist():
            if code < len(column.values):
                yield str(column.vocabulary[int(column.values[code])]), np.flatnonzero(codes == code)
        return
    assert isinstance(column, TextColumn)
    texts: NDArray[Any] = column.texts.take(rows).to_numpy(zero_copy_only=False)
    for value in sorted({text for text in texts.tolist() if text is not None}):
        yield value, np.flatnonzero(texts == value)


def _numbers(part: Part, name: str) -> NumberColumn:
    column = part.column(name)
    assert isinstance(column, NumberColumn)
    return column
