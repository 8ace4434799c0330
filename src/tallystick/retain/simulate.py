"""What a change of a class would do, before anybody asks for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tallystick.event.periods import DAY_US, SHORTENING_DELAY_US
from tallystick.retain.content import Content
from tallystick.retain.model import Tally, digest_of
from tallystick.retain.plan import due


@dataclass(frozen=True, slots=True)
class Simulation:
    """What goes at `effective_at` with the change, and what would go by then without it. `digest` binds a request to it."""

    class_number: int
    effective_at: int
    would_go: tuple[Tally, ...]
    goes_anyway: tuple[Tally, ...]
    digest: str

    @property
    def events(self) -> int:
        """How many events lose a part because of the change alone."""
        return sum(each.events for each in self.would_go) - sum(each.events for each in self.goes_anyway)


def simulate(content: Content, class_number: int, metadata: Mapping[str, Any], now: int) -> Simulation:
    """Return what a class event with this metadata would do to what is sealed, from the start of the current day on.

    The same change simulated again the same day gives the same digest, unless something was erased or held meanwhile.
    """
    day = now - now % DAY_US
    effective = day + SHORTENING_DELAY_US + DAY_US
    history = content.ground().history
    without = content.ground(history)
    anyway = [content.tally(each) for each in due(without, effective) if each.class_number == class_number]
    history.apply(without.size, day, {"action": "class.changed", "metadata": {**metadata, "number": class_number}})
    changed = content.ground(history)
    changed = type(changed)(history, without.size + 1, changed.stretches, changed.index_at)
    would = [content.tally(each) for each in due(changed, effective) if each.class_number == class_number]
    body = {
        "class": class_number,
        "change": dict(metadata),
        "effective_at": effective,
        "would_go": [_facts(each) for each in _joined(would)],
    }
    return Simulation(class_number, effective, _joined(would), _joined(anyway), digest_of(body))


def _joined(tallies: Iterable[Tally]) -> tuple[Tally, ...]:
    """Return one tally for each class and part."""
    found: dict[tuple[int, str], Tally] = {}
    for each in tallies:
        one = found.setdefault((each.class_number, each.part), Tally(each.class_number, each.part))
        one.events += each.events
        one.bytes += each.bytes
        for month, events in each.months.items():
            one.months[month] = one.months.get(month, 0) + events
    return tuple(found.values())


def _facts(tally: Tally) -> dict[str, Any]:
    # Bytes are left out: a merge changes them, and nothing about what goes.
    return {"part": tally.part, "events": tally.events, "months": dict(sorted(tally.months.items()))}
