"""Frozen values about alerts."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from tallystick.follow.alarm import Severity

SEVERITIES: Final[tuple[Severity, ...]] = ("informational", "low", "medium", "high", "critical")
"""From the least to the gravest."""
GRAVE: Final[frozenset[str]] = frozenset({"high", "critical"})
"""Severities whose closing may need a second person."""
TITLE_MAX: Final = 256
KIND_MAX: Final = 256
VERSION_MAX: Final = 64
TEXT_MAX: Final = 4000
SAMPLES_MAX: Final = 40
"""Events that the firings of one alert show; the newest always takes the place of the newest before it."""


class State(enum.StrEnum):
    """Where an alert stands in its life."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    IN_PROGRESS = "in_progress"
    CLOSED = "closed"


class Verdict(enum.StrEnum):
    """What an alert turned out to be."""

    TRUE_POSITIVE = "true_positive"
    BENIGN_TRUE_POSITIVE = "benign_true_positive"
    FALSE_POSITIVE = "false_positive"
    DUPLICATE = "duplicate"


VERDICTS: Final[Mapping[Verdict, str]] = {
    Verdict.TRUE_POSITIVE: "True positive",
    Verdict.BENIGN_TRUE_POSITIVE: "Benign true positive",
    Verdict.FALSE_POSITIVE: "False positive",
    Verdict.DUPLICATE: "Duplicate",
}
OPEN: Final = tuple(str(each) for each in State if each is not State.CLOSED)
STATES: Final = tuple(str(each) for each in State)
AssigneeKind = Literal["person", "team"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long an alert of one severity may wait, in microseconds; None where nobody is waiting."""

    acknowledge_us: int | None
    close_us: int | None


@dataclass(frozen=True, slots=True)
class Assignee:
    """Who an alert is given to; `name` is a person's and may be gone."""

    kind: AssigneeKind
    id: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A closing that waits for a second person; `digest` is what an approval is bound to."""

    index: int
    by: str
    verdict: Verdict
    duplicate_of: str | None
    digest: str


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as the tables have it. `about` (what its key says) and `sentence` are personal: None where they may
    not be seen or are gone.

    `acknowledge_by` and `close_by` are the ends of its limits; `closed_late` whether a closing ever came after one.
    """

    id: str
    kind: str
    key: str
    about: str | None
    scope: str
    severity: Severity
    title: str
    sentence: str | None
    version: str | None
    state: State
    verdict: Verdict | None
    duplicate_of: str | None
    assignee: Assignee | None
    count: int
    first_at: int
    last_at: int
    opened_at: int
    opened_index: int
    changed_at: int
    changed_index: int
    severity_index: int
    recovered_at: int | None
    recovered_index: int | None
    acknowledged_at: int | None
    acknowledged_index: int | None
    closed_at: int | None
    closed_index: int | None
    reopened_at: int | None
    reopened_index: int | None
    acknowledge_by: int | None
    close_by: int | None
    closed_late: bool
    asked: Asked | None


@dataclass(frozen=True, slots=True)
class Who:
    """Who did something; `name` only for who may see the personal part."""

    id: str
    type: str
    name: str | None
    via: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """One event of an alert's history. `reason` and `sentence` are personal; `message` is the catalogue's."""

    index: int
    action: str
    at: int
    who: Who
    facts: Mapping[str, Any]
    reason: str | None
    sentence: str | None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Linked:
    """An event that belongs to an alert: shown by a firing, or linked by somebody."""

    index: int
    linked_index: int
    fired: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """Which alerts are asked for; what is empty or None asks for all. Times are of the opening."""

    severities: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    scope: str = ""
    kind: str | None = None
    assignee: str | None = None
    start_us: int | None = None
    end_us: int | None = None
    overdue: bool = False
