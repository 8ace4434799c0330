"""Files under their SHA-256: written once, checked whenever they are read."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import BinaryIO, Final

from tallystick.errors import StorageFullError
from tallystick.releases.errors import ObjectDamagedError
from tallystick.store.files import LocalDisk

_CHUNK_BYTES: Final = 1 << 20
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


def is_digest(text: str) -> bool:
    """Return whether a text is a SHA-256 as it is written here: 64 small hexadecimal digits."""
    return _DIGEST.fullmatch(text) is not None


def digest_of(data: bytes) -> str:
    """Return the SHA-256 of bytes, as it is written here."""
    return hashlib.sha256(data).hexdigest()


class Objects:
    """The files in `folder`, which is its own. `room_bytes` is what stays free on the disk."""

    def __init__(self, folder: Path, room_bytes: int) -> None:
        self.folder = folder
        self._room_bytes = room_bytes
        self._disk = LocalDisk()
        self._disk.mkdirs(folder, mode=0o700)

    def put(self, data: bytes) -> str:
        """Return the digest of the bytes, which are durable then; raises StorageFullError.

        A file that is there already is kept as it is; one that a crash left torn is made whole.
        """
        digest = digest_of(data)
        if self._disk.free_bytes(self.folder) - len(data) < self._room_bytes:
            raise StorageFullError(f"there is no room for {len(data):,} bytes more")
        self._disk.put_all([(self.folder / digest, data)])
        return digest

    def open(self, digest: str) -> tuple[BinaryIO, int]:
        """Return a file, open at its beginning, and its size; raises ObjectDamagedError unless it is what was stored."""
        assert is_digest(digest)
        try:
            file = (self.folder / digest).open("rb")
        except FileNotFoundError as error:
            raise ObjectDamagedError(f"the file {digest} is gone") from error
        try:
            size = _check(file, digest)
        except BaseException:
            file.close()
            raise
        return file, size

    def read(self, digest: str) -> bytes:
        """Return the bytes of a file; raises ObjectDamagedError."""
        with self.open(digest)[0] as file:
            return file.read()


def _check(file: BinaryIO, digest: str) -> int:
    """Return the size of a file, which is at its beginning again; raises ObjectDamagedError for another digest."""
    made, size = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK_BYTES):
        made.update(chunk)
        size += len(chunk)
    if made.hexdigest() != digest:
        raise ObjectDamagedError(f"the file {digest} is not what was stored")
    file.seek(0)
    return size
