"""The events of notifications: what each says for ever, and what of it is personal."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tallystick.access.acts import OWN_SCOPE, Change, Target, act
from tallystick.access.grants.events import PRODUCT
from tallystick.access.model import Caller
from tallystick.alert.notify.model import Delivery, Silence

ROUTES_CHANGED: Final = "alert_routes.changed"
RECEIVER_SET: Final = "alert_receiver.set"
RECEIVER_REMOVED: Final = "alert_receiver.removed"
RECEIVER_TESTED: Final = "alert_receiver.tested"
SILENCE_PLACED: Final = "silence.placed"
SILENCE_CHANGED: Final = "silence.changed"
SILENCE_ENDED: Final = "silence.ended"
NOTIFIED: Final = "alert.notified"
NOTIFICATION_FAILED: Final = "alert.notification_failed"
NOTIFICATION_HELD: Final = "alert.notification_held"
NOTIFICATION_RETRIED: Final = "alert.notification_retried"
_NAMES: Final = uuid.UUID("6f1c9d0e-6b3f-5a7e-9d55-0f6a0f5b8a11")

Event = dict[str, Any]


def notification_id(*parts: str | int) -> str:
    """Return the same UUID for the same parts."""
    return str(uuid.uuid5(_NAMES, "\x00".join(map(str, parts))))


def receiver_set(caller: Caller, metadata: Mapping[str, Any], address: str, before: str | None, now_us: int) -> Event:
    """Return `alert_receiver.set`; the address is personal."""
    target = Target("alert_receiver", metadata["receiver"])
    return act(caller, RECEIVER_SET, target, metadata, now_us, changes=[Change("address", before, address)])


def silence_event(caller: Caller, action: str, silence: Silence, now_us: int, reason: str) -> Event:
    """Return an event about a silence; the reason is personal."""
    metadata = {
        "silence": silence.id,
        "matchers": [str(each) for each in silence.matchers],
        "scope": silence.scope or "/",
        "until": silence.until,
    }
    target = Target("silence", silence.id)
    return act(caller, action, target, metadata, now_us, scope=silence.scope, reason=reason)


def settled(delivery: Delivery, *, delivered: bool) -> Event:
    """Return the event that says what became of a notification, the same each time that it is asked for."""
    action = NOTIFIED if delivered else NOTIFICATION_FAILED
    metadata = {
        "key": delivery.key,
        "receiver": delivery.receiver,
        "route": delivery.route,
        "tells": delivery.tells.value,
        "number": delivery.number,
        "alerts": list(delivery.firing),
        "resolved": list(delivery.resolved),
        "attempts": [{"at": each.at, "code": each.code, "latency_ms": each.latency_ms} for each in delivery.attempts],
    }
    target = Target("notification", delivery.key)
    event = act(PRODUCT, action, target, metadata, delivery.attempts[-1].at, scope=delivery.scope)
    event["outcome"] = "success" if delivered else "failure"
    event["id"] = notification_id(delivery.key, action, delivery.round)
    return event


def held(receiver: str, found: Sequence[tuple[str, str, str]], scope: str, group: str, now_us: int) -> Event:
    """Return the event that says of which alerts a receiver was not told: each with the reason, and by what."""
    told = [{"alert": alert, "reason": reason, "by": by} for alert, reason, by in found]
    metadata = {"receiver": receiver, "held": told}
    event = act(PRODUCT, NOTIFICATION_HELD, Target("alert_receiver", receiver), metadata, now_us, scope=scope)
    event["id"] = notification_id(group, now_us, *(part for each in found for part in each))
    return event


def common_scope(scopes: Sequence[str]) -> str:
    """Return the deepest scope that holds all of these."""
    parts = [scope.split("/") for scope in scopes] or [[""]]
    shared = []
    for at in zip(*parts, strict=False):
        if len(set(at)) > 1:
            break
        shared.append(at[0])
    return "/".join(shared) or OWN_SCOPE
