"""Ed25519 note signatures, type 0x01: how a log signs its checkpoints."""

from __future__ import annotations

import os
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tallystick.note.keys import KeyType, NoteKeyError, check_key_name, format_secret, format_vkey, key_id, split_secret
from tallystick.note.note import Signature, SignatureError

SIGNATURE_BYTES = 64


class Ed25519Verifier:
    """A log's public key under its name, which is the log's origin."""

    __slots__ = ("_key", "key_id", "name", "public_key")

    def __init__(self, name: str, public_key: bytes) -> None:
        check_key_name(name)
        if len(public_key) != 32:
            raise NoteKeyError("an Ed25519 public key has 32 bytes")
        self.name = name
        self.public_key = public_key
        self.key_id = key_id(name, KeyType.ED25519, public_key)
        self._key = Ed25519PublicKey.from_public_bytes(public_key)

    @property
    def vkey(self) -> str:
        return format_vkey(self.name, KeyType.ED25519, self.public_key)

    def verify(self, text: bytes, value: bytes) -> None:
        verify_ed25519(self._key, value, text, self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ed25519Verifier) and (self.name, self.public_key) == (other.name, other.public_key)

    def __hash__(self) -> int:
        return hash((self.name, self.public_key))

    def __repr__(self) -> str:
        return f"Ed25519Verifier({self.vkey})"


class Ed25519Signer:
    """A log's private key under its name. The seed is never shown by `repr`."""

    __slots__ = ("_key", "_seed", "verifier")

    def __init__(self, name: str, seed: bytes) -> None:
        self._key = private_key(seed)
        self._seed = seed
        self.verifier = Ed25519Verifier(name, self._key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls, name: str, entropy: Callable[[int], bytes] = os.urandom) -> Ed25519Signer:
        """Return a signer with a fresh key."""
        return cls(name, entropy(32))

    @classmethod
    def from_secret(cls, text: str) -> Ed25519Signer:
        """Return the signer that `secret` described; raise NoteKeyError for another kind of key or a damaged one."""
        key, identifier = split_secret(text)
        if key.type is not KeyType.ED25519:
            raise NoteKeyError(f"the secret key of {key.name} is not a log's key")
        signer = cls(key.name, key.material)
        if signer.verifier.key_id != identifier:
            raise NoteKeyError(f"the secret key of {key.name} does not have the identifier it claims")
        return signer

    @property
    def name(self) -> str:
        return self.verifier.name

    @property
    def key_id(self) -> int:
        return self.verifier.key_id

    @property
    def vkey(self) -> str:
        return self.verifier.vkey

    @property
    def secret(self) -> str:
        """The text form that Go programs read; to be kept in a file of mode 0600 and nowhere else."""
        return format_secret(self.name, self.key_id, KeyType.ED25519, self._seed)

    def sign(self, text: bytes) -> Signature:
        return Signature(self.name, self.key_id, self._key.sign(text))

    def __repr__(self) -> str:
        return f"Ed25519Signer({self.vkey})"


def private_key(seed: bytes) -> Ed25519PrivateKey:
    """Return the key that the 32-byte seed makes."""
    if len(seed) != 32:
        raise NoteKeyError("an Ed25519 seed has 32 bytes")
    return Ed25519PrivateKey.from_private_bytes(seed)


def verify_ed25519(key: Ed25519PublicKey, signature: bytes, message: bytes, name: str) -> None:
    """Return when the signature verifies; raise SignatureError, naming the key, otherwise."""
    if len(signature) != SIGNATURE_BYTES:
        raise SignatureError(f"the signature of {name} has {len(signature)} bytes, not {SIGNATURE_BYTES}")
    try:
        key.verify(signature, message)
    except InvalidSignature as error:
        raise SignatureError(f"the signature of {name} does not verify") from error
