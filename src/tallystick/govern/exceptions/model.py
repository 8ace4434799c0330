"""Frozen values about exceptions, and the one rule that says when one is in force."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass
from typing import Any, Final

from tallystick.event.canonical import canonical_json
from tallystick.event.identifier import is_within

DAY_US: Final = 86_400 * 1_000_000


class Kind(enum.StrEnum):
    """What an exception is from; the subject is the id of one such thing."""

    POLICY = "policy"
    RULE = "rule"
    RETENTION = "retention"
    DECLARATION = "declaration"
    REVIEW = "review"


class Risk(enum.StrEnum):
    """What it may cost, as who asks for the exception judges it."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class State(enum.StrEnum):
    """Where an exception stands in its life. `agreed` is approved and not begun; `lapsed` was never decided."""

    REQUESTED = "requested"
    AGREED = "agreed"
    ACTIVE = "active"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    EXPIRED = "expired"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for. `start_us` of None is now; `query` narrows it, in the words of the search."""

    kind: Kind
    subject: str
    scope: str
    justification: str
    control: str
    risk: Risk
    until_us: int
    start_us: int | None = None
    query: str | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a decision is about. The three texts are None once they were erased; `narrowed` stays."""

    exception: str
    kind: Kind
    subject: str
    scope: str
    narrowed: bool
    query: str | None
    justification: str | None
    control: str | None
    risk: Risk
    start_us: int
    until_us: int
    extends: str | None = None

    @property
    def digest(self) -> str:
        """SHA-256 over everything that is decided; an approval names it."""
        members: dict[str, Any] = {
            "exception": self.exception,
            "kind": self.kind.value,
            "subject": self.subject,
            "scope": self.scope,
            "query": self.query,
            "justification": self.justification,
            "control": self.control,
            "risk": self.risk.value,
            "start": self.start_us,
            "until": self.until_us,
            "extends": self.extends,
        }
        return hashlib.sha256(b"tallystick/1 exception\n" + canonical_json(members)).hexdigest()


@dataclass(frozen=True, slots=True)
class Step:
    """One event in the life of an exception; `count` is how often it was used, where the event says so."""

    index: int
    at: int
    step: str
    actor: str
    actor_type: str
    via: str | None
    reason: str | None
    count: int | None


@dataclass(frozen=True, slots=True)
class ExceptionRecord:
    """An exception or the request for one. Times are microseconds since 1970, indexes places in the log.

    `digest` is of the terms as they were asked for. `extended_by` is the exception that follows it.
    """

    terms: Terms
    digest: str
    requester: str
    requested_index: int
    requested_at: int
    decision: str | None
    decided_by: str | None
    decided_index: int | None
    decided_at: int | None
    revoked_index: int | None
    revoked_at: int | None
    extended_by: str | None
    used: int
    used_at: int | None
    expiring_index: int | None
    expiry_index: int | None
    steps: tuple[Step, ...] = ()

    @property
    def id(self) -> str:
        return self.terms.exception

    def state(self, now_us: int) -> State:
        """Return where it stands at a time; that it ran out needs nobody to have noticed."""
        if self.decision in {State.REJECTED, State.WITHDRAWN}:
            return State(self.decision)
        if self.revoked_at is not None:
            return State.REVOKED
        if self.terms.until_us <= now_us:
            return State.LAPSED if self.decision is None else State.EXPIRED
        if self.decision is None:
            return State.REQUESTED
        return State.ACTIVE if self.terms.start_us <= now_us else State.AGREED

    def in_force(self, at_us: int) -> bool:
        """Return whether it held at a time, as far as these events tell: approved, begun, not ended, not revoked."""
        return (
            self.decision == "approved"
            and self.decided_at is not None
            and self.decided_at <= at_us
            and self.terms.start_us <= at_us < self.terms.until_us
            and not (self.revoked_at is not None and self.revoked_at <= at_us)
        )

    def covers(self, scope: str, at_us: int) -> bool:
        """Return whether it held for a scope at a time. One whose narrowing query was erased holds nowhere: nobody
        can say any more what was agreed to.
        """
        readable = not self.terms.narrowed or self.terms.query is not None
        return readable and is_within(scope, self.terms.scope) and self.in_force(at_us)

    def warned_from(self, warning_us: int) -> int:
        """Return from when on its end is near: so long before, or the second half of a short one."""
        return max(self.terms.until_us - warning_us, (self.terms.start_us + self.terms.until_us) // 2)


@dataclass(frozen=True, slots=True)
class ExceptionInForce:
    """An exception that holds now. `query` narrows it to the events that it finds; None is everything."""

    id: str
    query: str | None
    until_us: int
