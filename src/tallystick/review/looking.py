"""Looking at reviews: the list, one with its sections, the rows of a section, what falls due when, and figures.

The snapshot was made by the product; its rows are shown by the right of whoever looks, and every look is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.event.identifier import is_within
from tallystick.follow.projection import Projection
from tallystick.review import rows
from tallystick.review.complete import Standing, standing_of
from tallystick.review.duties import LOOKED
from tallystick.review.errors import ReviewNotFoundError
from tallystick.review.found import Count, count_rows, rows_of
from tallystick.review.model import Duty, FollowUp, Item, Mark, Review, Section, Signature, State
from tallystick.review.periods import DAY_US, period_at
from tallystick.review.ports import ReviewPorts
from tallystick.review.reviewing import Reviewing, visible_review
from tallystick.search.model import Page, Search
from tallystick.store.tables.reviews import REVIEW_FOLLOW_UP

ROWS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Listed:
    """A review in a list, with its duty and how far it is."""

    review: Review
    duty: Duty
    state: State
    done: int


@dataclass(frozen=True, slots=True)
class Detail:
    """A review with everything of it but the rows of its sections. `can_review` is whether the caller may mark it."""

    review: Review
    duty: Duty
    state: State
    standings: Mapping[str, Standing]
    marks: Sequence[Mark]
    items: Sequence[Item]
    signatures: Sequence[Signature]
    follow_ups: Sequence[FollowUp]
    can_review: bool


@dataclass(frozen=True, slots=True)
class SectionRows:
    """The rows of a section as the caller may see them: `page` may hold fewer than were counted."""

    detail: Detail
    section: Section
    page: Page | None


@dataclass(frozen=True, slots=True)
class Due:
    """Something in the calendar: a review, or a period of a duty that has not ended yet (`review` is None)."""

    duty: Duty
    period: str
    opens: int
    due: int
    review: Review | None
    state: State | None


@dataclass(frozen=True, slots=True)
class Figures:
    """How reviews are done in a scope. `minutes` is the median from the first look to the signature, None without any."""

    closed: int
    on_time: int
    late: int
    waived: int
    overdue: int
    minutes: int | None
    findings: int
    follow_ups_open: int
    follow_ups_overdue: int
    oldest_days: int


class Looking:
    """Reviews as they are read; may be used from any thread."""

    def __init__(self, projection: Projection, reviewing: Reviewing, ports: ReviewPorts) -> None:
        self._projection = projection
        self._reviewing = reviewing
        self._ports = ports

    def list(self, caller: Caller, *, scope: str = "", duty: str | None = None) -> Sequence[Listed]:
        """Return the reviews in a scope and below that the caller may see, the newest period first."""
        require(caller, Permission.REVIEWS_READ)
        now_us = self._ports.now_us()
        with self._projection.engine.connect() as connection:
            duties = {each.id: each for each in rows.load_duties(connection)}
            found = [
                each
                for each in rows.load_reviews(connection)
                if caller.rights.allows(Permission.REVIEWS_READ, each.scope)
                and is_within(each.scope, scope)
                and (duty is None or each.duty == duty)
            ]
            marks = rows.load_marks(connection, [each.id for each in found])
            items = {each.id: rows.load_items(connection, each.id) for each in found if each.closed is None}
        self._ports.search.recorder.looked(caller, LOOKED, scope)
        return [
            Listed(
                each,
                duties[each.duty],
                each.state(now_us),
                sum(standing_of(one, marks[each.id], items.get(each.id, ())).done for one in each.sections),
            )
            for each in found
        ]

    def get(self, caller: Caller, review_id: str) -> Detail:
        """Return a review; the look is recorded, the first one by somebody who may sign it as its beginning.

        Raises ReviewNotFoundError.
        """
        self._reviewing.start(caller, review_id)
        return self._detail(caller, review_id)

    def section(self, caller: Caller, review_id: str, section: str, *, cursor: str | None = None) -> SectionRows:
        """Return a section with its rows as the caller may see them: the search is recorded like any other.

        Raises ReviewNotFoundError, and what a search raises.
        """
        detail = self._detail(caller, review_id)
        found = detail.review.section(section)
        if found is None:
            raise ReviewNotFoundError(f"the review has no section {section[:40]!r}")
        if found.form != "events":
            return SectionRows(detail, found, None)
        asked = search_of(found, detail.review.scope)
        if asked is None or not (caller.read_scopes or caller.own_scopes):
            return SectionRows(detail, found, None)
        page = self._ports.search.search(asked, caller, cursor=cursor, limit=ROWS_MAX)
        return SectionRows(detail, found, page)

    def recount(self, caller: Caller, review_id: str, section: str) -> tuple[Section, Count]:
        """Run the query of a section again at the size of its snapshot, and return what both say; only numbers and
        digests are told. Raises ReviewNotFoundError.
        """
        review = self._detail(caller, review_id).review
        found = review.section(section)
        if found is None or found.form != "events":
            raise ReviewNotFoundError(f"the review has no section {section[:40]!r} that is a query")
        counted = rows_of(self._ports.search, found.query, review.scope, reading=found.reading)
        return found, count_rows(counted, bytes.fromhex(review.seed), len(found.drawn or ()))

    def calendar(self, caller: Caller, start_us: int, end_us: int) -> Sequence[Due]:
        """Return what falls due in a stretch of time, in order: reviews, and periods of duties that are still to end."""
        require(caller, Permission.REVIEWS_READ)
        now_us = self._ports.now_us()
        with self._projection.engine.connect() as connection:
            duties = [
                each
                for each in rows.load_duties(connection)
                if caller.rights.allows(Permission.REVIEWS_READ, each.terms.scope)
            ]
            reviews = {each.id: each for each in rows.load_reviews(connection)}
        self._ports.search.recorder.looked(caller, LOOKED)
        found = [due for duty in duties for due in _dues(duty, reviews, start_us, end_us, now_us)]
        return sorted(found, key=lambda each: (each.due, each.duty.id))

    def figures(self, caller: Caller, scope: str = "") -> Figures:
        """Return how reviews are done in a scope and below it. Raises PermissionMissingError."""
        require(caller, Permission.REVIEWS_READ, scope)
        now_us = self._ports.now_us()
        with self._projection.engine.connect() as connection:
            reviews = [each for each in rows.load_reviews(connection) if is_within(each.scope, scope)]
            marks = rows.load_marks(connection, [each.id for each in reviews])
            waiting = [
                each
                for each in rows.load_follow_ups(connection, REVIEW_FOLLOW_UP.c.done_at.is_(None))
                if is_within(each.scope, scope)
            ]
        self._ports.search.recorder.looked(caller, LOOKED, scope)
        return _figures(reviews, marks, waiting, now_us)

    def _detail(self, caller: Caller, review_id: str) -> Detail:
        with self._projection.engine.connect() as connection:
            review = visible_review(connection, caller, review_id)
            duty = rows.find_duty(connection, review.duty)
            assert duty is not None
            marks = rows.load_marks(connection, [review.id])[review.id]
            items = rows.load_items(connection, review.id)
            signatures = rows.load_signatures(connection, review.id)
            follow_ups = rows.load_follow_ups(connection, REVIEW_FOLLOW_UP.c.review == review.id)
            can_review = review.closed is None and self._reviewing.may_review(caller, review)
        if not caller.rights.allows(Permission.EVENTS_READ_PERSONAL, review.scope):
            # What people wrote may name others, as what they are called does: it is shown with the right to that alone.
            marks = [each if each.person == caller.id else replace(each, name=None, note=None) for each in marks]
            signatures = [
                each if each.person == caller.id else replace(each, name=None, reason=None) for each in signatures
            ]
            follow_ups = [
                each if caller.id in {each.owner, each.done_by} else replace(each, text=None, outcome=None)
                for each in follow_ups
            ]
        self._ports.search.recorder.looked(caller, LOOKED, review.scope)
        standings = {each.section: standing_of(each, marks, items) for each in review.sections}
        state = review.state(self._ports.now_us())
        return Detail(review, duty, state, standings, marks, items, signatures, follow_ups, can_review)


def search_of(section: Section, scope: str) -> Search | None:
    """Return the question that shows the rows of a section: of a sample those drawn. None where there is none."""
    if not section.count:
        return None
    text = section.query
    if section.drawn is not None:
        text = f"index:({' OR '.join(map(str, sorted(section.drawn)))}) ({text})"
    return Search(text=text, scope=scope or None, reading=section.reading)


def _dues(duty: Duty, reviews: Mapping[str, Review], start_us: int, end_us: int, now_us: int) -> list[Due]:
    after_us = duty.terms.due_days * DAY_US
    found = [
        Due(duty, review.period, review.end, review.due, review, review.state(now_us))
        for review in reviews.values()
        if review.duty == duty.id and start_us <= review.due < end_us
    ]
    if duty.retired_at is not None:
        return found
    period = period_at(duty.terms.cadence, max(duty.created_at, now_us))
    while period.end + after_us < end_us:
        is_here = start_us <= period.end + after_us
        if is_here and f"{duty.id}.{period.name}" not in reviews:
            found.append(Due(duty, period.name, period.end, period.end + after_us, None, None))
        period = period_at(duty.terms.cadence, period.end)
    return found


def _figures(
    reviews: Sequence[Review], marks: Mapping[str, Sequence[Mark]], waiting: Sequence[FollowUp], now_us: int
) -> Figures:
    signed = [each for each in reviews if each.closed == "signed"]
    spent = sorted(
        (each.closed_at - each.started_at) // 60_000_000
        for each in signed
        if each.closed_at is not None and each.started_at is not None
    )
    return Figures(
        closed=len(signed),
        on_time=sum(not each.late for each in signed),
        late=sum(each.late for each in signed),
        waived=sum(each.closed == "waived" for each in reviews),
        overdue=sum(each.state(now_us) is State.OVERDUE for each in reviews),
        minutes=spent[len(spent) // 2] if spent else None,
        findings=len(
            {
                (review, mark.section, mark.item)
                for review, held in marks.items()
                for mark in held
                if mark.verdict in {"finding", "revoke", "to be changed", "to end"}
            }
        ),
        follow_ups_open=len(waiting),
        follow_ups_overdue=sum(each.due < now_us for each in waiting),
        oldest_days=max(((now_us - each.opened_at) // DAY_US for each in waiting), default=0),
    )
