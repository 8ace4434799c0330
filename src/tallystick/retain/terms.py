"""Whether other terms take away from what is kept: such a change needs a second person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tallystick.retain.errors import BelowFloorError
from tallystick.retain.model import FOR_EVER, RetentionClass, Rule, Terms

STANDARD: Final = 2
"""The number of the class of everything that no rule sends elsewhere."""


def require_floor(terms: Terms) -> None:
    """Raise BelowFloorError for terms that keep less than their regulations and their kind of events ask for."""
    floor = terms.floor_days or 0
    if min(terms.days(personal=False), terms.days(personal=True)) < floor:
        raise BelowFloorError(f"a class with these regulations or of security events keeps {floor} days at least")


def shortens(kept: RetentionClass, metadata: Mapping[str, Any]) -> bool:
    """Return whether any part would be kept less long than the class says now."""
    floor = float(metadata.get("floor_days") or 0)
    below = metadata.get("below_floor") is not None
    terms = Terms(metadata["retention_days"], metadata["personal_days"])
    for personal in (False, True):
        before = max(kept.terms.days(personal=personal), float(kept.floor_days or 0))
        after = terms.days(personal=personal)
        if (after if below else max(after, floor)) < before:
            return True
    return False


def lessens(before: Sequence[Rule], after: Sequence[Rule], classes: Mapping[int, RetentionClass]) -> bool:
    """Return whether an event may be kept less long by the new rules: also when only their order is another."""
    standard = _days(classes[STANDARD])
    added = [each for each in after if each not in before]
    kept = [each for each in before if each in after]
    in_order = [each for each in after if each in before]
    shorter = any(_days(classes[each.class_number]) < standard for each in added)
    longer_gone = any(_days(classes[each.class_number]) > standard for each in before if each not in after)
    overtaken = any(_days(classes[each.class_number]) > standard for each in kept) and list(after[: len(kept)]) != kept
    return shorter or longer_gone or overtaken or kept != in_order


def _days(kept: RetentionClass) -> float:
    days = min(kept.terms.days(personal=False), kept.terms.days(personal=True))
    return days if days == FOR_EVER else max(days, float(kept.floor_days or 0))
