"""The ledger's secret keys: files of mode 0600 in `keys/`, in the text form that other note tools read.

While a rotation is under way the old and the new key both sign, so readers who pinned the old one have time to learn
the new one from the log's own `key.rotated` event.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tallystick.errors import InvalidInputError
from tallystick.ledger.errors import KeyExposedError, KeyMalformedError, KeyMissingError
from tallystick.ledger.layout import Layout
from tallystick.note.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from tallystick.note.ed25519 import Ed25519Signer
from tallystick.store.files import Disk, LocalDisk

SIGNING_SUFFIX = ".signing-key"
PSEUDONYM_NAME = "pseudonym-key"
PSEUDONYM_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class LedgerKeys:
    """The keys that sign one origin's checkpoints, the current one first."""

    signers: tuple[Ed25519Signer, ...]

    @property
    def origin(self) -> str:
        return self.signers[0].name

    @property
    def vkeys(self) -> tuple[str, ...]:
        return tuple(signer.vkey for signer in self.signers)

    def sign_checkpoint(self, size: int, root: bytes) -> bytes:
        """Return the signed note for a tree."""
        return sign_checkpoint(Checkpoint(self.origin, size, root), *self.signers)

    def open_checkpoint(self, note: bytes) -> Checkpoint:
        """Return the checkpoint that one of these keys signed; raise VerificationError otherwise."""
        return open_checkpoint(note, [signer.verifier for signer in self.signers]).checkpoint


def signing_key_path(layout: Layout, role: str = "") -> Path:
    """Return the file of the current key, or of the `next` or `previous` one."""
    return layout.keys / f"{layout.name}{'.' + role if role else ''}{SIGNING_SUFFIX}"


def create_signing_key(disk: Disk, layout: Layout, origin: str, entropy: Callable[[int], bytes]) -> Ed25519Signer:
    """Return the ledger's first key, made and stored unless an interrupted creation did so already."""
    path = signing_key_path(layout)
    if not _is_stored(disk, path):
        _save(disk, path, Ed25519Signer.generate(origin, entropy).secret.encode())
    return _load_signer(disk, path)


def load_keys(disk: Disk, layout: Layout) -> LedgerKeys:
    """Return the keys in force: the current one, with the next or previous one while a rotation is under way."""
    current = signing_key_path(layout)
    if not disk.exists(current):
        raise KeyMissingError(f"there is no signing key at {current}")
    others = [signing_key_path(layout, role) for role in ("next", "previous")]
    signers = [_load_signer(disk, path) for path in [current, *filter(disk.exists, others)]]
    if any(signer.name != signers[0].name for signer in signers):
        raise KeyMalformedError(f"the signing keys in {layout.keys} are not all of one origin")
    return LedgerKeys(tuple({signer.vkey: signer for signer in signers}.values()))


def prepare_next_key(disk: Disk, layout: Layout, entropy: Callable[[int], bytes]) -> LedgerKeys:
    """Return the keys with a next one, made unless an interrupted rotation did so already. It signs from now on."""
    keys = load_keys(disk, layout)
    path = signing_key_path(layout, "next")
    if not _is_stored(disk, path):
        _save(disk, path, Ed25519Signer.generate(keys.origin, entropy).secret.encode())
    return load_keys(disk, layout)


def promote_next_key(disk: Disk, layout: Layout) -> LedgerKeys:
    """Return the keys with the next one as the current one and the current one as the previous one."""
    current, following = signing_key_path(layout), signing_key_path(layout, "next")
    if disk.exists(following):
        _save(disk, signing_key_path(layout, "previous"), disk.read(current))
        # A crash here leaves the old key as current and previous and the new one as next: all of them sign, and
        # promoting again ends it.
        disk.rename(following, current)
    disk.sync_dir(layout.keys)
    return load_keys(disk, layout)


def retire_previous_key(disk: Disk, layout: Layout) -> LedgerKeys:
    """Return the keys without the previous one, whose file is destroyed."""
    disk.unlink(signing_key_path(layout, "previous"))
    disk.sync_dir(layout.keys)
    return load_keys(disk, layout)


def load_or_create_pseudonym_key(
    data: Path, disk: Disk | None = None, entropy: Callable[[int], bytes] = os.urandom
) -> bytes:
    """Return the 32 bytes behind the pseudonyms in a data directory's facts; destroying the file ends every link."""
    disk = disk or LocalDisk()
    path = data / "keys" / PSEUDONYM_NAME
    if not _is_stored(disk, path):
        _save(disk, path, b64encode(entropy(PSEUDONYM_KEY_BYTES)))
    try:
        key = b64decode(_read_secret(disk, path), validate=True)
    except ValueError as error:
        raise KeyMalformedError(f"{path} does not hold a base64 key") from error
    if len(key) != PSEUDONYM_KEY_BYTES:
        raise KeyMalformedError(f"{path} holds {len(key)} bytes, not {PSEUDONYM_KEY_BYTES}")
    return key


def _is_stored(disk: Disk, path: Path) -> bool:
    """Return whether the key is there and durable: an attempt that failed may have left a name that was not synced."""
    if not disk.exists(path):
        return False
    disk.sync_dir(path.parent)
    return True


def _save(disk: Disk, path: Path, secret: bytes) -> None:
    disk.mkdirs(path.parent, mode=0o700)
    disk.replace(path, secret + b"\n", mode=0o600)


def _read_secret(disk: Disk, path: Path) -> bytes:
    """Return the file's content; raise KeyExposedError when anybody but the owner could have read it."""
    mode = disk.mode(path)
    if mode & 0o077:
        raise KeyExposedError(f"{path} has mode {mode:04o}; only its owner may read it", path=str(path))
    return disk.read(path).strip()


def _load_signer(disk: Disk, path: Path) -> Ed25519Signer:
    try:
        return Ed25519Signer.from_secret(_read_secret(disk, path).decode())
    except (InvalidInputError, UnicodeDecodeError) as error:
        raise KeyMalformedError(f"{path} does not hold a signing key: {error}") from error
