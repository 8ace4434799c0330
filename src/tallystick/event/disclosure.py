"""An event's content laid open beside its place in the log: what a proof, a package or a page hands out.

A disclosure holds what is left of the content. Whoever has the log recomputes the entry from it and compares;
where only the personal part is gone or withheld, its digest stands in and the facts still verify.
"""

from __future__ import annotations

import json
import uuid
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any, Final

from tallystick.errors import VerificationError
from tallystick.event.canonical import canonical_json, check_canonical
from tallystick.event.commitment import (
    DIGEST_BYTES,
    SALT_BYTES,
    content_digest,
    facts_digest,
    personal_digest,
)
from tallystick.event.entry import Entry


class BadDisclosureError(VerificationError):
    """A line is not a disclosure in its one exact form."""

    code = "bad-disclosure"
    advice = "The line was changed or made by another program; fetch it again from the server or the package."


class IncompleteDisclosureError(VerificationError):
    """Too little of the content is left to recompute the entry."""

    code = "incomplete-disclosure"
    advice = "The content was destroyed or withheld. `tallystick verify` says which erasure covers its index."


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One event's content and place. `salt1` goes with `facts`; `salt2` with `personal`, or else
    `personal_digest` stands in for both. `received_at` is in microseconds since 1970, `id` has 16 bytes.
    """

    index: int
    id: bytes
    received_at: int
    source: int
    class_number: int
    salt1: bytes | None
    facts: bytes | None
    salt2: bytes | None
    personal: bytes | None
    personal_digest: bytes | None

    def entry(self) -> Entry:
        """Return the entry that this content commits to; raises IncompleteDisclosureError when parts are missing."""
        if self.salt1 is None or self.facts is None:
            raise IncompleteDisclosureError(f"the facts of event {self.index} are not here")
        if self.salt2 is not None and self.personal is not None:
            personal = personal_digest(self.salt2, self.personal)
        elif self.personal_digest is not None:
            personal = self.personal_digest
        else:
            raise IncompleteDisclosureError(f"neither the personal part of event {self.index} nor its digest is here")
        content = content_digest(self.id, facts_digest(self.salt1, self.facts), personal)
        return Entry(self.class_number, self.source, self.received_at, content)


def format_disclosure(disclosure: Disclosure) -> bytes:
    """Return the disclosure as one line of canonical JSON, without a newline; what is None is left out.

    Facts and personal stand in it as JSON texts inside text, so that no reader's JSON library can touch their bytes.
    """
    fields: dict[str, object] = {
        "index": disclosure.index,
        "id": str(uuid.UUID(bytes=disclosure.id)),
        "received_at": disclosure.received_at,
        "source": disclosure.source,
        "class": disclosure.class_number,
    }
    for name in _BINARY:
        value = getattr(disclosure, name)
        if value is not None:
            fields[name] = b64encode(value).decode("ascii")
    for name in _TEXT:
        value = getattr(disclosure, name)
        if value is not None:
            fields[name] = value.decode("utf-8")
    return canonical_json(fields)


def parse_disclosure(data: bytes) -> Disclosure:
    """Return the disclosure in `data`, or raise BadDisclosureError unless it is exactly what `format_disclosure` makes."""
    try:
        check_canonical(data)
        fields = json.loads(data)
        disclosure = _from_fields(fields)
    except (VerificationError, ValueError, TypeError, KeyError) as error:
        raise BadDisclosureError(f"the disclosure cannot be read: {error}") from error
    if format_disclosure(disclosure) != data:
        raise BadDisclosureError("the disclosure holds members or values that it should not")
    _check_parts(disclosure)
    return disclosure


_BINARY: Final = {"salt1": SALT_BYTES, "salt2": SALT_BYTES, "personal_digest": DIGEST_BYTES}
_TEXT: Final = ("facts", "personal")
_BOUNDS: Final = {"index": 2**53, "received_at": 2**53, "source": 2**32, "class": 2**16}


def _from_fields(fields: dict[str, Any]) -> Disclosure:
    numbers: dict[str, int] = {}
    for name, bound in _BOUNDS.items():
        number = fields[name]
        if type(number) is not int or not 0 <= number < bound:
            raise ValueError(f"{name} is out of range")
        numbers[name] = number
    binary: dict[str, bytes | None] = {}
    for name, size in _BINARY.items():
        value = b64decode(_text(fields, name), validate=True) if name in fields else None
        if value is not None and len(value) != size:
            raise ValueError(f"{name} does not have {size} bytes")
        binary[name] = value
    text = {name: _text(fields, name).encode("utf-8") if name in fields else None for name in _TEXT}
    return Disclosure(
        index=numbers["index"],
        id=uuid.UUID(_text(fields, "id")).bytes,
        received_at=numbers["received_at"],
        source=numbers["source"],
        class_number=numbers["class"],
        salt1=binary["salt1"],
        facts=text["facts"],
        salt2=binary["salt2"],
        personal=text["personal"],
        personal_digest=binary["personal_digest"],
    )


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is not text")
    return value


def _check_parts(disclosure: Disclosure) -> None:
    if (disclosure.salt1 is None) != (disclosure.facts is None):
        raise BadDisclosureError("facts and salt1 go together")
    if (disclosure.salt2 is None) != (disclosure.personal is None):
        raise BadDisclosureError("personal and salt2 go together")
    if disclosure.personal is not None and disclosure.personal_digest is not None:
        raise BadDisclosureError("personal_digest stands only where personal is gone")
