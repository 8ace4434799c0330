"""Frozen values about senders and tokens."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Literal

from tallystick.access.permissions import Permission
from tallystick.access.rights import Rights

ActorIds = Literal["opaque", "personal"]
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """What can be changed about a sender. The empty scope is everything.

    `owner` says who answers for it: the id of a person or group, or the name of a team. `silence_s` is how long it may
    send nothing, None for however long.
    """

    kind: str = "api"
    owner: str = ""
    scopes: tuple[str, ...] = ("",)
    actor_ids: ActorIds = "opaque"
    silence_s: int | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A registered sender. `registered_at` is in microseconds since 1970."""

    number: int
    name: str
    settings: SourceSettings
    registered_at: int
    retired: bool


class OwnerKind(enum.StrEnum):
    """Whose a token can be: only that of a source can send events."""

    SOURCE = "source"
    SERVICE = "service"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a token is: the name of a source or service, or the id of a person."""

    kind: OwnerKind
    id: str


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """What a token allows, where, from which networks (none named: from anywhere), and until when.

    `expires_at` is in microseconds since 1970, None for no end. `label` is for people, and personal.
    """

    permissions: frozenset[Permission]
    scopes: tuple[str, ...]
    expires_at: int | None = None
    addresses: tuple[Network, ...] = ()
    label: str = ""

    @property
    def rights(self) -> Rights:
        """The permissions in each of the scopes."""
        return Rights.of((permission, scope) for permission in self.permissions for scope in self.scopes)


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it may be shown: never its secret. Times are microseconds since 1970.

    Once it was rotated, `successor` takes its place and it ends at `ends_at`.
    """

    token: str
    owner: Owner
    settings: TokenSettings
    created_at: int
    revoked: bool
    predecessor: str | None = None
    successor: str | None = None
    ends_at: int | None = None

    def state(self, now_us: int) -> str:
        """Return `active`, `rotating` (the successor is there already), `replaced`, `expired` or `revoked`."""
        if self.revoked:
            return "revoked"
        if self.settings.expires_at is not None and self.settings.expires_at <= now_us:
            return "expired"
        if self.ends_at is None:
            return "active"
        return "rotating" if self.ends_at > now_us else "replaced"

    def is_in_force(self, now_us: int) -> bool:
        """Return whether it opens anything."""
        return self.state(now_us) in {"active", "rotating"}


@dataclass(frozen=True, slots=True)
class CreatedToken:
    """A new token, with its secret for the only time."""

    token: str
    secret: str
