"""Chains of steps in order, for a match that comes late: is there one through it that no window is too short for?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tallystick.sigma.correlate_window import Entry


class Matched(NamedTuple):
    """One event of a group, and the rules that it matched."""

    time: int
    at: int
    rules: frozenset[str]


def by_event(entries: Sequence[Entry]) -> Iterator[Matched]:
    """Yield the events of a window, oldest first."""
    at = 0
    while at < len(entries):
        time, index, _ = entries[at]
        rules = set()
        while at < len(entries) and entries[at][:2] == (time, index):
            rules.add(entries[at].value)
            at += 1
        yield Matched(time, index, frozenset(rules))


def chain_through(events: Sequence[Matched], index: int, names: Sequence[str], span_us: int) -> list[Matched] | None:
    """Return the shortest chain of all steps in order that the event of an index has a part in, None where none fits.

    `names` are the rules of the steps. The steps before it are taken as late as can be, those after it as early: no
    other chain through it is shorter.
    """
    place = next(at for at, each in enumerate(events) if each.at == index)
    for step, name in enumerate(names):
        if name not in events[place].rules:
            continue
        before = _take(reversed(events[:place]), names[:step][::-1])
        after = _take(events[place + 1 :], names[step + 1 :])
        if before is None or after is None:
            continue
        chain = [*reversed(before), events[place], *after]
        if chain[-1].time - chain[0].time <= span_us:
            return chain
    return None


def _take(events: Iterable[Matched], names: Sequence[str]) -> list[Matched] | None:
    """Return the first events that match the names in their order, one each, or None."""
    taken: list[Matched] = []
    for event in events:
        if len(taken) == len(names):
            break
        if names[len(taken)] in event.rules:
            taken.append(event)
    return taken if len(taken) == len(names) else None
