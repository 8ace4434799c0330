"""How the events of retention come into its tables. Classes, holds and erasures have theirs beside the log's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, update

from tallystick.event.succession import LOG
from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import Handler, handlers_of
from tallystick.store.tables.retention import RETENTION_CHANGE, RETENTION_REQUEST, RETENTION_RULE, RETENTION_RUN


def _assign(connection: Connection, event: ProductEvent) -> None:
    connection.execute(delete(RETENTION_RULE))
    for position, rule in enumerate(event.metadata["rules"]):
        connection.execute(
            RETENTION_RULE.insert().values(
                position=position,
                action=rule.get("action"),
                scope=rule.get("scope"),
                source=rule.get("source"),
                class_number=rule["class"],
                assigned_index=event.index,
            )
        )


def _propose(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    connection.execute(
        RETENTION_CHANGE.insert().values(
            change=metadata["change"],
            kind=metadata["kind"],
            subject=metadata["subject"],
            body=json.dumps(metadata["body"]),
            digest=metadata["digest"],
            state="open",
            reason=event.event.get("reason"),
            proposed_by=_actor(event) or "",
            proposed_at=event.received_at,
            proposed_index=event.index,
        )
    )


def _deciding(state: str) -> Handler:
    """Return the handler of what ends a proposal."""

    def decide(connection: Connection, event: ProductEvent) -> None:
        connection.execute(
            update(RETENTION_CHANGE)
            .where(RETENTION_CHANGE.c.change == event.metadata["change"])
            .values(
                state=state,
                decided_by=_actor(event),
                decided_at=event.received_at,
                decided_index=event.index,
                decision_reason=event.event.get("reason"),
            )
        )

    return decide


def _request(connection: Connection, event: ProductEvent) -> None:
    if LOG in event.metadata:
        return  # about an earlier log, which has no tables
    change = event.metadata.get("change", "")
    connection.execute(RETENTION_REQUEST.insert().values(request_index=event.index, change=change))


def _approve(connection: Connection, event: ProductEvent) -> None:
    if LOG in event.metadata:
        return
    here = RETENTION_REQUEST.c.request_index == event.metadata["request"]
    connection.execute(update(RETENTION_REQUEST).where(here).values(approval_index=event.index))


def _ran(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    code = metadata.get("code")
    connection.execute(
        RETENTION_RUN.insert().values(
            run_index=event.index,
            ran_at=event.received_at,
            state="finished" if code is None else "failed",
            events=metadata["events"],
            erasures=metadata["erasures"],
            took_ms=metadata["took_ms"],
            code=code,
        )
    )


def _actor(event: ProductEvent) -> str | None:
    actor: Mapping[str, Any] = event.event["actor"]
    found: str | None = actor.get("id") or actor.get("key")
    return found


HANDLERS: Mapping[tuple[str, int], Handler] = handlers_of(
    {
        "retention.assigned": _assign,
        "retention.change_proposed": _propose,
        "retention.change_approved": _deciding("approved"),
        "retention.change_declined": _deciding("declined"),
        "retention.change_withdrawn": _deciding("withdrawn"),
        "erasure.requested": _request,
        "erasure.approved": _approve,
        "retention.ran": _ran,
        "retention.run_failed": _ran,
    }
)
