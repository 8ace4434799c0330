"""Maps at work: from one record of a file to one event, and a note of what could not be said in our words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tallystick.errors import InvalidInputError
from tallystick.intake.identity import content_event_id

_NOT_IN_SCOPE = re.compile(r"[^A-Za-z0-9._~@+-]+")
_SCOPE_CHARS_MAX = 512


class UnmappableError(InvalidInputError):
    """A vendor record lacks what every event must have; it is listed and not imported."""

    code = "unmappable"
    advice = (
        "Look at the record at the named place; a map of your own can name another member (docs/guide/mappings.md)."
    )


@dataclass(frozen=True, slots=True)
class Mapped:
    """An event made of a vendor record. `content_id` is the id it gets where `event["id"]` already names another event;
    None where the sender chose the id, so that a conflict is the sender's to settle.

    `gaps` says what the map had no words for, as (member, what the vendor said).
    """

    event: dict[str, Any]
    content_id: str | None
    gaps: tuple[tuple[str, str], ...] = ()


class EventMap(Protocol):
    """What an importer needs of a map."""

    @property
    def name(self) -> str: ...

    @property
    def digest(self) -> str:
        """What tells this map from another one of the same name."""
        ...

    @property
    def wrappers(self) -> tuple[str, ...]:
        """Members that hold the list of records in a wrapping object."""
        ...

    @property
    def exact_numbers(self) -> bool:
        """Whether numbers are to be read as `json_text.NumberText` where they could lose digits."""
        ...

    def apply(self, record: Mapping[str, Any], data: bytes, *, source: str, scope: str) -> Mapped | None:
        """Return the event of `record`, whose text is `data`; None for a record that is not an event.

        Pure and deterministic. `source` is who imports, `scope` the path under which everything is put ("" for none).
        Raises UnmappableError.
        """
        ...


class NativeMap:
    """Events that are in our own form already: nothing is changed, an id and a scope are added where they are missing."""

    name = "native"
    digest = "1"
    wrappers: tuple[str, ...] = ("events",)
    exact_numbers = False

    def apply(self, record: Mapping[str, Any], data: bytes, *, source: str, scope: str) -> Mapped | None:
        event = dict(record)
        if scope and "scope" not in event:
            event["scope"] = scope
        content_id = content_event_id(source, self.name, data)
        return Mapped(event, None) if "id" in event else Mapped({"id": content_id, **event}, content_id)


def join_scope(prefix: str, scope: str) -> str:
    """Return `scope` under `prefix`, with what no scope may hold replaced by a dash."""
    segments = [_NOT_IN_SCOPE.sub("-", segment) for segment in scope.split("/") if segment.strip()]
    joined = "/".join([*(part for part in prefix.split("/") if part), *segments])
    return joined[:_SCOPE_CHARS_MAX].rstrip("/")
