"""Names and identifiers of note keys, and the texts that carry them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256

from tallystick.errors import InvalidInputError
from tallystick.note.text import SpellingError, format_base64, parse_base64

SECRET_PREFIX = "PRIVATE+KEY+"  # noqa: S105 - the first words of the text form, not a secret

_KEY_ID = re.compile(r"[0-9a-f]{8}")


class KeyType(IntEnum):
    """The signature types of c2sp.org/signed-note that are understood here."""

    ED25519 = 0x01
    COSIGNATURE = 0x04


class NoteKeyError(InvalidInputError):
    """A key name or the text of a key is not acceptable."""

    code = "note-key-invalid"
    advice = (
        "A verification key is one word: name+8 hexadecimal digits+base64. Copy it again from where it was published."
    )


@dataclass(frozen=True, slots=True)
class KeyText:
    """What the text of a key says: the material is a public key, or the seed in the secret form."""

    name: str
    type: KeyType
    material: bytes


def check_key_name(name: str) -> None:
    """Return when the name may name a key: not empty, no space of any kind, no plus, no control characters."""
    if not name:
        raise NoteKeyError("a key name is not empty")
    if any(char.isspace() or char == "+" or char < " " or "\ud800" <= char <= "\udfff" for char in name):
        raise NoteKeyError(f"the key name {name[:200]!r} has a space, a plus or a control character")


def key_id(name: str, key_type: KeyType, public_key: bytes) -> int:
    """Return the first four bytes of SHA-256(name, newline, type, public key) as a big-endian number."""
    return int.from_bytes(sha256(name.encode() + b"\n" + bytes([key_type]) + public_key).digest()[:4], "big")


def format_vkey(name: str, key_type: KeyType, public_key: bytes) -> str:
    """Return `name+keyid+base64(type || public key)`."""
    return _format(name, key_id(name, key_type, public_key), key_type, public_key)


def format_secret(name: str, identifier: int, key_type: KeyType, seed: bytes) -> str:
    """Return `PRIVATE+KEY+name+keyid+base64(type || seed)`, the form that Go programs use."""
    return SECRET_PREFIX + _format(name, identifier, key_type, seed)


def split_vkey(text: str) -> KeyText:
    """Return the parts of a verification key; raise NoteKeyError unless its identifier follows from the rest."""
    key, identifier = _split(text)
    if identifier != key_id(key.name, key.type, key.material):
        raise NoteKeyError(f"the verification key of {key.name} does not have the identifier it claims")
    return key


def split_secret(text: str) -> tuple[KeyText, int]:
    """Return the parts of a secret key and the identifier it claims, which only the public key can confirm."""
    if not text.startswith(SECRET_PREFIX):
        raise NoteKeyError(f"a secret key begins with {SECRET_PREFIX}")
    return _split(text.removeprefix(SECRET_PREFIX))


def _format(name: str, identifier: int, key_type: KeyType, material: bytes) -> str:
    return f"{name}+{identifier:08x}+{format_base64(bytes([key_type]) + material).decode()}"


def _split(text: str) -> tuple[KeyText, int]:
    parts = text.split("+", 2)  # base64 may contain plus signs of its own
    if len(parts) != 3 or _KEY_ID.fullmatch(parts[1]) is None:
        raise NoteKeyError("the text of a key is name+8 lower-case hexadecimal digits+base64")
    name, identifier, encoded = parts
    check_key_name(name)
    try:
        data = parse_base64(encoded.encode())
        key_type = KeyType(data[0] if data else 0)
    except SpellingError as error:
        raise NoteKeyError(f"the key of {name} is {error.message}") from error
    except UnicodeEncodeError as error:
        raise NoteKeyError(f"the key of {name} is not base64") from error
    except ValueError as error:
        raise NoteKeyError(
            f"the key of {name} is of a kind that is not supported",
            advice="Supported are Ed25519 keys of type 1 (logs) and type 4 (witnesses).",
        ) from error
    if len(data) != 33:
        raise NoteKeyError(f"the key of {name} has {len(data) - 1} bytes, not 32")
    return KeyText(name, key_type, data[1:]), int(identifier, 16)
