"""Duties and reviews as answers show them, for programs and pages alike."""

from __future__ import annotations

from typing import Any

import msgspec

from tallystick.event.occurred import time_of_us
from tallystick.review.export import row_fields
from tallystick.review.looking import Detail, Listed, SectionRows
from tallystick.review.model import FollowUp, Kind, Mark, Section, Signature
from tallystick.review.sections import SectionType, sections_of


class ReviewLine(msgspec.Struct, frozen=True, kw_only=True):
    """A review in a list: `done` of its `sections` are done."""

    id: str
    duty: str
    title: str | None
    kind: Kind
    scope: str
    period: str
    state: str
    due: str
    opened_at: str
    closed_at: str | None
    sections: int
    done: int


class ReviewsView(msgspec.Struct, frozen=True, kw_only=True):
    """Reviews, the newest period first."""

    reviews: list[ReviewLine]


class MarkView(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said of a section or of one of its items; `own` counts what is about her, of which it says nothing."""

    item: str
    person: str
    name: str | None
    verdict: str
    note: str | None
    own: int
    at: str
    index: int


class ItemView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was listed when the review opened."""

    item: str
    facts: dict[str, Any]
    marks: list[MarkView]


class SectionView(msgspec.Struct, frozen=True, kw_only=True):
    """A section: `count` and `digest` are what the log holds of it, `waiting` says what is missing to be done."""

    section: str
    title: str
    help: str
    form: str
    query: str
    reading: bool
    count: int
    digest: str
    drawn: list[int] | None
    done: bool
    waiting: str
    verdicts: list[str]
    remark: str
    marks: list[MarkView]
    items: list[ItemView]


class SignatureView(msgspec.Struct, frozen=True, kw_only=True):
    """A signature, with why it is late where it is."""

    place: str
    person: str
    name: str | None
    at: str
    index: int
    late: bool
    reason: str | None


class FollowUpView(msgspec.Struct, frozen=True, kw_only=True):
    """What is left to be done; text and outcome are null once they were erased."""

    id: str
    review: str
    section: str
    owner: str
    text: str | None
    due: str
    opened_at: str
    done_at: str | None
    done_by: str | None
    outcome: str | None


class ReviewView(msgspec.Struct, frozen=True, kw_only=True):
    """A review: its snapshot, what was said of it, and who signed. `seed` is the root of the first `size` + 1 entries."""

    line: ReviewLine
    start: str
    end: str
    opened_index: int
    size: int
    seed: str
    digest: str
    exception: str | None
    started_at: str | None
    second: bool
    can_review: bool
    sections: list[SectionView]
    signatures: list[SignatureView]
    follow_ups: list[FollowUpView]


class RowView(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a section, as far as the reader may see it."""

    index: int
    id: str
    received_at: str
    source: str
    action: str | None
    actor: str | None
    target: str | None
    scope: str | None
    outcome: str | None
    severity: str | None
    message: str


class SectionRowsView(msgspec.Struct, frozen=True, kw_only=True):
    """A section with its rows: `seen` of the `looked_at` events are shown to this reader, on this page and others."""

    review: ReviewLine
    digest: str
    can_review: bool
    section: SectionView
    rows: list[RowView]
    looked_at: int
    seen: int
    next: str | None


class RecountView(msgspec.Struct, frozen=True, kw_only=True):
    """What a section's query finds now at the size of the snapshot, beside what it found then."""

    section: str
    then_count: int
    then_digest: str
    count: int
    digest: str
    same: bool


def line_view(listed: Listed) -> ReviewLine:
    """Return a review as a list shows it."""
    review = listed.review
    return ReviewLine(
        id=review.id,
        duty=review.duty,
        title=listed.duty.title,
        kind=review.kind,
        scope=review.scope or "/",
        period=review.period,
        state=listed.state.value,
        due=time_of_us(review.due),
        opened_at=time_of_us(review.opened_at),
        closed_at=_time(review.closed_at),
        sections=len(review.sections),
        done=listed.done,
    )


def review_view(detail: Detail) -> ReviewView:
    """Return a review with its sections, without the rows of these."""
    review = detail.review
    return ReviewView(
        line=line_of(detail),
        start=time_of_us(review.start),
        end=time_of_us(review.end),
        opened_index=review.opened_index,
        size=review.size,
        seed=review.seed,
        digest=review.digest,
        exception=review.exception,
        started_at=_time(review.started_at),
        second=detail.duty.terms.second,
        can_review=detail.can_review,
        sections=[section_view(detail, each) for each in review.sections],
        signatures=[_signature(each) for each in detail.signatures],
        follow_ups=[_follow_up(each) for each in detail.follow_ups],
    )


def line_of(detail: Detail) -> ReviewLine:
    """Return the line of a review in a list."""
    done = sum(each.done for each in detail.standings.values())
    return line_view(Listed(detail.review, detail.duty, detail.state, done))


def section_view(detail: Detail, section: Section) -> SectionView:
    """Return a section with what was said of it."""
    made: SectionType = sections_of(detail.review.kind)[section.section]
    stands = detail.standings[section.section]
    marks = [each for each in detail.marks if each.section == section.section]
    return SectionView(
        section=section.section,
        title=made.title,
        help=made.help,
        form=section.form,
        query=section.query,
        reading=section.reading,
        count=section.count,
        digest=section.digest,
        drawn=None if section.drawn is None else list(section.drawn),
        done=stands.done,
        waiting=stands.waiting,
        verdicts=list(made.verdicts),
        remark=made.remark,
        marks=[_mark(each) for each in marks if not each.item],
        items=[
            ItemView(item=each.item, facts=each.facts, marks=[_mark(mark) for mark in marks if mark.item == each.item])
            for each in detail.items
            if each.section == section.section
        ],
    )


def rows_view(found: SectionRows) -> SectionRowsView:
    """Return a section with its rows as the reader may see them."""
    section, page = found.section, found.page
    return SectionRowsView(
        review=line_of(found.detail),
        digest=found.detail.review.digest,
        can_review=found.detail.can_review,
        section=section_view(found.detail, section),
        rows=[] if page is None else [RowView(**row_fields(each)) for each in page.rows],
        looked_at=section.count if section.drawn is None else len(section.drawn),
        seen=0 if page is None else page.count,
        next=None if page is None else page.next_cursor,
    )


def _mark(mark: Mark) -> MarkView:
    return MarkView(
        item=mark.item,
        person=mark.person,
        name=mark.name,
        verdict=mark.verdict,
        note=mark.note,
        own=len(mark.own),
        at=time_of_us(mark.at),
        index=mark.index,
    )


def _signature(each: Signature) -> SignatureView:
    return SignatureView(
        place=each.place,
        person=each.person,
        name=each.name,
        at=time_of_us(each.at),
        index=each.index,
        late=each.late,
        reason=each.reason,
    )


def _follow_up(each: FollowUp) -> FollowUpView:
    return FollowUpView(
        id=each.id,
        review=each.review,
        section=each.section,
        owner=each.owner,
        text=each.text,
        due=time_of_us(each.due),
        opened_at=time_of_us(each.opened_at),
        done_at=_time(each.done_at),
        done_by=each.done_by,
        outcome=each.outcome,
    )


def _time(moment: int | None) -> str | None:
    return None if moment is None else time_of_us(moment)
