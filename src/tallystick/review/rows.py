"""Rows of the tables of reviews as values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from tallystick.review.events import parse_section, parse_terms
from tallystick.review.model import Duty, FollowUp, Item, Kind, Mark, Review, Signature
from tallystick.store.tables.reviews import (
    REVIEW,
    REVIEW_DUTY,
    REVIEW_FOLLOW_UP,
    REVIEW_ITEM,
    REVIEW_MARK,
    REVIEW_SIGNATURE,
)


def find_duty(connection: Connection, duty: str) -> Duty | None:
    """Return a duty, or None."""
    return next(iter(load_duties(connection, REVIEW_DUTY.c.duty == duty)), None)


def load_duties(connection: Connection, *conditions: ColumnElement[bool]) -> list[Duty]:
    """Return duties, the oldest first."""
    query = select(REVIEW_DUTY).where(*conditions).order_by(REVIEW_DUTY.c.created_at, REVIEW_DUTY.c.duty)
    return [
        Duty(row.duty, row.title, parse_terms(json.loads(row.terms)), row.created_at, row.version, row.retired_at)
        for row in connection.execute(query)
    ]


def find_review(connection: Connection, review: str) -> Review | None:
    """Return a review, or None."""
    return next(iter(load_reviews(connection, REVIEW.c.review == review)), None)


def load_reviews(connection: Connection, *conditions: ColumnElement[bool]) -> list[Review]:
    """Return reviews, the newest period first."""
    query = select(REVIEW).where(*conditions).order_by(REVIEW.c.end_at.desc(), REVIEW.c.review)
    return [_review(row) for row in connection.execute(query)]


def _review(row: Any) -> Review:
    return Review(
        id=row.review,
        duty=row.duty,
        terms=parse_terms(json.loads(row.terms)),
        kind=Kind(row.kind),
        scope=row.scope,
        period=row.period,
        start=row.start_at,
        end=row.end_at,
        due=row.due_at,
        opened_at=row.opened_at,
        opened_index=row.opened_index,
        size=row.size,
        seed=row.seed,
        digest=row.digest,
        sections=tuple(parse_section(each) for each in json.loads(row.sections)),
        closed=row.closed,
        closed_at=row.closed_at,
        late=row.late,
        exception=row.exception,
        started_at=row.started_at,
        marked=row.marked,
    )


def load_items(connection: Connection, review: str, section: str | None = None) -> list[Item]:
    """Return what a review lists, or one of its sections, in order."""
    query = select(REVIEW_ITEM).where(REVIEW_ITEM.c.review == review)
    if section is not None:
        query = query.where(REVIEW_ITEM.c.section == section)
    found = connection.execute(query.order_by(REVIEW_ITEM.c.section, REVIEW_ITEM.c.place))
    return [Item(row.section, row.item, json.loads(row.facts)) for row in found]


def load_marks(connection: Connection, reviews: Sequence[str]) -> dict[str, list[Mark]]:
    """Return the marks of reviews, by review, the oldest first."""
    query = select(REVIEW_MARK).where(REVIEW_MARK.c.review.in_(reviews)).order_by(REVIEW_MARK.c.log_index)
    found: dict[str, list[Mark]] = {each: [] for each in reviews}
    for row in connection.execute(query):
        own = tuple(json.loads(row.own))
        found[row.review].append(
            Mark(row.section, row.item, row.person, row.name, row.verdict, row.note, own, row.at, row.log_index)
        )
    return found


def load_signatures(connection: Connection, review: str) -> list[Signature]:
    """Return the signatures under a review, the first first."""
    query = select(REVIEW_SIGNATURE).where(REVIEW_SIGNATURE.c.review == review).order_by(REVIEW_SIGNATURE.c.log_index)
    return [
        Signature(row.place, row.person, row.name, row.at, row.log_index, row.late, row.reason)
        for row in connection.execute(query)
    ]


def load_follow_ups(connection: Connection, *conditions: ColumnElement[bool]) -> list[FollowUp]:
    """Return follow-ups, the one that is due first first."""
    query = (
        select(REVIEW_FOLLOW_UP).where(*conditions).order_by(REVIEW_FOLLOW_UP.c.due_at, REVIEW_FOLLOW_UP.c.follow_up)
    )
    return [
        FollowUp(
            id=row.follow_up,
            review=row.review,
            duty=row.duty,
            scope=row.scope,
            section=row.section,
            owner=row.owner,
            text=row.text,
            due=row.due_at,
            opened_at=row.opened_at,
            opened_index=row.opened_index,
            done_at=row.done_at,
            done_by=row.done_by,
            outcome=row.outcome,
        )
        for row in connection.execute(query)
    ]
