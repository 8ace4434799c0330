"""Frozen values about senders and tokens."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Can(enum.StrEnum):
    """What a token allows."""

    WRITE = "write"
    READ = "read"
    BOTH = "both"

    @property
    def writes(self) -> bool:
        return self is not Can.READ

    @property
    def reads(self) -> bool:
        return self is not Can.WRITE


@dataclass(frozen=True, slots=True)
class Source:
    """A registered sender. `scope` is the empty text for everything."""

    number: int
    name: str
    kind: str
    scope: str
    actor_ids: str
    strict: bool


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it may be shown: never its secret. Times are microseconds since 1970."""

    token: str
    source: str
    can: Can
    scope: str
    expires_at: int | None
    revoked: bool

    def state(self, now_us: int) -> str:
        """Return `active`, `expired` or `revoked`."""
        if self.revoked:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now_us else "active"


@dataclass(frozen=True, slots=True)
class CreatedToken:
    """A new token, with its secret for the only time."""

    token: str
    secret: str
