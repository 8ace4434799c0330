"""A normalised event as readers see it: facts and personal data together again, or facts alone."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec


class ActorType(StrEnum):
    """Who acted. `deleted` had a type once; `unknown` never told."""

    USER = "user"
    SERVICE = "service"
    SYSTEM = "system"
    ANONYMOUS = "anonymous"
    DELETED = "deleted"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """How it ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    DENIED = "denied"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """How much it matters, least first."""

    INFORMATIONAL = "informational"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Actor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who acted, or for whom. `key` stands in the facts where `id` is personal; without the right to personal data
    only the key is there.
    """

    type: str
    id: str | None = None
    key: str | None = None
    name: str | None = None
    email: str | None = None


class Target(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was acted upon; `key` as for an actor."""

    type: str
    id: str | None = None
    key: str | None = None
    name: str | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One edited field. `old` and `new` may be any JSON, null included, or be absent (msgspec.UNSET)."""

    field: str
    old: Any = msgspec.UNSET
    new: Any = msgspec.UNSET


class Sequence(msgspec.Struct, frozen=True, kw_only=True):
    """The sender's own counter in one of its streams; a gap shows what never arrived."""

    stream: str
    number: int


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened. `occurred_at` is RFC 3339 in UTC with six digits: the sender's claim."""

    action: str
    actor: Actor
    targets: tuple[Target, ...]
    scope: str
    occurred_at: str
    outcome: str
    severity: str
    on_behalf_of: Actor | None = None
    reason: str | None = None
    message: str | None = None
    changes: tuple[Change, ...] = ()
    context: dict[str, Any] = msgspec.field(default_factory=dict)
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    raw: Any = msgspec.UNSET
    sequence: Sequence | None = None


def read_event(fields: dict[str, Any]) -> Event:
    """Return the event in merged fields (`merge.merge`); members that a later version added are left aside."""
    return msgspec.convert(fields, Event)
