"""How long classes keep content: what was declared, the floor below it, and what of it is in force at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

KEPT_CLASS: Final = 1
"""Ledger, class, source, hold, erasure, key, catalogue and access events: their facts are never erased."""
SHORTENING_DELAY_US: Final = 30 * 86_400 * 1_000_000
DAY_US: Final = 86_400 * 1_000_000
FOR_EVER: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Period:
    """One declaration of a class: days for the facts, days for the personal part, and the floor under both.

    `below_until` is when an exception from the floor ends, in microseconds, and `exception` its id; 0 where there is none.
    """

    index: int
    received_at: int
    days: float
    personal_days: float
    floor_days: float = 0.0
    keeps_facts: bool = False
    below_until: int = 0
    exception: str = ""

    def ends_after(self, now: int, *, personal: bool) -> float:
        """Return for how many days it keeps the part, an exception counted only until it ends."""
        days = min(self.days, self.personal_days) if personal else self.days
        return days if now < self.below_until else max(days, self.floor_days)


@dataclass(slots=True)
class Periods:
    """Every declaration of every class, in order of index."""

    _declared: dict[int, list[Period]] = field(default_factory=dict)

    def declare(self, index: int, received_at: int, metadata: Mapping[str, Any]) -> None:
        """Take in a class event. A class once defined never loses its floor, nor a promise to keep facts."""
        known = self._declared.setdefault(int(metadata["number"]), [])
        below = metadata.get("below_floor") or {}
        days = _days(metadata.get("retention_days"))
        personal = metadata.get("personal_days")
        known.append(
            Period(
                index,
                received_at,
                days,
                days if personal is None else _days(personal),
                max(float(metadata.get("floor_days") or 0), known[0].floor_days if known else 0.0),
                bool(metadata.get("keeps_facts", False)) or any(each.keeps_facts for each in known),
                int(below.get("until", 0)),
                str(below.get("exception", "")),
            )
        )

    def revoke(self, received_at: int, exception: str) -> None:
        """Take in that an exception was revoked: from then on the floor is back."""
        for declared in self._declared.values():
            for at, each in enumerate(declared):
                if each.exception == exception and each.below_until > received_at:
                    declared[at] = replace(each, below_until=received_at)

    def in_force(self, class_number: int, index: int, now: int, *, personal: bool) -> float:
        """Return the days in force at a time, as declared before `index`; infinite where there is no end.

        A longer period counts at once, a shorter one 30 days after it was declared: in force is the longest that was
        declared at any moment of the last 30 days.
        """
        declared = [each for each in self._declared.get(class_number, ()) if each.index < index]
        longest = 0.0 if declared else FOR_EVER
        for at, each in enumerate(declared):
            replaced_at = declared[at + 1].received_at if at + 1 < len(declared) else None
            if replaced_at is None or replaced_at > now - SHORTENING_DELAY_US:
                longest = max(longest, each.ends_after(now, personal=personal))
        return longest

    def keeps_facts(self, class_number: int) -> bool:
        """Return whether the facts of a class are never erased."""
        return class_number == KEPT_CLASS or any(each.keeps_facts for each in self._declared.get(class_number, ()))

    def classes(self) -> Iterable[int]:
        """Return the numbers of all classes."""
        return self._declared.keys()


def _days(value: Any) -> float:
    return FOR_EVER if value is None else int(value)
