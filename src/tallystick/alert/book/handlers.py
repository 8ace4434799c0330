"""How the events of alerts come into their tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from tallystick.alert.book import events
from tallystick.alert.book.model import SAMPLES_MAX, State
from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import Handler, handlers_of
from tallystick.store.tables.alerts import ALERT, ALERT_EVENT, ALERT_OCCASION, ALERT_STEP


def _open(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    connection.execute(
        ALERT.insert().values(
            alert=metadata["alert"],
            kind=metadata["kind"],
            key=metadata["key"],
            about=_text(event, "about"),
            scope=event.event["scope"],
            severity=metadata["severity"],
            title=metadata["title"],
            sentence=_text(event, "sentence"),
            version=metadata.get("version"),
            state=State.NEW,
            count=metadata["count"],
            first_at=metadata["at"],
            last_at=metadata["at"],
            opened_at=event.received_at,
            opened_index=event.index,
            changed_at=event.received_at,
            changed_index=event.index,
            severity_index=event.index,
            acknowledge_by=_end(event.received_at, metadata.get("acknowledge_us")),
            close_by=_end(event.received_at, metadata.get("close_us")),
            closed_late=False,
        )
    )
    _fire(connection, event)
    _note(connection, event)


def _repeat(connection: Connection, event: ProductEvent) -> None:
    metadata, alert = event.metadata, _row(connection, event)
    values: dict[str, Any] = {
        "count": alert.count + metadata["added"],
        "first_at": min(alert.first_at, metadata["at"]),
        "last_at": max(alert.last_at, metadata["at"]),
        "sentence": _text(event, "sentence"),
    }
    if alert.recovered_at is not None and metadata["at"] > alert.recovered_at:
        values |= {"recovered_at": None, "recovered_index": None}
    if "severity" in metadata:
        since = alert.reopened_at if alert.reopened_at is not None else alert.opened_at
        values |= {
            "severity": metadata["severity"],
            "severity_index": event.index,
            "acknowledge_by": _end(alert.opened_at, metadata.get("acknowledge_us")),
            "close_by": _end(since, metadata.get("close_us")),
        }
    _fire(connection, event)
    _change(connection, event, **values)


def _recover(connection: Connection, event: ProductEvent) -> None:
    _fire(connection, event)
    _change(connection, event, recovered_at=event.metadata["at"], recovered_index=event.index)


def _acknowledge(connection: Connection, event: ProductEvent) -> None:
    _change(connection, event, state=State.ACKNOWLEDGED, **_first_look(connection, event))


def _start(connection: Connection, event: ProductEvent) -> None:
    _change(connection, event, state=State.IN_PROGRESS, **_first_look(connection, event))


def _assign(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    _change(connection, event, assignee_kind=metadata.get("assignee_kind"), assignee=metadata.get("assignee"))


def _link(connection: Connection, event: ProductEvent) -> None:
    alert, index = event.metadata["alert"], event.metadata["index"]
    _put_event(connection, alert, index, event.index, fired=False)
    _change(connection, event)


def _ask(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    _change(
        connection,
        event,
        asked_index=event.index,
        asked_by=event.event["actor"].get("id") or "",
        asked_verdict=metadata["verdict"],
        asked_duplicate_of=metadata.get("duplicate_of"),
        asked_digest=metadata["digest"],
    )


def _decline(connection: Connection, event: ProductEvent) -> None:
    _change(connection, event, **_NOTHING_ASKED)


def _close(connection: Connection, event: ProductEvent) -> None:
    metadata, alert = event.metadata, _row(connection, event)
    late = alert.close_by is not None and event.received_at > alert.close_by
    _change(
        connection,
        event,
        state=State.CLOSED,
        verdict=metadata["verdict"],
        duplicate_of=metadata.get("duplicate_of"),
        closed_at=event.received_at,
        closed_index=event.index,
        closed_late=alert.closed_late or late,
        **_NOTHING_ASKED,
        **_first_look(connection, event),
    )


def _reopen(connection: Connection, event: ProductEvent) -> None:
    _change(
        connection,
        event,
        state=State.ACKNOWLEDGED,
        verdict=None,
        duplicate_of=None,
        closed_at=None,
        closed_index=None,
        reopened_at=event.received_at,
        reopened_index=event.index,
        close_by=_end(event.received_at, event.metadata.get("close_us")),
    )


def _touch(connection: Connection, event: ProductEvent) -> None:
    _change(connection, event)


def _first_look(connection: Connection, event: ProductEvent) -> dict[str, Any]:
    """Return the time of the first acknowledgement, which later ones do not change."""
    if _row(connection, event).acknowledged_at is not None:
        return {}
    return {"acknowledged_at": event.received_at, "acknowledged_index": event.index}


def _change(connection: Connection, event: ProductEvent, **values: Any) -> None:
    connection.execute(
        update(ALERT)
        .where(ALERT.c.alert == event.metadata["alert"])
        .values(changed_at=event.received_at, changed_index=event.index, **values)
    )
    _note(connection, event)


def _fire(connection: Connection, event: ProductEvent) -> None:
    """Remember the firings, and the events that show them."""
    alert = event.metadata["alert"]
    rows = [{"occasion": each, "alert": alert, "log_index": event.index} for each in event.metadata["occasions"]]
    connection.execute(ALERT_OCCASION.insert(), rows)
    for index in event.metadata.get("indexes") or ():
        _put_event(connection, alert, index, event.index, fired=True)


def _put_event(connection: Connection, alert: str, index: int, linked_index: int, *, fired: bool) -> None:
    """Tie an event to an alert. Of those that firings show, only so many are kept, and the newest."""
    of_alert = ALERT_EVENT.c.alert == alert
    if connection.execute(select(ALERT_EVENT).where(of_alert, ALERT_EVENT.c.event_index == index)).first() is not None:
        return
    if fired:
        shown = select(func.count(), func.max(ALERT_EVENT.c.event_index)).where(of_alert, ALERT_EVENT.c.fired)
        count, newest = connection.execute(shown).one()
        if count >= SAMPLES_MAX:
            if index < newest:
                return
            connection.execute(delete(ALERT_EVENT).where(of_alert, ALERT_EVENT.c.event_index == newest))
    connection.execute(
        ALERT_EVENT.insert().values(alert=alert, event_index=index, linked_index=linked_index, fired=fired)
    )


def _note(connection: Connection, event: ProductEvent) -> None:
    """Keep the step: what was done, by whom, in which words."""
    said = event.event
    actor, context = said["actor"], said.get("context") or {}
    facts = {name: value for name, value in event.metadata.items() if name not in _NOT_SHOWN and value is not None}
    connection.execute(
        ALERT_STEP.insert().values(
            log_index=event.index,
            alert=event.metadata["alert"],
            scope=said["scope"],
            action=event.action,
            at=event.received_at,
            actor=actor.get("id") or actor.get("key") or "",
            actor_type=actor["type"],
            actor_name=actor.get("name"),
            via=context.get("auth_method"),
            facts=json.dumps(facts, sort_keys=True),
            reason=said.get("reason"),
            sentence=_text(event, "sentence"),
        )
    )


def _row(connection: Connection, event: ProductEvent) -> Any:
    return connection.execute(select(ALERT).where(ALERT.c.alert == event.metadata["alert"])).one()


def _text(event: ProductEvent, name: str) -> str | None:
    """Return a text that an event sets; None where it sets none or it was erased."""
    changes: Sequence[Mapping[str, Any]] = event.event.get("changes") or ()
    found = next((change.get("new") for change in changes if change["field"] == name), None)
    return found if isinstance(found, str) else None


def _end(since: int, limit_us: int | None) -> int | None:
    return None if limit_us is None else since + limit_us


_NOTHING_ASKED: Mapping[str, None] = {
    "asked_index": None,
    "asked_by": None,
    "asked_verdict": None,
    "asked_duplicate_of": None,
    "asked_digest": None,
}
_NOT_SHOWN = frozenset({"alert", "key", "occasions", "via"})
HANDLERS: Mapping[tuple[str, int], Handler] = handlers_of(
    {
        events.OPENED: _open,
        events.REPEATED: _repeat,
        events.RECOVERED: _recover,
        events.ACKNOWLEDGED: _acknowledge,
        events.STARTED: _start,
        events.ASSIGNED: _assign,
        events.COMMENTED: _touch,
        events.EVENT_LINKED: _link,
        events.RESPONDED: _touch,
        events.CLOSING_ASKED: _ask,
        events.CLOSING_DECLINED: _decline,
        events.CLOSED: _close,
        events.REOPENED: _reopen,
    }
)
