"""Timestamped Ed25519 cosignatures, type 0x04 of c2sp.org/tlog-cosignature: how a witness signs a checkpoint.

The signed bytes are `cosignature/v1`, the time, and the whole note text. They do not name the witness, so a key
belongs to exactly one.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tallystick.note.ed25519 import SIGNATURE_BYTES, private_key, verify_ed25519
from tallystick.note.keys import KeyType, NoteKeyError, check_key_name, format_secret, format_vkey, key_id, split_secret
from tallystick.note.note import Signature, SignatureError

TIME_MAX = 2**63 - 1


class CosignatureVerifier:
    """A witness's public key under its name."""

    __slots__ = ("_key", "key_id", "name", "public_key")

    def __init__(self, name: str, public_key: bytes) -> None:
        check_key_name(name)
        if len(public_key) != 32:
            raise NoteKeyError("an Ed25519 public key has 32 bytes")
        self.name = name
        self.public_key = public_key
        self.key_id = key_id(name, KeyType.COSIGNATURE, public_key)
        self._key = Ed25519PublicKey.from_public_bytes(public_key)

    @property
    def vkey(self) -> str:
        return format_vkey(self.name, KeyType.COSIGNATURE, self.public_key)

    def verify(self, text: bytes, value: bytes) -> None:
        time_s = cosigned_at(value, self.name)
        verify_ed25519(self._key, value[8:], _message(text, time_s), self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CosignatureVerifier) and (self.name, self.public_key) == (other.name, other.public_key)

    def __hash__(self) -> int:
        return hash((self.name, self.public_key))

    def __repr__(self) -> str:
        return f"CosignatureVerifier({self.vkey})"


class CosignatureSigner:
    """A witness's private key under its name. The seed is never shown by `repr`."""

    __slots__ = ("_key", "_seed", "verifier")

    def __init__(self, name: str, seed: bytes) -> None:
        self._key = private_key(seed)
        self._seed = seed
        self.verifier = CosignatureVerifier(name, self._key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls, name: str, entropy: Callable[[int], bytes] = os.urandom) -> CosignatureSigner:
        """Return a signer with a fresh key."""
        return cls(name, entropy(32))

    @classmethod
    def from_secret(cls, text: str) -> CosignatureSigner:
        """Return the signer that `secret` described; raise NoteKeyError for another kind of key or a damaged one."""
        key, identifier = split_secret(text)
        if key.type is not KeyType.COSIGNATURE:
            raise NoteKeyError(f"the secret key of {key.name} is not a witness's key")
        signer = cls(key.name, key.material)
        if signer.verifier.key_id != identifier:
            raise NoteKeyError(f"the secret key of {key.name} does not have the identifier it claims")
        return signer

    @property
    def name(self) -> str:
        return self.verifier.name

    @property
    def vkey(self) -> str:
        return self.verifier.vkey

    @property
    def secret(self) -> str:
        """The text form, as for a log's key but of type 0x04; to be kept in a file of mode 0600 and nowhere else."""
        return format_secret(self.name, self.verifier.key_id, KeyType.COSIGNATURE, self._seed)

    def cosign(self, text: bytes, time_s: int) -> Signature:
        """Return the statement that at that time (whole seconds since 1970) this was the largest consistent tree."""
        if not 0 <= time_s <= TIME_MAX:
            raise ValueError("the time of a cosignature lies between 0 and 2^63 - 1")
        signed = self._key.sign(_message(text, time_s))
        return Signature(self.name, self.verifier.key_id, time_s.to_bytes(8, "big") + signed)

    def __repr__(self) -> str:
        return f"CosignatureSigner({self.vkey})"


def cosigned_at(value: bytes, name: str) -> int:
    """Return the time in a cosignature, whole seconds since 1970; true only once the signature was verified."""
    if len(value) != 8 + SIGNATURE_BYTES:
        raise SignatureError(f"the cosignature of {name} has {len(value)} bytes, not {8 + SIGNATURE_BYTES}")
    time_s = int.from_bytes(value[:8], "big")
    if time_s > TIME_MAX:
        raise SignatureError(f"the cosignature of {name} has a time beyond 2^63 - 1")
    return time_s


def _message(text: bytes, time_s: int) -> bytes:
    return b"cosignature/v1\ntime %d\n%b" % (time_s, text)
