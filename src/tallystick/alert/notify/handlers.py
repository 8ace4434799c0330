"""How the events of routes, receivers, silences and notifications come into their tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, delete, update

from tallystick.alert.notify import events
from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import Handler, handlers_of
from tallystick.store.tables.notify import ALERT_HELD, ALERT_NOTIFICATION, ALERT_RECEIVER, ALERT_ROUTING, SILENCE


def _change_routes(connection: Connection, event: ProductEvent) -> None:
    connection.execute(
        ALERT_ROUTING.insert().values(
            log_index=event.index,
            digest=event.metadata["digest"],
            config=event.metadata["config"],
            text=_new(event, "text"),
            set_at=event.received_at,
            set_by=_actor(event),
        )
    )


def _set_receiver(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    connection.execute(delete(ALERT_RECEIVER).where(ALERT_RECEIVER.c.receiver == metadata["receiver"]))
    connection.execute(
        ALERT_RECEIVER.insert().values(
            receiver=metadata["receiver"],
            kind=metadata["way"],
            place=metadata["place"],
            address=_new(event, "address"),
            send_resolved=metadata["send_resolved"],
            personal_scopes=json.dumps(metadata["personal_scopes"]),
            header_names=json.dumps(metadata["header_names"]),
            secret=metadata["secret"],
            digest=metadata["digest"],
            set_at=event.received_at,
            set_by=_actor(event),
        )
    )


def _remove_receiver(connection: Connection, event: ProductEvent) -> None:
    connection.execute(delete(ALERT_RECEIVER).where(ALERT_RECEIVER.c.receiver == event.metadata["receiver"]))


def _test_receiver(connection: Connection, event: ProductEvent) -> None:
    connection.execute(
        update(ALERT_RECEIVER)
        .where(ALERT_RECEIVER.c.receiver == event.metadata["receiver"])
        .values(
            tested_at=event.received_at,
            test_outcome=event.event["outcome"],
            test_code=event.metadata["code"],
        )
    )


def _place_silence(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    connection.execute(
        SILENCE.insert().values(
            silence=metadata["silence"],
            matchers=json.dumps(metadata["matchers"]),
            scope="" if metadata["scope"] == "/" else metadata["scope"],
            reason=event.event.get("reason"),
            author=_actor(event),
            placed_at=event.received_at,
            until=metadata["until"],
            changed_index=event.index,
        )
    )


def _change_silence(connection: Connection, event: ProductEvent) -> None:
    values = {"until": event.metadata["until"], "reason": event.event.get("reason")}
    _update_silence(connection, event, values)


def _end_silence(connection: Connection, event: ProductEvent) -> None:
    _update_silence(connection, event, {"ended_at": event.received_at, "ended_by": _actor(event)})


def _update_silence(connection: Connection, event: ProductEvent, values: Mapping[str, Any]) -> None:
    of_it = SILENCE.c.silence == event.metadata["silence"]
    connection.execute(update(SILENCE).where(of_it).values(changed_index=event.index, **values))


def _settle(connection: Connection, event: ProductEvent) -> None:
    """A notification that failed and was sent again by hand has one row: the newest."""
    metadata = event.metadata
    connection.execute(delete(ALERT_NOTIFICATION).where(ALERT_NOTIFICATION.c.key == metadata["key"]))
    connection.execute(
        ALERT_NOTIFICATION.insert().values(
            key=metadata["key"],
            log_index=event.index,
            receiver=metadata["receiver"],
            route=metadata["route"],
            kind=metadata["tells"],
            number=metadata["number"],
            scope=event.event["scope"],
            firing=json.dumps(metadata["alerts"]),
            resolved=json.dumps(metadata["resolved"]),
            outcome="delivered" if event.action == events.NOTIFIED else "failed",
            at=event.received_at,
            attempts=json.dumps(metadata["attempts"]),
        )
    )


def _hold(connection: Connection, event: ProductEvent) -> None:
    shared = {
        "log_index": event.index,
        "scope": event.event["scope"],
        "receiver": event.metadata["receiver"],
        "at": event.received_at,
    }
    connection.execute(ALERT_HELD.insert(), [{**shared, **each} for each in event.metadata["held"]])


def _actor(event: ProductEvent) -> str:
    return event.event["actor"].get("id") or ""


def _new(event: ProductEvent, field: str) -> str | None:
    """Return a personal value that an event set; None once it was erased."""
    for change in event.event.get("changes") or []:
        if change.get("field") == field:
            value: str | None = change.get("new")
            return value
    return None


HANDLERS: Final[Mapping[tuple[str, int], Handler]] = handlers_of(
    {
        events.ROUTES_CHANGED: _change_routes,
        events.RECEIVER_SET: _set_receiver,
        events.RECEIVER_REMOVED: _remove_receiver,
        events.RECEIVER_TESTED: _test_receiver,
        events.SILENCE_PLACED: _place_silence,
        events.SILENCE_CHANGED: _change_silence,
        events.SILENCE_ENDED: _end_silence,
        events.NOTIFIED: _settle,
        events.NOTIFICATION_FAILED: _settle,
        events.NOTIFICATION_HELD: _hold,
    }
)
