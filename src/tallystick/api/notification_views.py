"""What was sent, waits or was held back, as the API shows it."""

from __future__ import annotations

import msgspec

from tallystick.alert.notify.evidence import Evidence
from tallystick.alert.notify.model import Attempt, Delivery, HeldBack, Notification
from tallystick.event.occurred import time_of_us


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """One try. `code` is the answer's: of HTTP, of SMTP, or 0 where there was none or none is told."""

    at: str
    code: int
    latency_ms: int
    said: str


class NotificationView(msgspec.Struct, frozen=True, kw_only=True):
    """One notification. `state` is waiting, delivered, or dead for what was given up; `index` is of its event, where there
    is one yet. `key` is what the receiver knows a repeat by.
    """

    key: str
    state: str
    receiver: str
    route: str
    tells: str
    number: int
    scope: str
    alerts: list[str]
    resolved: list[str]
    at: str
    index: int | None
    attempts: list[AttemptView]


class HeldView(msgspec.Struct, frozen=True, kw_only=True):
    """An alert of which a receiver was not told: why, and by which silence, alert or interval."""

    index: int
    alert: str
    scope: str
    receiver: str
    reason: str
    by: str
    at: str


class NotificationsView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of notifications: `settled` and `held` the newest first, `waiting` and `dead` the oldest first."""

    settled: list[NotificationView]
    waiting: list[NotificationView]
    dead: list[NotificationView]
    held: list[HeldView]


def notifications_view(evidence: Evidence) -> NotificationsView:
    """Return what became of notifications."""
    return NotificationsView(
        settled=[settled_view(each) for each in evidence.settled],
        waiting=[_delivery_view(each) for each in evidence.waiting],
        dead=[_delivery_view(each) for each in evidence.dead],
        held=[_held_view(each) for each in evidence.held],
    )


def settled_view(found: Notification) -> NotificationView:
    """Return a notification as the log has it."""
    return NotificationView(
        key=found.key,
        state="delivered" if found.delivered else "dead",
        receiver=found.receiver,
        route=found.route,
        tells=found.tells,
        number=found.number,
        scope=found.scope,
        alerts=list(found.firing),
        resolved=list(found.resolved),
        at=time_of_us(found.at),
        index=found.index,
        attempts=[attempt_view(each) for each in found.attempts],
    )


def attempt_view(attempt: Attempt) -> AttemptView:
    """Return one try."""
    return AttemptView(at=time_of_us(attempt.at), code=attempt.code, latency_ms=attempt.latency_ms, said=attempt.said)


def _delivery_view(found: Delivery) -> NotificationView:
    return NotificationView(
        key=found.key,
        state=found.state,
        receiver=found.receiver,
        route=found.route,
        tells=found.tells.value,
        number=found.number,
        scope=found.scope,
        alerts=list(found.firing),
        resolved=list(found.resolved),
        at=time_of_us(found.made_at),
        index=None,
        attempts=[attempt_view(each) for each in found.attempts],
    )


def _held_view(found: HeldBack) -> HeldView:
    return HeldView(
        index=found.index,
        alert=found.alert,
        scope=found.scope,
        receiver=found.receiver,
        reason=found.reason,
        by=found.by,
        at=time_of_us(found.at),
    )
