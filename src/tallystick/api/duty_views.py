"""Duties, what falls due and how reviews are done, as answers show them, for programs and pages alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

from tallystick.event.occurred import time_of_us
from tallystick.review.looking import Due, Figures
from tallystick.review.model import Document, Duty, Kind
from tallystick.review.periods import Cadence

#: What a kind of duty is called.
KINDS: Mapping[Kind, str] = {
    Kind.LOG: "Weekly log review",
    Kind.POLICIES: "Policy review",
    Kind.ACCESS: "Access recertification",
    Kind.EXCEPTIONS: "Review of exceptions",
    Kind.DECLARATIONS: "Review of declarations",
}


class DutyView(msgspec.Struct, frozen=True, kw_only=True):
    """A duty: what it demands, and since when. `title` is null once it was erased."""

    id: str
    title: str | None
    kind: Kind
    scope: str
    cadence: Cadence
    reviewers: list[str]
    role: str
    second: bool
    sample: int
    due_days: int
    documents: list[Document]
    created_at: str
    version: int
    retired_at: str | None


class DutiesView(msgspec.Struct, frozen=True, kw_only=True):
    """Duties, the oldest first."""

    duties: list[DutyView]


class DueView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that falls due. `review` and `state` are null for a period that has not ended."""

    duty: str
    title: str | None
    kind: Kind
    scope: str
    period: str
    opens: str
    due: str
    review: str | None
    state: str | None


class CalendarView(msgspec.Struct, frozen=True, kw_only=True):
    """What falls due in a month, in order."""

    month: Annotated[str, msgspec.Meta(description="Such as 2027-01.")]
    due: list[DueView]


class FiguresView(msgspec.Struct, frozen=True, kw_only=True):
    """How reviews are done. `minutes` is the median from the first look to the signature."""

    scope: str
    signed: int
    on_time: int
    late: int
    waived: int
    overdue: int
    minutes: int | None
    findings: int
    follow_ups_open: int
    follow_ups_overdue: int
    oldest_follow_up_days: int


def duty_view(duty: Duty) -> DutyView:
    """Return a duty as it is shown."""
    terms = duty.terms
    return DutyView(
        id=duty.id,
        title=duty.title,
        kind=terms.kind,
        scope=terms.scope or "/",
        cadence=terms.cadence,
        reviewers=list(terms.reviewers),
        role=terms.role,
        second=terms.second,
        sample=terms.sample,
        due_days=terms.due_days,
        documents=list(terms.documents),
        created_at=time_of_us(duty.created_at),
        version=duty.version,
        retired_at=None if duty.retired_at is None else time_of_us(duty.retired_at),
    )


def due_view(due: Due) -> DueView:
    """Return something of the calendar."""
    return DueView(
        duty=due.duty.id,
        title=due.duty.title,
        kind=due.duty.terms.kind,
        scope=due.duty.terms.scope or "/",
        period=due.period,
        opens=time_of_us(due.opens),
        due=time_of_us(due.due),
        review=None if due.review is None else due.review.id,
        state=None if due.state is None else due.state.value,
    )


def figures_view(scope: str, figures: Figures) -> FiguresView:
    """Return figures as they are shown."""
    return FiguresView(
        scope=scope or "/",
        signed=figures.closed,
        on_time=figures.on_time,
        late=figures.late,
        waived=figures.waived,
        overdue=figures.overdue,
        minutes=figures.minutes,
        findings=figures.findings,
        follow_ups_open=figures.follow_ups_open,
        follow_ups_overdue=figures.follow_ups_overdue,
        oldest_follow_up_days=figures.oldest_days,
    )
