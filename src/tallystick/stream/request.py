"""The bytes of one request: body and headers, signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tallystick.stream.gitlab import CONTENT_TYPE, TOKEN_HEADER, TYPE_HEADER
from tallystick.stream.judge import Message
from tallystick.stream.model import US, Destination, Format, Sealed, Version
from tallystick.stream.sender import Answer, Sender
from tallystick.stream.signing import sign

SAID_CHARS_MAX: Final = 200
SECRET_CHARS_MIN: Final = 4
"""Shorter values are found in any text, and keep nobody out."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address with the secrets that go with it. `signing` may be newer than the address."""

    sender: Sender
    sealed: Sealed
    signing: Sealed

    def secrets_at(self, now_us: int) -> tuple[str, ...]:
        """Return the signing secrets that count now, the newest first."""
        overlaps = now_us < self.signing.overlap_until
        return self.signing.signing if overlaps else self.signing.signing[:1]

    def words_of(self, answer: Answer, *, personal: bool = False) -> str:
        """Return what an answer says, for people to read, and for longer than any event lasts.

        What a destination answers often repeats what it was sent: of an answer to personal data only the status is
        told, and nothing of one that holds a secret of the destination.
        """
        said, text = f"answered {answer.status}", answer.body.decode("utf-8", "replace").strip()
        if personal or not text:
            return said
        if any(secret in text for secret in self._secrets()):
            return f"{said}; what it says holds a secret of this destination"
        return f"{said}: {text[:SAID_CHARS_MAX]}"

    def _secrets(self) -> set[str]:
        """Return every text that nobody is to read again."""
        values = [word for value in self.sealed.headers.values() for word in (value, value.rpartition(" ")[2])]
        queries = [word for part in self.sealed.url_query.split("&") for word in (part, part.partition("=")[2])]
        kept = (*values, *queries, self.sealed.token, self.signing.token, *self.sealed.signing, *self.signing.signing)
        return {each for each in kept if len(each) >= SECRET_CHARS_MIN}


def make_request(
    destination: Destination, version: Version, messages: Sequence[Message], endpoint: Endpoint, now_us: int
) -> tuple[bytes, dict[str, str]]:
    """Return body and headers for some messages of one version.

    A destination that takes several events at once always gets an array, in order; the id of a request with several is
    the same each time that the same events are sent.
    """
    first, last = messages[0], messages[-1]
    if version.batch == 1:
        body, message_id = first.body, first.id
    else:
        body = b"[" + b",".join(message.body for message in messages) + b"]"
        message_id = f"{destination.id}.{version.from_index}.{first.index}-{last.index}"
    return body, headers_of(version.format, message_id, body, endpoint, now_us, first.kind)


def headers_of(
    form: Format, message_id: str, body: bytes, endpoint: Endpoint, now_us: int, kind: str
) -> dict[str, str]:
    """Return the headers of a request: signature, what GitLab's receivers expect where asked for, and the custom ones."""
    headers = sign(endpoint.secrets_at(now_us), message_id, now_us // US, body)
    if form is Format.GITLAB:
        headers |= {"Content-Type": CONTENT_TYPE, TOKEN_HEADER: endpoint.signing.token, TYPE_HEADER: kind}
    custom = {name.lower() for name in endpoint.sealed.headers}
    kept = {name: value for name, value in headers.items() if name.lower() not in custom}
    return {**kept, **endpoint.sealed.headers}
