"""Routes, receivers, silences and notifications as the tables have them."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from tallystick.alert.notify.matchers import parse_matcher
from tallystick.alert.notify.model import (
    CLOSED,
    Attempt,
    HeldBack,
    Notification,
    Receiver,
    Seen,
    Silence,
    Way,
)
from tallystick.alert.notify.routing import NOTHING, Routing
from tallystick.alert.notify.routing_text import parse_routing
from tallystick.store.tables.alerts import ALERT
from tallystick.store.tables.notify import ALERT_HELD, ALERT_NOTIFICATION, ALERT_RECEIVER, ALERT_ROUTING, SILENCE

_LOOKUP_MAX = 500


@dataclass(frozen=True, slots=True)
class RoutingVersion:
    """One version of the routes; `text` is None once it was erased, and what it said still counts."""

    index: int
    digest: str
    config: str
    text: str | None
    set_at: int
    set_by: str


def routing_versions(connection: Connection, limit: int) -> list[RoutingVersion]:
    """Return the newest versions of the routes, the newest first."""
    rows = connection.execute(select(ALERT_ROUTING).order_by(ALERT_ROUTING.c.log_index.desc()).limit(limit))
    return [RoutingVersion(r.log_index, r.digest, r.config, r.text, r.set_at, r.set_by) for r in rows]


def load_routing(connection: Connection) -> tuple[str, Routing]:
    """Return the digest of the routes that are in force, and what they say."""
    newest = routing_versions(connection, 1)
    return (newest[0].digest, parse_routing(newest[0].config)) if newest else ("", NOTHING)


def all_receivers(connection: Connection) -> dict[str, Receiver]:
    """Return every receiver by its name."""
    rows = connection.execute(select(ALERT_RECEIVER).order_by(ALERT_RECEIVER.c.receiver))
    return {row.receiver: _receiver(row) for row in rows}


def all_silences(connection: Connection, now_us: int | None = None) -> list[Silence]:
    """Return the silences, the newest first; only those that count at a time where one is given."""
    query = select(SILENCE).order_by(SILENCE.c.placed_at.desc(), SILENCE.c.silence)
    if now_us is not None:
        query = query.where(SILENCE.c.ended_at.is_(None), SILENCE.c.until > now_us)
    return [_silence(row) for row in connection.execute(query)]


def find_silence(connection: Connection, silence: str) -> Silence | None:
    """Return a silence, or None."""
    row = connection.execute(select(SILENCE).where(SILENCE.c.silence == silence[:32])).first()
    return None if row is None else _silence(row)


def suppressed_by(connection: Connection, silences: Collection[str]) -> dict[str, int]:
    """Return of how many alerts each silence kept somebody from being told."""
    counted = func.count(func.distinct(ALERT_HELD.c.alert))
    query = select(ALERT_HELD.c.by, counted).where(ALERT_HELD.c.by.in_(list(silences))).group_by(ALERT_HELD.c.by)
    return {row[0]: row[1] for row in connection.execute(query)}


def notifications(connection: Connection, limit: int, *, alert: str | None = None) -> list[Notification]:
    """Return what became of notifications, the newest first; only those about an alert where one is given."""
    query = select(ALERT_NOTIFICATION).order_by(ALERT_NOTIFICATION.c.log_index.desc()).limit(limit)
    if alert is not None:
        quoted = f'"{alert}"'
        told = ALERT_NOTIFICATION.c.firing.contains(quoted, autoescape=True)
        query = query.where(told | ALERT_NOTIFICATION.c.resolved.contains(quoted, autoescape=True))
    return [_notification(row) for row in connection.execute(query)]


def last_of_receivers(connection: Connection) -> dict[str, Notification]:
    """Return the newest notification of each receiver."""
    newest = select(func.max(ALERT_NOTIFICATION.c.log_index)).group_by(ALERT_NOTIFICATION.c.receiver)
    rows = connection.execute(select(ALERT_NOTIFICATION).where(ALERT_NOTIFICATION.c.log_index.in_(newest)))
    return {row.receiver: _notification(row) for row in rows}


def held_back(connection: Connection, limit: int, *, alert: str | None = None) -> list[HeldBack]:
    """Return of which alerts receivers were not told, the newest first."""
    query = select(ALERT_HELD).order_by(ALERT_HELD.c.log_index.desc(), ALERT_HELD.c.alert).limit(limit)
    if alert is not None:
        query = query.where(ALERT_HELD.c.alert == alert)
    rows = connection.execute(query)
    return [HeldBack(r.log_index, r.alert, r.scope, r.receiver, r.reason, r.by, r.at) for r in rows]


def changed_alerts(connection: Connection, after: int, limit: int) -> list[Seen]:
    """Return alerts that changed after an index, in that order."""
    query = select(ALERT).where(ALERT.c.changed_index > after).order_by(ALERT.c.changed_index).limit(limit)
    return [_seen(row) for row in connection.execute(query)]


def open_alerts(connection: Connection) -> list[Seen]:
    """Return every alert that somebody still has to handle."""
    query = select(ALERT).where(ALERT.c.state != CLOSED).order_by(ALERT.c.opened_index)
    return [_seen(row) for row in connection.execute(query)]


def find_alerts(connection: Connection, ids: Sequence[str]) -> dict[str, Seen]:
    """Return alerts by their ids."""
    found: dict[str, Seen] = {}
    for start in range(0, len(ids), _LOOKUP_MAX):
        part = ids[start : start + _LOOKUP_MAX]
        found |= {row.alert: _seen(row) for row in connection.execute(select(ALERT).where(ALERT.c.alert.in_(part)))}
    return found


def alert_texts(connection: Connection, ids: Sequence[str]) -> list[Any]:
    """Return the rows of alerts, as a message needs them, oldest first."""
    return list(connection.execute(select(ALERT).where(ALERT.c.alert.in_(ids)).order_by(ALERT.c.opened_index)))


def _seen(row: Any) -> Seen:
    epoch = max(row.opened_index, row.severity_index, row.reopened_index or 0)
    if epoch == row.opened_index:
        since = row.opened_at
    elif epoch == row.reopened_index:
        since = row.reopened_at
    else:
        since = row.last_at
    return Seen(
        id=row.alert,
        kind=row.kind,
        scope=row.scope,
        severity=row.severity,
        state=row.state,
        epoch=epoch,
        since=since,
        opened_at=row.opened_at,
        changed_index=row.changed_index,
        about=row.about,
    )


def _receiver(row: Any) -> Receiver:
    return Receiver(
        name=row.receiver,
        way=Way(row.kind),
        place=row.place,
        address=row.address,
        send_resolved=bool(row.send_resolved),
        personal_scopes=tuple("" if each == "/" else each for each in json.loads(row.personal_scopes)),
        header_names=tuple(json.loads(row.header_names)),
        secret=row.secret,
        digest=row.digest,
        set_at=row.set_at,
        set_by=row.set_by,
        tested_at=row.tested_at,
        test_outcome=row.test_outcome,
        test_code=row.test_code,
    )


def _silence(row: Any) -> Silence:
    return Silence(
        id=row.silence,
        matchers=tuple(parse_matcher(each) for each in json.loads(row.matchers)),
        scope=row.scope,
        reason=row.reason,
        author=row.author,
        placed_at=row.placed_at,
        until=row.until,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
    )


def _notification(row: Any) -> Notification:
    return Notification(
        key=row.key,
        index=row.log_index,
        receiver=row.receiver,
        route=row.route,
        tells=row.kind,
        number=row.number,
        scope=row.scope,
        firing=tuple(json.loads(row.firing)),
        resolved=tuple(json.loads(row.resolved)),
        delivered=row.outcome == "delivered",
        at=row.at,
        attempts=tuple(Attempt(each["at"], each["code"], each["latency_ms"]) for each in json.loads(row.attempts)),
    )
