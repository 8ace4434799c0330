"""Ranges of indexes, sorted and joined, so that one among many thousands is found at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

Range = tuple[int, int]
"""(first index, size)"""


class Spans:
    """A set of indexes, held as ranges that neither touch nor overlap. Never changed once made."""

    __slots__ = ("_ends", "_firsts")

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._firsts: list[int] = []
        self._ends: list[int] = []
        for first, size in sorted(ranges):
            if self._ends and first <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], first + size)
            else:
                self._firsts.append(first)
                self._ends.append(first + size)

    @classmethod
    def between(cls, edges: Iterable[tuple[int, int]]) -> Spans:
        """Return the indexes in any of the pairs (first, end)."""
        return cls((first, end - first) for first, end in edges if first < end)

    def __contains__(self, index: int) -> bool:
        at = bisect_right(self._firsts, index) - 1
        return at >= 0 and index < self._ends[at]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Yield (first, end) in order."""
        return zip(self._firsts, self._ends, strict=True)

    def __bool__(self) -> bool:
        return bool(self._firsts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spans) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash((tuple(self._firsts), tuple(self._ends)))

    def ranges(self) -> tuple[Range, ...]:
        """Return (first, size) pairs in order."""
        return tuple((first, end - first) for first, end in self)

    def __and__(self, other: Spans) -> Spans:
        return Spans.between(
            (max(first, low), min(end, high)) for first, end in self for low, high in other.touching(first, end)
        )

    def __sub__(self, other: Spans) -> Spans:
        left: list[tuple[int, int]] = []
        for first, end in self:
            at = first
            for low, high in other.touching(first, end):
                left.append((at, low))
                at = max(at, high)
            left.append((at, end))
        return Spans.between(left)

    def __or__(self, other: Spans) -> Spans:
        return Spans((*self.ranges(), *other.ranges()))

    def touching(self, first: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the ranges that have an index in common with first to end, as (first, end)."""
        at = max(0, bisect_right(self._firsts, first) - 1)
        while at < len(self._firsts) and self._firsts[at] < end:
            if self._ends[at] > first:
                yield self._firsts[at], self._ends[at]
            at += 1

    def cover(self, first: int, end: int) -> bool:
        """Return whether every index from first to before end is in the set."""
        at = bisect_right(self._firsts, first) - 1
        return at >= 0 and end <= self._ends[at]
