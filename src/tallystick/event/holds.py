"""Holds: what may not be erased while they last, whether it was received before or after they were placed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tallystick.event.spans import Spans


@dataclass(frozen=True, slots=True)
class Reach:
    """What a hold covers: events that meet everything it names. What is None is not asked about.

    Times are microseconds; `received_to` is the first moment no longer covered.
    """

    spans: Spans | None = None
    classes: frozenset[int] | None = None
    sources: frozenset[int] | None = None
    received_from: int | None = None
    received_to: int | None = None

    def covers(self, index: int, class_number: int, source: int, received_at: int) -> bool:
        """Return whether an event is covered."""
        return (
            (self.spans is None or index in self.spans)
            and (self.classes is None or class_number in self.classes)
            and (self.sources is None or source in self.sources)
            and (self.received_from is None or received_at >= self.received_from)
            and (self.received_to is None or received_at < self.received_to)
        )


@dataclass(slots=True)
class _Hold:
    name: str
    placed: int
    reach: Reach
    released: int | None = None

    def is_active(self, at_index: int) -> bool:
        return self.placed < at_index and (self.released is None or self.released > at_index)


@dataclass(slots=True)
class Holds:
    """Every hold that was ever placed, in order of index."""

    _placed: list[_Hold] = field(default_factory=list)

    def place(self, index: int, name: str, reach: Reach) -> None:
        """Take in a hold."""
        self._placed.append(_Hold(name, index, reach))

    def release(self, index: int, name: str) -> None:
        """End every hold of that name."""
        for hold in self._placed:
            if hold.name == name and hold.released is None:
                hold.released = index

    def active(self, at_index: int) -> Iterator[tuple[str, Reach]]:
        """Yield the names and reaches of those active when the log stood at an index."""
        return ((hold.name, hold.reach) for hold in self._placed if hold.is_active(at_index))

    def moments(self) -> set[int]:
        """Return every time at which the reach of a hold begins or ends."""
        reaches = [hold.reach for hold in self._placed]
        return {at for each in reaches for at in (each.received_from, each.received_to) if at is not None}

    def sources(self) -> set[int]:
        """Return every source that a hold names."""
        return {number for hold in self._placed for number in hold.reach.sources or ()}


def parse_reach(metadata: Mapping[str, Any], spans: Spans | None) -> Reach:
    """Return what a `hold.placed` covers; ValueError or TypeError for what is not a number."""
    received = metadata.get("received") or (None, None)
    start, end = received
    return Reach(
        spans,
        _numbers(metadata.get("classes")),
        _numbers(metadata.get("sources")),
        None if start is None else int(start),
        None if end is None else int(end),
    )


def _numbers(value: Any) -> frozenset[int] | None:
    return None if value is None else frozenset(int(number) for number in value)
