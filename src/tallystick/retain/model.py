"""Values of retention: classes, which events they take, holds, and what people proposed. Times are microseconds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from tallystick.event.assignment import Assignment
from tallystick.event.canonical import canonical_json
from tallystick.event.periods import DAY_US, FOR_EVER, KEPT_CLASS

__all__ = ["DAY_US", "FOR_EVER", "KEPT_CLASS"]

FLOOR_DAYS: Final = 365
"""Security and access events stay for a year, whatever a class says."""
DAYS_MAX: Final = 36_525
FIRST_OWN_CLASS: Final = 16
"""Numbers below are the product's own."""
YEAR_DAYS: Final = 365.25


class Kind(StrEnum):
    """What a proposal is about."""

    CLASS = "class"
    RULES = "rules"
    RELEASE = "release"
    ERASURE = "erasure"


class State(StrEnum):
    """Where a proposal stands."""

    OPEN = "open"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Terms:
    """For how many days a class keeps its content (None: for ever) and the personal part (None: as the rest).

    `guarded` classes may take security and access events and never keep less than a year; a regulation is (name, years).
    """

    retention_days: int | None
    personal_days: int | None = None
    guarded: bool = True
    regulations: tuple[tuple[str, int], ...] = ()

    @property
    def floor_days(self) -> int | None:
        """The days that both parts are kept at least."""
        bound = [round(years * YEAR_DAYS + 0.5) for _, years in self.regulations]
        return max([*bound, *([FLOOR_DAYS] if self.guarded else [])], default=None)

    def days(self, *, personal: bool) -> float:
        """Return the days of a part; infinite where it is kept for ever."""
        given = [FOR_EVER if self.retention_days is None else self.retention_days]
        if personal and self.personal_days is not None:
            given.append(self.personal_days)
        return float(min(given))

    def metadata(self) -> dict[str, Any]:
        """Return the terms as a class event has them."""
        return {
            "retention_days": self.retention_days,
            "personal_days": self.personal_days,
            "floor_days": self.floor_days,
            "regulations": [list(each) for each in self.regulations],
        }


@dataclass(frozen=True, slots=True)
class RetentionClass:
    """A class as it was declared last. `below_until` is when its exception from the floor ends."""

    number: int
    name: str
    terms: Terms
    keeps_facts: bool
    changed_index: int
    floor_days: int | None
    exception: str | None = None
    below_until: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """Sends events to a class: of an action (a trailing `.*` takes all that begin so), a scope with all below, a source.

    What is None is not asked about.
    """

    class_number: int
    action: str | None = None
    scope: str | None = None
    source: int | None = None

    def metadata(self) -> dict[str, Any]:
        """Return the rule as an event has it."""
        return {"class": self.class_number, "action": self.action, "scope": self.scope, "source": self.source}

    @classmethod
    def parse(cls, said: Mapping[str, Any]) -> Rule:
        """Return the rule that `metadata` made."""
        return cls(said["class"], said.get("action"), said.get("scope"), said.get("source"))

    def assignment(self) -> Assignment:
        """Return the rule as admission applies it."""
        return Assignment(self.class_number, self.action, self.scope, self.source)


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold: who owns it, what it covers, and when it was released. `reason` is None once it was erased."""

    hold: str
    owner: str | None
    reason: str | None
    placed_by: str | None
    placed_at: int
    placed_index: int
    ranges: tuple[tuple[int, int], ...] | None = None
    classes: tuple[int, ...] | None = None
    sources: tuple[int, ...] | None = None
    received: tuple[int | None, int | None] | None = None
    released_at: int | None = None
    released_by: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A proposal. `body` is what was proposed, `digest` what an approval is bound to; `reason` is personal."""

    change: str
    kind: Kind
    subject: str
    body: Mapping[str, Any]
    digest: str
    state: State
    reason: str | None
    proposed_by: str
    proposed_at: int
    proposed_index: int
    decided_by: str | None = None
    decided_at: int | None = None
    decided_index: int | None = None
    decision_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One run that destroyed content, or failed at it."""

    index: int
    at: int
    state: str
    events: int
    erasures: int
    took_ms: int
    code: str | None = None


@dataclass(slots=True)
class Tally:
    """How many events lose a part, by month of receipt, and the bytes on disk that this gives back."""

    class_number: int
    part: str
    events: int = 0
    bytes: int = 0
    months: dict[str, int] = field(default_factory=dict)


def digest_of(body: Mapping[str, Any]) -> str:
    """Return what a decision is bound to."""
    return hashlib.sha256(canonical_json(dict(body))).hexdigest()
