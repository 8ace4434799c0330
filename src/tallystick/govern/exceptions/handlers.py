"""How the events of exceptions change their tables. Texts that were erased are NULL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, update

from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import Handler, handlers_of
from tallystick.govern.exceptions import events
from tallystick.store.tables.exceptions import EXCEPTION, EXCEPTION_STEP


def _request(connection: Connection, event: ProductEvent) -> None:
    facts, texts = event.metadata, _new_texts(event)
    connection.execute(
        EXCEPTION.insert().values(
            exception=facts["exception"],
            kind=facts["kind"],
            subject=facts["subject"],
            scope=facts["scope"],
            narrowed=facts["narrowed"],
            query=texts.get("query"),
            justification=event.event.get("reason"),
            control=texts.get("control"),
            risk=facts["risk"],
            start_at=facts["start"],
            until_at=facts["until"],
            extends=facts.get("extends"),
            digest=facts["digest"],
            requester=_actor(event),
            requested_index=event.index,
            requested_at=event.received_at,
            used=0,
        )
    )
    _step(connection, event, "requested")


def _deciding(decision: str) -> Handler:
    def decide(connection: Connection, event: ProductEvent) -> None:
        connection.execute(
            update(EXCEPTION)
            .where(EXCEPTION.c.exception == event.metadata["exception"], EXCEPTION.c.decision.is_(None))
            .values(
                decision=decision, decided_by=_actor(event), decided_index=event.index, decided_at=event.received_at
            )
        )
        _step(connection, event, decision)

    return decide


def _extend(connection: Connection, event: ProductEvent) -> None:
    _set(connection, event, "extended", extended_by=event.metadata["successor"])


def _revoke(connection: Connection, event: ProductEvent) -> None:
    _set(connection, event, "revoked", revoked_index=event.index, revoked_at=event.received_at)


def _use(connection: Connection, event: ProductEvent) -> None:
    more = EXCEPTION.c.used + event.metadata["count"]
    _set(connection, event, "used", used=more, used_at=event.received_at)


def _near_end(connection: Connection, event: ProductEvent) -> None:
    _set(connection, event, "expiring", expiring_index=event.index, noticed_at=event.received_at)


def _expire(connection: Connection, event: ProductEvent) -> None:
    _set(connection, event, "expired", expiry_index=event.index, noticed_at=event.received_at)


def _set(connection: Connection, event: ProductEvent, step: str, **values: Any) -> None:
    exception = event.metadata["exception"]
    connection.execute(update(EXCEPTION).where(EXCEPTION.c.exception == exception).values(**values))
    _step(connection, event, step)


def _step(connection: Connection, event: ProductEvent, step: str) -> None:
    connection.execute(
        EXCEPTION_STEP.insert().values(
            log_index=event.index,
            exception=event.metadata["exception"],
            step=step,
            at=event.received_at,
            actor=_actor(event),
            actor_type=event.event["actor"]["type"],
            via=event.metadata.get("via"),
            reason=event.event.get("reason"),
            count=event.metadata.get("count"),
        )
    )


def _actor(event: ProductEvent) -> str:
    actor: str = event.event["actor"]["id"]
    return actor


def _new_texts(event: ProductEvent) -> dict[str, str | None]:
    """Return the new values by field; None where they were erased."""
    return {each["field"]: each.get("new") for each in event.event.get("changes") or []}


HANDLERS: Mapping[tuple[str, int], Handler] = handlers_of(
    {
        events.REQUESTED: _request,
        events.APPROVED: _deciding("approved"),
        events.REJECTED: _deciding("rejected"),
        events.WITHDRAWN: _deciding("withdrawn"),
        events.EXTENDED: _extend,
        events.REVOKED: _revoke,
        events.USED: _use,
        events.EXPIRING: _near_end,
        events.EXPIRED: _expire,
    }
)
