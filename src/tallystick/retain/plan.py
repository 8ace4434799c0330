"""What is due: computed from the log alone, by the rule that verifiers apply. Pure.

A slice is what one erasure takes: a part of the events of one class at some indexes, but for those of the sources that a
hold names. What an erasure in the log took already is not due again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from tallystick.event.erasure import Decision, ErasureHistory, Part
from tallystick.event.holds import Reach
from tallystick.event.periods import DAY_US, FOR_EVER
from tallystick.event.spans import Spans

Stretch = tuple[int, int, int]
"""(class, first index, end) of sealed events."""


@dataclass(frozen=True, slots=True)
class Slice:
    """What one erasure takes. `decision` is None where retention passed."""

    class_number: int
    part: Part
    spans: Spans
    spared: frozenset[int] = frozenset()
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """What planning looks at: the history before index `size`, sealed stretches, and where in the log a time begins."""

    history: ErasureHistory
    size: int
    stretches: tuple[Stretch, ...]
    index_at: Callable[[int], int]

    def sealed(self, class_number: int) -> Spans:
        """Return the indexes among which sealed content of a class may be."""
        return Spans.between((first, end) for number, first, end in self.stretches if number == class_number)


def due(ground: Ground, now: int) -> list[Slice]:
    """Return what may and must go at a time: first what two people decided, then what outlived its retention."""
    return _apart((*_decided(ground), *_expired(ground, now)))


def decided_due(ground: Ground) -> list[Slice]:
    """Return what must go because two people decided it."""
    return _apart(_decided(ground))


def _apart(slices: Iterable[Slice]) -> list[Slice]:
    """Return the slices without what an earlier one takes already."""
    found: list[Slice] = []
    for each in slices:
        spans = each.spans
        for other in found:
            if other.class_number == each.class_number and other.part.covers(each.part) and other.spared <= each.spared:
                spans -= other.spans
        if spans:
            found.append(Slice(each.class_number, each.part, spans, each.spared, each.decision))
    return found


def expires_from(ground: Ground, class_number: int, part: Part, now: int) -> int:
    """Return the first index whose retention has not passed at a time."""
    days = ground.history.retention_days(class_number, ground.size, now, part)
    return 0 if days == FOR_EVER else ground.index_at(now - int(days * DAY_US) + 1)


def _decided(ground: Ground) -> Iterator[Slice]:
    for each in ground.history.decided():
        for number in _classes(ground.stretches):
            part = Part.PERSONAL if ground.history.keeps_facts(number) else each.part
            wanted = ground.sealed(number) & each.spans
            for spans, spared in _free(ground, number, part, wanted):
                yield Slice(number, part, spans, spared, each.decision)


def _expired(ground: Ground, now: int) -> Iterator[Slice]:
    for number in _classes(ground.stretches):
        sealed = ground.sealed(number)
        for part in (Part.ALL, Part.PERSONAL):
            if part is Part.ALL and ground.history.keeps_facts(number):
                continue
            wanted = sealed & Spans([(0, expires_from(ground, number, part, now))])
            for spans, spared in _free(ground, number, part, wanted):
                yield Slice(number, part, spans, spared)


def _free(ground: Ground, number: int, part: Part, wanted: Spans) -> Iterator[tuple[Spans, frozenset[int]]]:
    """Yield what no hold covers and no erasure took yet, each with the sources that holds spare in it."""
    pieces = [(wanted, frozenset[int]())]
    for _, reach in ground.history.holds.active(ground.size):
        if reach.classes is not None and number not in reach.classes:
            continue
        where = _where(ground, reach)
        split = []
        for spans, spared in pieces:
            split.append((spans - where, spared))
            if reach.sources is not None:
                split.append((spans & where, spared | reach.sources))
        pieces = split
    for spans, spared in pieces:
        left = spans - _taken(ground.history, number, part, spared) if spans else spans
        if left:
            yield left, spared


def _taken(history: ErasureHistory, number: int, part: Part, spared: frozenset[int]) -> Spans:
    taken = [
        each.ranges
        for each in history.erasures
        if each.part.covers(part) and (each.classes is None or number in each.classes) and each.spared <= spared
    ]
    return Spans(range_ for ranges in taken for range_ in ranges)


def _where(ground: Ground, reach: Reach) -> Spans:
    """Return the indexes that a hold may cover, whatever their class and source."""
    first = 0 if reach.received_from is None else ground.index_at(reach.received_from)
    end = ground.size if reach.received_to is None else ground.index_at(reach.received_to)
    within = Spans.between([(first, end)])
    return within if reach.spans is None else within & reach.spans


def _classes(stretches: Iterable[Stretch]) -> list[int]:
    return sorted({number for number, _, _ in stretches})
