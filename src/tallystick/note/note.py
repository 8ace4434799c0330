"""Signed notes of c2sp.org/signed-note: text, a blank line, signature lines.

Opening a note follows the rules there, and fails closed: signatures of unknown keys are ignored, a known key whose
signature does not verify spoils the whole note, and a note that no known key signed is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from tallystick.errors import VerificationError
from tallystick.note.keys import NoteKeyError, check_key_name
from tallystick.note.text import SpellingError, format_base64, parse_base64

NOTE_BYTES_MAX = 1_000_000
SIGNATURES_MAX = 100

_DASH = "\u2014 ".encode()
_CONTROLS = bytes(code for code in range(0x20) if code != 0x0A)


class NoteError(VerificationError):
    """Bytes are not a signed note, or no trusted key signed it."""

    code = "note-invalid"
    advice = "Fetch it again; if it stays so, the source is not the one whose key you trust."


class SignatureError(NoteError):
    """A signature that claims to come from a known key does not verify."""

    code = "signature-invalid"
    advice = "The text was changed after it was signed, or signed with another key. Keep a copy of it."


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who claims to have signed, and the bytes after the key identifier. Proves nothing yet."""

    name: str
    key_id: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """What a note says, before any signature was checked. `text` ends in a newline."""

    text: bytes
    signatures: tuple[Signature, ...]


class Verifier(Protocol):
    """A public key that is trusted under a name."""

    @property
    def name(self) -> str: ...

    @property
    def key_id(self) -> int: ...

    @property
    def vkey(self) -> str: ...

    def verify(self, text: bytes, value: bytes) -> None:
        """Return when `value` is this key's signature over the note text; raise SignatureError otherwise."""
        ...


class Signer(Protocol):
    """A key that signs note texts."""

    @property
    def name(self) -> str: ...

    def sign(self, text: bytes) -> Signature:
        """Return the signature line's content for the text."""
        ...


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """A note that at least one known key signed: `signed` holds each checked signature with its key, in order."""

    text: bytes
    signed: tuple[tuple[Verifier, Signature], ...]
    unknown: tuple[Signature, ...]


def format_signature(signature: Signature) -> bytes:
    """Return the signature line with its newline."""
    encoded = format_base64(signature.key_id.to_bytes(4, "big") + signature.value)
    return _DASH + signature.name.encode() + b" " + encoded + b"\n"


def parse_signatures(data: bytes) -> tuple[Signature, ...]:
    """Return the signatures of one or more signature lines and nothing else; raise NoteError otherwise."""
    _check_characters(data)
    if not data.endswith(b"\n"):
        raise NoteError("a signature line ends in a newline")
    lines = data[:-1].split(b"\n")
    if len(lines) > SIGNATURES_MAX:
        raise NoteError(f"a note has at most {SIGNATURES_MAX} signatures, not {len(lines)}")
    return tuple(_parse_line(line) for line in lines)


def format_note(text: bytes, signatures: Iterable[Signature]) -> bytes:
    """Return the bytes of a signed note."""
    _check_characters(text)
    if not text.endswith(b"\n"):
        raise NoteError("the text of a note ends in a newline")
    lines = b"".join(format_signature(signature) for signature in signatures)
    return text + b"\n" + lines


def parse_note(data: bytes) -> Note:
    """Return the text and the signatures, none of them checked; raise NoteError when `data` is not a signed note."""
    if len(data) > NOTE_BYTES_MAX:
        raise NoteError(f"a note has at most {NOTE_BYTES_MAX} bytes, not {len(data)}")
    _check_characters(data)
    split = data.rfind(b"\n\n")
    if split < 0:
        raise NoteError("a note has a blank line between text and signatures")
    return Note(data[: split + 1], parse_signatures(data[split + 2 :]))


def open_note(data: bytes, verifiers: Iterable[Verifier]) -> OpenedNote:
    """Return the note when every signature by a known key verifies and there is at least one; raise NoteError else."""
    note = parse_note(data)
    known: dict[tuple[str, int], Verifier] = {}
    for verifier in verifiers:
        if known.setdefault((verifier.name, verifier.key_id), verifier) != verifier:
            raise NoteKeyError(f"two keys answer to {verifier.name}+{verifier.key_id:08x}")
    signed: list[tuple[Verifier, Signature]] = []
    unknown: list[Signature] = []
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None:
            unknown.append(signature)
        else:
            key.verify(note.text, signature.value)
            signed.append((key, signature))
    if not signed:
        raise NoteError("no key that is known here signed the note")
    return OpenedNote(note.text, tuple(signed), tuple(unknown))


def _check_characters(data: bytes) -> None:
    if data.translate(None, _CONTROLS) != data:
        raise NoteError("a note has no control characters but newlines")
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise NoteError("a note is UTF-8") from error


def _parse_line(line: bytes) -> Signature:
    name, separator, encoded = line.removeprefix(_DASH).decode().partition(" ")
    if not line.startswith(_DASH) or not separator:
        raise NoteError("a signature line is a long dash, a key name and base64")
    try:
        check_key_name(name)
        data = parse_base64(encoded.encode(), exact=False)
    except (NoteKeyError, SpellingError) as error:
        raise NoteError(f"a signature line is not as it should be: {error.message}") from error
    if len(data) < 5:
        raise NoteError("a signature line holds a key identifier and a signature")
    return Signature(name, int.from_bytes(data[:4], "big"), data[4:])
