"""The product's events about what people do in it: one place that says who, from where, in which words.

Every member of `metadata` is a fact and stays for ever in the ledger's own class: it names people by id only. What is
personal (names, addresses, reasons) goes into `changes`, `reason` and the target's name, which an erasure can take away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tallystick.access.model import Caller
from tallystick.event.occurred import time_of_us

OWN_SCOPE: Final = "tallystick"


@dataclass(frozen=True, slots=True)
class Target:
    """What was acted upon; the name is personal."""

    type: str
    id: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One attribute that was set; old and new values are personal."""

    field: str
    old: Any
    new: Any


def act(
    caller: Caller,
    action: str,
    target: Target,
    metadata: Mapping[str, Any],
    now_us: int,
    *,
    scope: str = OWN_SCOPE,
    outcome: str = "success",
    reason: str | None = None,
    changes: Sequence[Change] = (),
) -> dict[str, Any]:
    """Return the event that says that the caller did this; `scope` is where it is found, never the empty path."""
    event: dict[str, Any] = {
        "action": action,
        "actor": {"id": caller.id, "type": caller.type},
        "target": {"type": target.type, "id": target.id},
        "scope": scope or OWN_SCOPE,
        "occurred_at": time_of_us(now_us),
        "outcome": outcome,
        "context": {"ip": caller.address, "auth_method": caller.via},
        "metadata": dict(metadata),
    }
    if caller.name and caller.name != caller.id:
        event["actor"]["name"] = caller.name
    if target.name:
        event["target"]["name"] = target.name
    if caller.session:
        event["context"]["session_id"] = caller.session
    if reason:
        event["reason"] = reason
    if changes:
        event["changes"] = [{"field": each.field, "old": each.old, "new": each.new} for each in changes]
    return event
