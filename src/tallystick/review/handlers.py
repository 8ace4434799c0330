"""How the events of duties and reviews come into their tables.

Lateness is decided here, by the time at which the ledger received the last signature: nobody can say another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, select, update

from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import Handler, handlers_of
from tallystick.query.moments import parse_instant
from tallystick.review import events
from tallystick.store.tables.reviews import (
    REVIEW,
    REVIEW_DUTY,
    REVIEW_FOLLOW_UP,
    REVIEW_ITEM,
    REVIEW_MARK,
    REVIEW_SIGNATURE,
)


def _create_duty(connection: Connection, event: ProductEvent) -> None:
    terms = event.metadata["terms"]
    connection.execute(
        REVIEW_DUTY.insert().values(
            duty=event.metadata["duty"],
            scope=terms["scope"],
            title=_target_name(event),
            terms=json.dumps(terms),
            created_at=event.received_at,
            version=event.index,
        )
    )


def _change_duty(connection: Connection, event: ProductEvent) -> None:
    terms = event.metadata["terms"]
    values = {"scope": terms["scope"], "title": _target_name(event), "terms": json.dumps(terms)}
    _set_duty(connection, event, **values)


def _retire_duty(connection: Connection, event: ProductEvent) -> None:
    _set_duty(connection, event, retired_at=event.received_at)


def _set_duty(connection: Connection, event: ProductEvent, **values: Any) -> None:
    found = REVIEW_DUTY.c.duty == event.metadata["duty"]
    connection.execute(update(REVIEW_DUTY).where(found).values(version=event.index, **values))


def _open(connection: Connection, event: ProductEvent) -> None:
    said = event.metadata
    _insert(
        connection,
        event,
        size=said["size"],
        seed=said["seed"]["root"],
        digest=said["digest"],
        sections=json.dumps(said["sections"]),
    )


def _list_items(connection: Connection, event: ProductEvent) -> None:
    said = event.metadata
    rows = [
        {
            "review": said["review"],
            "section": said["section"],
            "place": said["first"] + place,
            "item": item["item"],
            "facts": json.dumps(item),
        }
        for place, item in enumerate(said["items"])
    ]
    connection.execute(REVIEW_ITEM.insert(), rows)


def _waive(connection: Connection, event: ProductEvent) -> None:
    """Close a review that is open, or note one that never opened."""
    said = event.metadata
    closing = {"closed": "waived", "closed_at": event.received_at, "exception": said["exception"]}
    found = REVIEW.c.review == said["review"]
    if not connection.execute(update(REVIEW).where(found).values(**closing)).rowcount:
        _insert(connection, event, size=0, seed="", digest="", sections="[]", **closing)


def _insert(connection: Connection, event: ProductEvent, **values: Any) -> None:
    said = event.metadata
    duty = connection.execute(select(REVIEW_DUTY).where(REVIEW_DUTY.c.duty == said["duty"])).one()
    connection.execute(
        REVIEW.insert().values(
            review=said["review"],
            duty=said["duty"],
            terms=duty.terms,
            kind=said["kind"],
            scope=duty.scope,
            period=said["period"],
            start_at=parse_instant(said["from"]),
            end_at=parse_instant(said["to"]),
            due_at=parse_instant(said["due"]),
            opened_at=event.received_at,
            opened_index=event.index,
            late=False,
            marked=False,
            **values,
        )
    )


def _start(connection: Connection, event: ProductEvent) -> None:
    found = (REVIEW.c.review == event.metadata["review"]) & REVIEW.c.started_at.is_(None)
    connection.execute(update(REVIEW).where(found).values(started_at=event.received_at))


def _mark(connection: Connection, event: ProductEvent) -> None:
    said, actor = event.metadata, event.event["actor"]
    key = {
        "review": said["review"],
        "section": said["section"],
        "item": said.get("item", ""),
        "person": actor.get("id") or actor.get("key") or "",
    }
    matches = [REVIEW_MARK.c[name] == value for name, value in key.items()]
    connection.execute(delete(REVIEW_MARK).where(*matches))
    connection.execute(
        REVIEW_MARK.insert().values(
            **key,
            name=actor.get("name"),
            verdict=said["verdict"],
            note=event.event.get("reason"),
            own=json.dumps(said.get("own", [])),
            at=event.received_at,
            log_index=event.index,
        )
    )
    connection.execute(update(REVIEW).where(REVIEW.c.review == said["review"]).values(marked=True))


def _open_follow_up(connection: Connection, event: ProductEvent) -> None:
    said = event.metadata
    texts = [change.get("new") for change in event.event.get("changes") or [] if change["field"] == "text"]
    connection.execute(
        REVIEW_FOLLOW_UP.insert().values(
            follow_up=said["follow_up"],
            review=said["review"],
            duty=said["duty"],
            scope=_duty_scope(connection, said["duty"]),
            section=said["section"],
            owner=said["owner"],
            text=texts[0] if texts else None,
            due_at=parse_instant(said["due"]),
            opened_at=event.received_at,
            opened_index=event.index,
        )
    )


def _finish_follow_up(connection: Connection, event: ProductEvent) -> None:
    actor = event.event["actor"]
    connection.execute(
        update(REVIEW_FOLLOW_UP)
        .where(REVIEW_FOLLOW_UP.c.follow_up == event.metadata["follow_up"])
        .values(
            done_at=event.received_at,
            done_by=actor.get("id") or actor.get("key") or "",
            outcome=event.event.get("reason"),
        )
    )


def _sign(connection: Connection, event: ProductEvent) -> None:
    said, actor = event.metadata, event.event["actor"]
    due = connection.scalar(select(REVIEW.c.due_at).where(REVIEW.c.review == said["review"]))
    late = due is not None and event.received_at > due
    connection.execute(
        REVIEW_SIGNATURE.insert().values(
            log_index=event.index,
            review=said["review"],
            place=said["place"],
            person=actor.get("id") or actor.get("key") or "",
            name=actor.get("name"),
            at=event.received_at,
            late=late,
            reason=event.event.get("reason"),
        )
    )
    if said["last"]:
        closing = update(REVIEW).where(REVIEW.c.review == said["review"])
        connection.execute(closing.values(closed="signed", closed_at=event.received_at, late=late))


def _duty_scope(connection: Connection, duty: str) -> str:
    found = connection.scalar(select(REVIEW_DUTY.c.scope).where(REVIEW_DUTY.c.duty == duty))
    assert found is not None, "a review is of a duty"
    return str(found)


def _target_name(event: ProductEvent) -> str | None:
    found: str | None = event.event["targets"][0].get("name")
    return found


HANDLERS: Mapping[tuple[str, int], Handler] = handlers_of(
    {
        events.DUTY_CREATED: _create_duty,
        events.DUTY_CHANGED: _change_duty,
        events.DUTY_RETIRED: _retire_duty,
        events.OPENED: _open,
        events.LISTED: _list_items,
        events.WAIVED: _waive,
        events.STARTED: _start,
        events.MARKED: _mark,
        events.DECIDED: _mark,
        events.FOLLOW_UP_OPENED: _open_follow_up,
        events.FOLLOW_UP_DONE: _finish_follow_up,
        events.SIGNED: _sign,
    }
)
