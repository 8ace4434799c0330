"""The events of alerts: what each says for ever, and what of it is personal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tallystick.access.acts import Change, Target, act
from tallystick.access.grants.events import PRODUCT
from tallystick.access.model import Caller
from tallystick.alert.book.model import KIND_MAX, TEXT_MAX, TITLE_MAX, VERSION_MAX, Alert, Limits
from tallystick.follow.alarm import Alarm

OPENED: Final = "alert.opened"
REPEATED: Final = "alert.repeated"
RECOVERED: Final = "alert.recovered"
ACKNOWLEDGED: Final = "alert.acknowledged"
STARTED: Final = "alert.started"
ASSIGNED: Final = "alert.assigned"
COMMENTED: Final = "alert.commented"
EVENT_LINKED: Final = "alert.event_linked"
RESPONDED: Final = "alert.response_recorded"
CLOSING_ASKED: Final = "alert.closing_requested"
CLOSING_DECLINED: Final = "alert.closing_declined"
CLOSED: Final = "alert.closed"
REOPENED: Final = "alert.reopened"
EXPORTED: Final = "alert.exported"

Event = dict[str, Any]


def opened(alert: str, key: str, occasion: str, alarm: Alarm, limits: Limits, now_us: int) -> Event:
    """Return `alert.opened`; what the key says and the sentence are personal."""
    metadata = {
        "kind": alarm.kind[:KIND_MAX],
        "key": key,
        "severity": alarm.severity,
        "title": alarm.title[:TITLE_MAX],
        "count": alarm.count,
        "at": alarm.at_us,
        "version": alarm.version[:VERSION_MAX] if alarm.version else None,
        "method": alarm.method,
        "indexes": list(alarm.indexes),
        "occasions": [occasion],
        **_limits(limits),
    }
    changes = [Change("about", None, alarm.key[:TEXT_MAX]), Change("sentence", None, alarm.sentence[:TEXT_MAX])]
    return _said(alert, alarm.scope, alarm.severity, OPENED, metadata, now_us, changes)


def repeated(
    alert: str,
    last: Alarm,
    added: int,
    occasions: Sequence[str],
    indexes: Sequence[int],
    raised: tuple[str, Limits] | None,
    now_us: int,
) -> Event:
    """Return `alert.repeated` for firings of which `last` is the newest; `raised` is the severity they raise it to."""
    metadata: dict[str, Any] = {
        "added": added,
        "at": last.at_us,
        "indexes": list(indexes),
        "occasions": list(occasions),
    }
    if raised is not None:
        metadata |= {"severity": raised[0], **_limits(raised[1])}
    changes = [Change("sentence", None, last.sentence[:TEXT_MAX])]
    return _said(alert, last.scope, last.severity, REPEATED, metadata, now_us, changes)


def recovered(alert: str, alarm: Alarm, occasion: str, now_us: int) -> Event:
    """Return `alert.recovered`: the cause ended, and the alert waits for a verdict."""
    metadata = {"at": alarm.at_us, "occasions": [occasion], "indexes": list(alarm.indexes)}
    changes = [Change("sentence", None, alarm.sentence[:TEXT_MAX])]
    return _said(alert, alarm.scope, "informational", RECOVERED, metadata, now_us, changes)


def acted(
    caller: Caller,
    action: str,
    alert: Alert,
    now_us: int,
    metadata: Mapping[str, Any] | None = None,
    *,
    reason: str | None = None,
) -> Event:
    """Return what somebody did with an alert; the reason is personal."""
    facts = {"alert": alert.id, "via": caller.via, **(metadata or {})}
    return act(caller, action, Target("alert", alert.id), facts, now_us, scope=alert.scope, reason=reason)


def closing(verdict: str, duplicate_of: str | None) -> dict[str, Any]:
    """Return the facts of a verdict."""
    return {"verdict": verdict, **({"duplicate_of": duplicate_of} if duplicate_of else {})}


def limits_of(limits: Limits) -> dict[str, Any]:
    """Return the facts of limits."""
    return _limits(limits)


def _limits(limits: Limits) -> dict[str, Any]:
    return {"acknowledge_us": limits.acknowledge_us, "close_us": limits.close_us}


def _said(
    alert: str,
    scope: str,
    severity: str,
    action: str,
    metadata: Mapping[str, Any],
    now_us: int,
    changes: Sequence[Change],
) -> Event:
    facts = {"alert": alert, **metadata}
    event = act(PRODUCT, action, Target("alert", alert), facts, now_us, scope=scope, changes=changes)
    event["severity"] = severity
    return event
