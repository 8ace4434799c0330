"""Counts by value and by time over what a scan finds: from summaries where they say it, otherwise from codes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from heapq import nlargest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.query.fields import FIELDS
from tallystick.query.model import All, Equals, FieldRef, Node, Span, Term
from tallystick.query.sql import Names
from tallystick.query.writer import format_query
from tallystick.search.coded import CodedColumn, NumberColumn, Selection, TextColumn
from tallystick.search.model import Bar, Facet, FacetValue
from tallystick.search.parts import Part
from tallystick.search.render import name_of

_QUERY_NAMES = {"target_type": "target.type"}
STEPS_US = tuple(
    minutes * 60_000_000 for minutes in (1, 5, 15, 60, 180, 360, 720, 1440, 10080, 43200, 129600, 525600, 5256000)
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The rows of a part to be counted: those at `rows`, or with `others` all but those."""

    rows: NDArray[np.intp]
    others: bool
    count: int

    @classmethod
    def of(cls, selection: Selection, size: int) -> Chosen:
        """Return whichever way of saying it names fewer rows."""
        if isinstance(selection, bool):
            return cls(_NO_ROWS, selection, size if selection else 0)
        count = int(np.count_nonzero(selection))
        others = 2 * count > size
        return cls(np.flatnonzero(~selection if others else selection), others, count)

    def occurred(self, part: Part) -> tuple[int, int]:
        """Return the earliest and the latest `occurred_at` among the rows; there has to be one."""
        if self.count == part.rows:
            return part.occurred()
        column = part.column("occurred_at")
        assert isinstance(column, NumberColumn)
        times = column.at(self.rows) if not self.others else np.delete(column.at(), self.rows)
        return int(times.min()), int(times.max())


_NO_ROWS = np.zeros(0, dtype=np.intp)


@dataclass(slots=True)
class FacetCounter:
    """Counts the values of one facet over the parts it is shown."""

    name: str
    personal: bool
    names: Names
    counts: Counter[str | None] = field(default_factory=Counter)
    _coded: dict[int, tuple[CodedColumn, NDArray[np.int64]]] = field(default_factory=dict)

    def add(self, part: Part, chosen: Chosen) -> None:
        """Count the chosen rows of a part."""
        if not chosen.count:
            return
        column = part.column(self._column())
        if isinstance(column, CodedColumn):
            counts = column.counts(chosen.rows)
            if chosen.others:
                counts = part.totals(self._column()) - counts
            totals = self._totals(column)
            totals[column.values] += counts[:-1]
            self.counts[None] += int(counts[-1])
            return
        assert isinstance(column, TextColumn)
        sign = -1 if chosen.others else 1
        for value, count in column.counts(chosen.rows):
            self.counts[value] += sign * count
        if chosen.others:
            for value, count in column.counts(None):
                self.counts[value] += count

    def finish(self, values_max: int) -> Facet:
        """Return the most frequent values, the missing last among equals."""
        for column, totals in self._coded.values():
            numbers = np.flatnonzero(totals)
            for number, count in zip(numbers.tolist(), totals[numbers].tolist(), strict=True):
                self.counts[column.vocabulary[number]] += count
        if self.name == "source":
            named = {name_of(self.names.sources, int(value)): count for value, count in self.counts.items() if value}
            self.counts = Counter(named)
        kept = [(value, count) for value, count in self.counts.items() if count]
        least = min(nlargest(values_max, (count for _, count in kept)), default=0)  # most values need no sorting
        frequent = (item for item in kept if item[1] >= least)
        ordered = sorted(frequent, key=lambda item: (-item[1], item[0] is None, item[0] or ""))
        listed = tuple(
            FacetValue(value=value, count=count, query=_query_for(self.name, value))
            for value, count in ordered[:values_max]
        )
        return Facet(field=self.name, values=listed, others=max(0, len(kept) - values_max))

    def _column(self) -> str:
        """Return the column to count: for actors the id where the caller may see it, and else the pseudonym key."""
        if self.name == "actor":
            return "personal_actor_or_key" if self.personal else "actor_or_key"
        return "source_text" if self.name == "source" else self.name

    def _totals(self, column: CodedColumn) -> NDArray[np.int64]:
        key = id(column.vocabulary)
        size = len(column.vocabulary)
        kept = self._coded.get(key)
        totals = np.zeros(size, dtype=np.int64) if kept is None else kept[1]
        if len(totals) < size:
            totals = np.concatenate([totals, np.zeros(size - len(totals), dtype=np.int64)])
        self._coded[key] = (column, totals)
        return totals


@dataclass(slots=True)
class BarCounter:
    """Counts events over time in steps of `step_us`."""

    step_us: int
    bars: Counter[int] = field(default_factory=Counter)

    def add(self, part: Part, chosen: Chosen) -> None:
        """Count the chosen rows of a part by when they occurred."""
        if not chosen.count or self._from_summary(part, chosen):
            return
        column = part.bars(self.step_us)
        counted = np.bincount(column.codes[chosen.rows], minlength=len(column.totals))
        if chosen.others:
            counted = column.totals - counted
        for at in np.flatnonzero(counted).tolist():
            self.bars[column.first + at] += int(counted[at])

    def finish(self, low_us: int | None, high_us: int | None, bars_max: int) -> tuple[Bar, ...]:
        """Return all bars between the bounds as far as there are events, empty ones left out where they are too many."""
        if not self.bars:
            return ()
        first, last = min(self.bars), max(self.bars)
        if low_us is not None and first - low_us // self.step_us < bars_max:
            first = min(first, low_us // self.step_us)
        if high_us is not None and (high_us - 1) // self.step_us - last < bars_max:
            last = max(last, (high_us - 1) // self.step_us)
        shown = range(first, last + 1) if last - first < bars_max else sorted(self.bars)
        return tuple(Bar(start=bar * self.step_us, count=self.bars.get(bar, 0)) for bar in shown)

    def _from_summary(self, part: Part, chosen: Chosen) -> bool:
        """Count all rows of a part by its summary, where that is fine enough."""
        if part.summary is None or chosen.count != part.rows:
            return False
        counts = part.summary.header.counts
        if not counts.bucket_us or self.step_us % counts.bucket_us:
            return False
        per_bar = self.step_us // counts.bucket_us
        for pairs in counts.by["outcome"].values():
            for at, count in zip(pairs[::2], pairs[1::2], strict=True):
                self.bars[counts.buckets[at] // per_bar] += count
        return True


def choose_step(low_us: int, high_us: int, bars_max: int) -> int:
    """Return the smallest step that needs at most `bars_max` bars."""
    for step in STEPS_US:
        if high_us // step - low_us // step < bars_max:
            return step
    return STEPS_US[-1]


def occurred_span(node: Node) -> tuple[int | None, int | None]:
    """Return the bounds on `occurred_at` that hold for every match, as far as the query says so at its top."""
    low: int | None = None
    high: int | None = None
    for child in node.nodes if isinstance(node, All) else (node,):
        if isinstance(child, Term) and child.field.name == "occurred_at" and isinstance(child.test, Span):
            edges = child.test
            low = edges.low if low is None else max(low, edges.low if edges.low is not None else low)
            high = edges.high if high is None else min(high, edges.high if edges.high is not None else high)
    return low, high


def _query_for(name: str, value: str | None) -> str:
    field = FIELDS[_QUERY_NAMES.get(name, name)]
    if value is None:
        return f"-has:{field.name}"
    test: Any = Equals(value)
    return format_query(Term(FieldRef(field.name), test))
