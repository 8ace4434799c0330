"""The last checkpoint this ledger signed, kept away from its data so that no restored copy can sign a second history.

The record is the signed note itself in a small JSON file of the state directory. It changes only by compare-and-swap.
"""

from __future__ import annotations

import json

from tallystick.ledger.errors import LastSignedChangedError, LastSignedMissingError
from tallystick.ledger.layout import Layout
from tallystick.ledger.lock import FileLock
from tallystick.store.files import Disk

FORMAT = 1


class LastSigned:
    """The record of one origin, locked for this process from `open` to `close`."""

    def __init__(self, disk: Disk, layout: Layout, origin: str) -> None:
        """Take the record's lock or raise LedgerLockedError: two copies of a ledger never run side by side here."""
        self._disk = disk
        self._origin = origin
        disk.mkdirs(layout.state, mode=0o700)
        self._path = layout.last_signed(origin)
        self._lock = FileLock(layout.state_lock(origin), f"the last-signed record of {origin}")

    def find(self) -> bytes | None:
        """Return the signed note, durable, or None when this state directory knows nothing of the origin."""
        # A swap that reported failure may have changed the record without making the change durable.
        self._disk.sync_dir(self._path.parent)
        return self._read()

    def swap(self, expected: bytes | None, note: bytes) -> None:
        """Make `note` the record, durable, if it still is `expected`; raise LastSignedChangedError otherwise.

        After an OSError the record is the old or the new one, whole; `find` says which.
        """
        if self._read() != expected:
            raise LastSignedChangedError(f"the last-signed record of {self._origin} was changed by someone else")
        record = {"format": FORMAT, "origin": self._origin, "checkpoint": note.decode()}
        self._disk.replace(self._path, json.dumps(record, indent=1).encode() + b"\n", mode=0o600)

    def close(self) -> None:
        self._lock.close()

    def _read(self) -> bytes | None:
        if not self._disk.exists(self._path):
            return None
        try:
            record = json.loads(self._disk.read(self._path))
            form, origin, note = record["format"], record["origin"], str(record["checkpoint"])
        except (ValueError, KeyError, TypeError) as error:
            raise LastSignedMissingError(f"{self._path} is not a last-signed record: {error}") from error
        if (form, origin) != (FORMAT, self._origin):
            raise LastSignedMissingError(f"{self._path} is not the last-signed record of {self._origin}")
        return note.encode()
