"""Frozen values about grants."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass
from typing import Literal

from tallystick.access.permissions import Permission
from tallystick.event.canonical import canonical_json


class State(enum.StrEnum):
    """Where a grant stands in its life."""

    REQUESTED = "requested"
    ACTIVE = "active"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    EXTENDED = "extended"
    EXPIRED = "expired"


class Ground(enum.StrEnum):
    """Why a grant is in force: somebody else decided, the installation was set up, or the glass was broken."""

    DECISION = "decision"
    SETUP = "setup"
    GLASS = "glass"


@dataclass(frozen=True, slots=True)
class Subject:
    """Who gets the access."""

    kind: Literal["person", "group"]
    id: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked for, and therefore what a decision is about. `until_us` is None for the grant of the setup only."""

    grant: str
    subject: Subject
    role: str
    permissions: frozenset[Permission]
    scope: str
    until_us: int | None
    extends: str | None = None

    @property
    def digest(self) -> str:
        """SHA-256 over everything that is decided; an approval names it."""
        members = {
            "grant": self.grant,
            "subject": {"kind": self.subject.kind, "id": self.subject.id},
            "role": self.role,
            "permissions": sorted(self.permissions),
            "scope": self.scope,
            "until": self.until_us,
            "extends": self.extends,
        }
        return hashlib.sha256(b"tallystick/1 grant\n" + canonical_json(members)).hexdigest()


@dataclass(frozen=True, slots=True)
class Step:
    """One event in the life of a grant."""

    index: int
    at: int
    step: str
    actor: str
    actor_type: str
    via: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant or the request for one. Times are microseconds since 1970, indexes places in the log.

    `permissions` are those of the role as it was asked for; what is in force is what the role still has of them.
    `authority` names the grants by which whoever approved it was allowed to.
    """

    terms: Terms
    ground: Ground
    reason: str | None
    requester: str
    requested_index: int
    requested_at: int
    decision: str | None
    decided_by: str | None
    decided_index: int | None
    decided_at: int | None
    authority: tuple[str, ...]
    ended: str | None
    ended_at: int | None
    expiry_index: int | None
    steps: tuple[Step, ...] = ()

    @property
    def id(self) -> str:
        return self.terms.grant

    @property
    def subject(self) -> Subject:
        return self.terms.subject

    @property
    def scope(self) -> str:
        return self.terms.scope

    def state(self, now_us: int) -> State:
        """Return where the grant stands at a time; that it ran out needs nobody to have noticed."""
        if self.decision in {State.REJECTED, State.WITHDRAWN}:
            return State(self.decision)
        if self.ended is not None:
            return State(self.ended)
        if self.terms.until_us is not None and self.terms.until_us <= now_us:
            return State.EXPIRED
        return State.REQUESTED if self.decision is None else State.ACTIVE


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who could do something, and the grant or token that explains it. `since` and `until` are of that.

    `whole` is false where only a part of the scope that was asked about was open. `person` is None for a service, whose
    name stands in `name`.
    """

    person: str | None
    name: str
    role: str | None
    scope: str
    grant: str | None
    group: str | None
    token: str | None
    ground: str
    since: int
    since_index: int
    until: int | None
    whole: bool
