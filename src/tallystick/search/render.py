"""Makes what is shown out of what was committed: facts and personal bytes, never columns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from tallystick.event.catalogue import ActionType, render_message
from tallystick.event.commitment import personal_digest
from tallystick.event.disclosure import Disclosure
from tallystick.event.merge import merge
from tallystick.query.evaluate import Document
from tallystick.query.moments import format_moment
from tallystick.query.sql import Names
from tallystick.search.model import Row
from tallystick.search.ports import Register

_NO_PERSONAL = b"{}"


class _Acting(msgspec.Struct):
    """The one fact that says which type of the catalogue an event has."""

    action: str


_acting = msgspec.json.Decoder(_Acting).decode


def see(disclosure: Disclosure, *, personal: bool) -> dict[str, Any]:
    """Return the event as a reader with or without the right to personal data sees it."""
    assert disclosure.facts is not None
    if not personal or disclosure.personal in (None, _NO_PERSONAL):
        event: dict[str, Any] = msgspec.json.decode(disclosure.facts)
        return event
    return merge(disclosure.facts, disclosure.personal)


def make_document(disclosure: Disclosure, names: Names, *, personal: bool) -> Document:
    """Return the event in the form that `query.matches` judges."""
    return Document(
        index=disclosure.index,
        id=str(UUID(bytes=disclosure.id)),
        received_at=disclosure.received_at,
        source=name_of(names.sources, disclosure.source),
        class_name=name_of(names.classes, disclosure.class_number),
        event=see(disclosure, personal=personal),
    )


class Ingredients(NamedTuple):
    """Everything that a row is made of; equal ingredients make equal rows."""

    disclosure: Disclosure
    source: str
    class_name: str
    action_type: ActionType | None
    personal: bool

    @property
    def size_bytes(self) -> int:
        """The bytes of the content."""
        return len(self.disclosure.facts or b"") + len(self.disclosure.personal or b"")


def ingredients_of(disclosure: Disclosure, names: Names, register: Register, *, personal: bool) -> Ingredients:
    """Return what the row of an event is made of for a reader with or without the right to its personal data."""
    assert disclosure.facts is not None
    return Ingredients(
        disclosure,
        name_of(names.sources, disclosure.source),
        name_of(names.classes, disclosure.class_number),
        register.catalogue_at(disclosure.index).get(_acting(disclosure.facts).action),
        personal,
    )


def make_row(made_of: Ingredients) -> Row:
    """Return the event as it is shown, its message rendered by the catalogue as it stood at its index."""
    disclosure, source, class_name, action_type, personal = made_of
    event = see(disclosure, personal=personal)
    return Row(
        index=disclosure.index,
        id=str(UUID(bytes=disclosure.id)),
        received_at=disclosure.received_at,
        source=source,
        class_name=class_name,
        message=render_message(action_type, event),
        event=event,
        withheld=not personal and disclosure.personal not in (None, _NO_PERSONAL),
        erased=disclosure.personal is None,
        undeclared=action_type is None,
    )


def name_of(names: Any, number: int) -> str:
    """Return the registered name, or the number where none is known."""
    found: str = names.get(number) or str(number)
    return found


def row_fields(row: Row) -> dict[str, Any]:
    """Return the row as plain JSON values, its time as RFC 3339."""
    return {
        "index": row.index,
        "id": row.id,
        "received_at": format_moment(row.received_at),
        "source": row.source,
        "class": row.class_name,
        "message": row.message,
        "withheld": row.withheld,
        "erased": row.erased,
        "undeclared": row.undeclared,
        "event": row.event,
    }


def row_json(row: Row) -> bytes:
    """Return the row as one JSON object on one line."""
    return msgspec.json.encode(row_fields(row))


def without_personal(disclosure: Disclosure) -> Disclosure:
    """Return the disclosure with the digest of its personal part in place of the part and its salt."""
    if disclosure.personal is None:
        return disclosure
    assert disclosure.salt2 is not None
    digest = personal_digest(disclosure.salt2, disclosure.personal)
    return replace(disclosure, salt2=None, personal=None, personal_digest=digest)
