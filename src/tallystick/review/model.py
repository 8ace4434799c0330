"""Frozen values about duties and reviews. Times are microseconds since 1970, indexes places in the log."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from tallystick.review.periods import DAY_US, Cadence

SAMPLE_MAX: Final = 100
DOCUMENTS_MAX: Final = 200
REVIEWERS_MAX: Final = 50
DUE_DAYS_MAX: Final = 180
TEXT_CHARS_MAX: Final = 4000


class Kind(enum.StrEnum):
    """What a duty is about."""

    LOG = "log_review"
    POLICIES = "policy_review"
    ACCESS = "access_recertification"
    EXCEPTIONS = "exception_review"
    DECLARATIONS = "declaration_review"


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A document that is confirmed every year: its digest is of its text, its owner the id of a person or team."""

    name: str
    link: str = ""
    sha256: str = ""
    owner: str = ""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a duty demands: all of it facts. `reviewers` are ids of people, `role` the name of a role: whoever is one of
    the people or holds the role may review; with neither, whoever may sign in the scope. `due_days` count from the end
    of the period.
    """

    kind: Kind
    scope: str
    cadence: Cadence
    reviewers: tuple[str, ...] = ()
    role: str = ""
    second: bool = False
    sample: int = 25
    due_days: int = 7
    documents: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class Duty:
    """A recurring obligation. `version` is the index of its last change; the title is personal, so it may be gone."""

    id: str
    title: str | None
    terms: Terms
    created_at: int
    version: int
    retired_at: int | None


Form = Literal["events", "items", "decisions"]


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One section of a snapshot: events that a query finds, or items that were listed when the review opened.

    `drawn` are the events to look at where the rest is the population of a sample; None where all are.
    """

    section: str
    form: Form
    count: int
    digest: str
    query: str = ""
    reading: bool = False
    drawn: tuple[int, ...] | None = None


class State(enum.StrEnum):
    """Where a review stands. What is due or overdue follows from the time alone."""

    OPEN = "open"
    IN_PROGRESS = "in progress"
    DUE_SOON = "due soon"
    OVERDUE = "overdue"
    SIGNED = "signed"
    SIGNED_LATE = "signed late"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True)
class Review:
    """One instance of a duty. `terms` are those that the duty had when it opened, whatever it demands since; `digest` is
    that of its snapshot, `seed` the root that its samples are drawn by.
    """

    id: str
    duty: str
    terms: Terms
    kind: Kind
    scope: str
    period: str
    start: int
    end: int
    due: int
    opened_at: int
    opened_index: int
    size: int
    seed: str
    digest: str
    sections: tuple[Section, ...]
    closed: Literal["signed", "waived"] | None
    closed_at: int | None
    late: bool
    exception: str | None
    started_at: int | None
    marked: bool

    def state(self, now_us: int) -> State:
        """Return where the review stands at a time."""
        if self.closed == "waived":
            return State.WAIVED
        if self.closed == "signed":
            return State.SIGNED_LATE if self.late else State.SIGNED
        if now_us > self.due:
            return State.OVERDUE
        if now_us >= self.due - soon_us(self.kind):
            return State.DUE_SOON
        return State.IN_PROGRESS if self.marked or self.started_at is not None else State.OPEN

    def section(self, name: str) -> Section | None:
        """Return a section by its name, or None."""
        return next((each for each in self.sections if each.section == name), None)


def soon_us(kind: Kind) -> int:
    """Return how long before it is due a review is due soon."""
    return (2 if kind is Kind.LOG else 7) * DAY_US


@dataclass(frozen=True, slots=True)
class Item:
    """Something listed when the review opened; `facts` say what, with `people` it is about by id."""

    section: str
    item: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mark:
    """What somebody said of a section (`item` is empty) or of one item. `own` are the events or items about her, which
    this mark says nothing of. `note` and `name` may be gone.
    """

    section: str
    item: str
    person: str
    name: str | None
    verdict: str
    note: str | None
    own: tuple[int | str, ...]
    at: int
    index: int


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature under a review: the `first`, or the `second` where two are demanded."""

    place: Literal["first", "second"]
    person: str
    name: str | None
    at: int
    index: int
    late: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What is still to be done; it stands in every later review of the duty until it is."""

    id: str
    review: str
    duty: str
    scope: str
    section: str
    owner: str
    text: str | None
    due: int
    opened_at: int
    opened_index: int
    done_at: int | None
    done_by: str | None
    outcome: str | None
