"""The entries of one group in order of time, and what windows over them hold.

A window ends at an entry and reaches back over the timespan, both ends included; it never snaps to the clock. An entry
that comes late is put where it belongs, and the windows that it is in are looked at again. Distinct values are counted
as they come and go, so the usual case, an entry that is the newest, costs the same however full the window is.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Any, NamedTuple


class Entry(NamedTuple):
    """One match in a group; `at` is its index. `value` is what is counted: a value, or the place of a rule; times are microseconds."""

    time: int
    at: int
    value: str


class Held(NamedTuple):
    """What one window holds: entries from `first` up to `end`, and how many different values those have."""

    first: int
    end: int
    distinct: int

    @property
    def events(self) -> int:
        return self.end - self.first


class Window:
    """Entries of one group, and a count of the values in the window that ends at the newest."""

    __slots__ = ("_counts", "_first", "entries")

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._first = 0
        self._counts: dict[str, int] = {}

    def add(self, entry: Entry, span_us: int) -> bool:
        """Put an entry where it belongs; returns whether it is the newest."""
        entries = self.entries
        if not entries or entry >= entries[-1]:
            entries.append(entry)
            self._count(entry)
            self._move(entry.time - span_us)
            return True
        at = bisect_right(entries, entry)
        entries.insert(at, entry)
        if at < self._first or entry.time < entries[-1].time - span_us:
            self._first += 1  # before the newest window
        else:
            self._count(entry)
        return False

    def newest(self) -> Held:
        """Return the window that ends at the newest entry."""
        return Held(self._first, len(self.entries), len(self._counts))

    def around(self, entry: Entry, span_us: int) -> Iterator[Held]:
        """Yield every window that holds a late entry, oldest first."""
        entries, counts = self.entries, dict[str, int]()
        low = bisect_left(entries, (entry.time - span_us,))
        first = low
        at = bisect_left(entries, entry)
        for end in range(low, len(entries)):
            time, _, value = entries[end]
            if time > entry.time + span_us:
                return
            counts[value] = counts.get(value, 0) + 1
            while entries[first].time < time - span_us:
                _lower(counts, entries[first].value)
                first += 1
            if end >= at and first <= at:
                yield Held(first, end + 1, len(counts))

    def near(self, entry: Entry, span_us: int) -> int:
        """Return how many entries share a window with one."""
        return bisect_right(self.entries, (entry.time + span_us, 1 << 62)) - bisect_left(
            self.entries, (entry.time - span_us,)
        )

    def cut(self, horizon_us: int, most: int) -> int:
        """Drop what is before a time, and the oldest of what is more than `most`; returns how many of the latter."""
        entries = self.entries
        old = bisect_left(entries, (horizon_us,))
        over = max(0, len(entries) - old - most)
        gone = old + over
        if gone:
            for entry in entries[self._first : gone]:
                _lower(self._counts, entry.value)
            del entries[:gone]
            self._first = max(0, self._first - gone)
        return over

    def dump(self) -> list[tuple[Any, ...]]:
        """Return the entries as plain values."""
        return [tuple(entry) for entry in self.entries]

    def load(self, entries: list[list[Any]], span_us: int) -> None:
        """Take entries back as `dump` gave them."""
        self.entries = [Entry(*entry) for entry in entries]
        self._first = bisect_left(self.entries, (self.entries[-1].time - span_us,)) if entries else 0
        self._counts = {}
        for entry in self.entries[self._first :]:
            self._count(entry)

    def _count(self, entry: Entry) -> None:
        self._counts[entry.value] = self._counts.get(entry.value, 0) + 1

    def _move(self, start_us: int) -> None:
        while self.entries[self._first].time < start_us:
            _lower(self._counts, self.entries[self._first].value)
            self._first += 1


def _lower(counts: dict[str, int], value: str) -> None:
    left = counts[value] - 1
    if left:
        counts[value] = left
    else:
        del counts[value]
