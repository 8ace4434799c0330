"""From the text of a verification key to the key that checks."""

from __future__ import annotations

from tallystick.note.cosignature import CosignatureVerifier
from tallystick.note.ed25519 import Ed25519Verifier
from tallystick.note.keys import KeyType, NoteKeyError, split_vkey


def parse_vkey(text: str) -> Ed25519Verifier | CosignatureVerifier:
    """Return the verifier of that text: a log's for type 0x01, a witness's for type 0x04."""
    key = split_vkey(text)
    if key.type is KeyType.ED25519:
        return Ed25519Verifier(key.name, key.material)
    return CosignatureVerifier(key.name, key.material)


def parse_log_vkey(text: str) -> Ed25519Verifier:
    """Return the verifier of a log's key; raise NoteKeyError for a witness's."""
    verifier = parse_vkey(text)
    if not isinstance(verifier, Ed25519Verifier):
        raise NoteKeyError(f"the key of {verifier.name} is a witness's, where a log's is needed")
    return verifier


def parse_witness_vkey(text: str) -> CosignatureVerifier:
    """Return the verifier of a witness's key; raise NoteKeyError for a log's."""
    verifier = parse_vkey(text)
    if not isinstance(verifier, CosignatureVerifier):
        raise NoteKeyError(f"the key of {verifier.name} is a log's, where a witness's is needed")
    return verifier
