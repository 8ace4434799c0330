"""Views, exports and what they ask: frozen values."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

DAY_US: Final = 86_400 * 1_000_000


class Question(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is looked for; the same members as a search."""

    text: str = ""
    start: str | None = None
    end: str | None = None
    scope: str | None = None
    reading: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """A question under a name. `shared_in` is the scope whose readers see it, None for its owner alone.

    `name` and `question` are None once they were erased. `saved_at` is in microseconds since 1970.
    """

    view: str
    owner: str
    shared_in: str | None
    name: str | None
    question: Question | None
    columns: tuple[str, ...]
    saved_at: int


class State(enum.StrEnum):
    """Where an export stands."""

    REQUESTED = "requested"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DELETED = "deleted"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the export under way is; `total` is None until its events are counted."""

    done: int = 0
    total: int | None = None
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Export:
    """An export. `rights` are those it was asked for with, as permission and scope; `code` says why it failed.

    `question` is None once it was erased; `progress` is there while the export is made, not while it waits. `expires_at` is when a
    finished one is deleted. Times are microseconds since 1970.
    """

    export: str
    owner: str
    owner_type: str
    state: State
    format: str
    scope: str
    rights: tuple[tuple[str, str], ...]
    question: Question | None
    requested_at: int
    ended_at: int | None = None
    code: str | None = None
    sha256: str | None = None
    events: int | None = None
    bytes: int | None = None
    progress: Progress | None = None
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Requester:
    """Whoever asked for an export, as they stood when they asked; it meets `search.ports.Caller`."""

    id: str
    type: str
    rights: Mapping[str, tuple[str, ...]]
    aliases: frozenset[str] = field(default_factory=frozenset)
    address: str | None = None
    via: str = "api"
    session: str | None = None
    token: str | None = None

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
    def own_scopes(self) -> tuple[str, ...]:
        return self.rights.get("events.read_own", ()) if self.type == "user" else ()

    @property
    def reading_scopes(self) -> tuple[str, ...]:
        return self.rights.get("reading.read", ())

    @property
    def export_scopes(self) -> tuple[str, ...]:
        return self.rights.get("events.export", ())

    @property
    def proof_scopes(self) -> tuple[str, ...]:
        return self.rights.get("proofs.read", ())
