"""What search needs from the rest of the house."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from tallystick.event.catalogue import Catalogue
from tallystick.ledger.model import Snapshot


class Caller(Protocol):
    """Who is asking, and what they may see; `access.model.Caller` is one."""

    @property
    def id(self) -> str:
        """What stands as the actor in the record of the reading."""
        ...

    @property
    def type(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def read_scopes(self) -> tuple[str, ...]:
        """Scopes that may be read, each with all below it; the empty scope is everything, no scope is nothing."""
        ...

    @property
    def personal_scopes(self) -> tuple[str, ...]:
        """Scopes whose personal data may be searched and shown."""
        ...

    @property
    def own_scopes(self) -> tuple[str, ...]:
        """Scopes of which the caller's own events may be read, with their personal part."""
        ...

    @property
    def reading_scopes(self) -> tuple[str, ...]:
        """Scopes of which it may be read who read what; everybody may see what they read themselves."""
        ...

    @property
    def export_scopes(self) -> tuple[str, ...]: ...
    @property
    def proof_scopes(self) -> tuple[str, ...]: ...
    @property
    def aliases(self) -> frozenset[str]:
        """Return the other ids by which events name the caller as an actor."""
        ...

    @property
    def session(self) -> str | None: ...
    @property
    def token(self) -> str | None: ...
    @property
    def address(self) -> str | None: ...
    @property
    def via(self) -> str:
        """By which door: `api`, `page`, `cli`."""
        ...


class LedgerReader(Protocol):
    """The part of a ledger that is read."""

    @property
    def origin(self) -> str: ...
    def snapshot(self) -> Snapshot:
        """Return one consistent view; cheap, and safe from any thread."""
        ...

    def checkpoint(self) -> bytes:
        """Return the newest signed checkpoint."""
        ...


class Register(Protocol):
    """Names and meanings that projections keep, as they stand now or stood at an index."""

    def source_names(self) -> Mapping[int, str]: ...
    def class_names(self) -> Mapping[int, str]: ...
    def catalogue_at(self, index: int) -> Catalogue: ...
    def quarantined(self) -> Mapping[str, str]:
        """Return the paths of segments that were set aside, with the reasons; they are named, not searched."""
        ...

    def actor_keys(self, actor_id: str) -> Collection[str]:
        """Return the pseudonym keys of an id, one for each type of actor."""
        ...


class Append(Protocol):
    """Appends one product event; when it returns, the event is durable."""

    def __call__(self, fields: Mapping[str, Any]) -> object: ...
