"""Which retention class an event goes to: the catalogue's, unless a rule of the operator sends it elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tallystick.event.identifier import is_within

GUARDED_CATEGORIES: Final = frozenset({"authentication", "security"})
"""Their events go only to classes whose floor is a year."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """Sends events to a class: of an action (`name.*` takes all that begin so), in a scope, of a source; None is any."""

    class_number: int
    action: str | None = None
    scope: str | None = None
    source: int | None = None

    def takes(self, action: str, scope: str, source: int) -> bool:
        """Return whether an event is meant."""
        return (
            (self.source is None or self.source == source)
            and (self.action is None or _matches(self.action, action))
            and (self.scope is None or is_within(scope, self.scope))
        )


@dataclass(frozen=True, slots=True)
class Assignments:
    """Rules in order: the first that takes an event counts. `guarded` are the classes that keep a year at least."""

    rules: Sequence[Assignment] = ()
    guarded: frozenset[int] = frozenset()

    def class_of(self, action: str, scope: str, source: int, *, guarded: bool, otherwise: int) -> int:
        """Return the class of an event; a rule that would send a guarded one to a class without floor is passed over."""
        for rule in self.rules:
            if (not guarded or rule.class_number in self.guarded) and rule.takes(action, scope, source):
                return rule.class_number
        return otherwise


def _matches(pattern: str, action: str) -> bool:
    return action.startswith(pattern[:-1]) if pattern.endswith(".*") else action == pattern
