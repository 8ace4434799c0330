"""Destinations and what is due to them: frozen values."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

US: Final = 1_000_000
HEADERS_MAX: Final = 20
BATCH_MAX: Final = 1000
DESTINATIONS_MAX: Final = 50
OWN_SCOPE: Final = "tallystick"
"""Where events about what is of the whole installation lie."""
SECRET_KIND: Final = "stream"  # noqa: S105  what it is called, not what it is
"""The kind of a destination's secrets in `secrets.db`."""


class Format(enum.StrEnum):
    """What a request's body looks like."""

    STANDARD = "standard"
    GITLAB = "gitlab"


class State(enum.StrEnum):
    """Where a destination stands. A deleted one gets what it was due before it is gone."""

    ACTIVE = "active"
    PAUSED = "paused"
    ENDING = "ending"
    ENDED = "ended"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a person sets. `scope` is empty for everything; `batch` is how many events one request may carry.

    `headers` are sent with each request; their values, like the query of `url`, are secrets that nobody reads again.
    """

    name: str
    url: str
    format: Format = Format.STANDARD
    scope: str = ""
    query: str = ""
    personal: bool = False
    reading: bool = False
    batch: int = 1
    headers: Mapping[str, str] = {}


class Sealed(msgspec.Struct, frozen=True):
    """What of a destination stands in `secrets.db`. `signing` has the newest secret first.

    The older one counts until `overlap_until` (microseconds). `token` is what a receiver that expects GitLab compares.
    """

    signing: tuple[str, ...]
    token: str
    url_query: str = ""
    headers: Mapping[str, str] = {}
    overlap_until: int = 0


@dataclass(frozen=True, slots=True)
class Version:
    """The settings of a destination for events from `from_index` on, until the next version.

    It acts with `rights`: what its maker held when it was set, and no more than was chosen. `query` is None once it was
    erased: then nothing is sent. `set_at` is in microseconds since 1970.
    """

    from_index: int
    set_at: int
    maker: str
    maker_type: str
    url: str
    format: Format
    scope: str
    personal: bool
    reading: bool
    batch: int
    header_names: tuple[str, ...]
    query: str | None
    rights: Mapping[str, tuple[str, ...]]
    secret: str
    digest: str


@dataclass(frozen=True, slots=True)
class Destination:
    """One destination with all its versions, oldest first; `name` is None once it was erased.

    Events below `start_index` were never due. `rewind_index` is the event that asked for going back to `rewind_to`.
    """

    id: str
    name: str | None
    state: State
    created_at: int
    start_index: int
    versions: tuple[Version, ...]
    stopped_index: int | None = None
    stopped_at: int | None = None
    rewind_index: int = -1
    rewind_to: int = 0

    @property
    def now(self) -> Version:
        """The settings that were set last."""
        return self.versions[-1]

    def version_at(self, index: int) -> Version:
        """Return the settings for an event: those before the first one's time are the first."""
        found = self.versions[0]
        for version in self.versions:
            if version.from_index <= index:
                found = version
        return found

    @property
    def end_index(self) -> int | None:
        """The index up to which events are due, where there is an end: the event that stopped it is the last."""
        return None if self.stopped_index is None else self.stopped_index + 1


@dataclass(frozen=True, slots=True)
class Maker:
    """Whose rights a destination acts with; it meets `search.ports.Caller`."""

    id: str
    type: str
    rights: Mapping[str, tuple[str, ...]]
    aliases: frozenset[str] = field(default_factory=frozenset)
    address: str | None = None
    via: str = "api"
    session: str | None = None
    token: str | None = None
    own_scopes: tuple[str, ...] = ()
    export_scopes: tuple[str, ...] = ()
    proof_scopes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.id

    @property
    def read_scopes(self) -> tuple[str, ...]:
        return self.rights.get("events.read", ())

    @property
    def personal_scopes(self) -> tuple[str, ...]:
        return self.rights.get("events.read_personal", ())

    @property
    def reading_scopes(self) -> tuple[str, ...]:
        return self.rights.get("reading.read", ())


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """An event that a destination refused again and again: set aside, to be sent again when somebody says so."""

    index: int
    event_id: str
    at: int
    status: int
    reason: str
    tries: int
    replaying: bool = False


class Position(msgspec.Struct, kw_only=True):
    """How far a destination is: everything below `next_index` was delivered, set aside, or is not for it.

    Times are microseconds since 1970, 0 for never. Changed by the destination's own thread only.
    """

    next_index: int
    rewound_index: int = -1
    sent: int = 0
    failures: int = 0
    last_success: int = 0
    last_error: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a destination does, for who looks at it. `lag` counts events not judged yet, `lag_s` is the oldest one's age."""

    position: Position
    lag: int
    lag_s: float
    letters: int
    waiting_s: float
