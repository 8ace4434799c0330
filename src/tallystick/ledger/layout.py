"""Where one ledger's files lie (DESIGN section 7, `docs/format/ledger.md`)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

WAL_SUFFIX = ".wal"
_WAL_NAME = re.compile(r"([0-9]{16})\.wal", re.ASCII)


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of the ledger called `name` below `data`, and of its records below `state`."""

    data: Path
    state: Path
    name: str = "main"

    @property
    def ledger(self) -> Path:
        return self.data / "ledger" / self.name

    @property
    def current(self) -> Path:
        return self.data / "ledger" / "current"

    @property
    def wal(self) -> Path:
        return self.ledger / "wal"

    @property
    def lock(self) -> Path:
        return self.ledger / "lock"

    @property
    def checkpoint(self) -> Path:
        return self.ledger / "checkpoint"

    @property
    def witnessed(self) -> Path:
        return self.ledger / "checkpoint.witnessed"

    @property
    def cosigned(self) -> Path:
        return self.ledger / "cosigned"

    @property
    def segments(self) -> Path:
        return self.data / "segments" / self.name

    @property
    def manifest(self) -> Path:
        return self.segments / "manifest.json"

    @property
    def erasing(self) -> Path:
        """The order to erase that is being carried out."""
        return self.ledger / "erasing.json"

    @property
    def keys(self) -> Path:
        return self.data / "keys"

    def last_signed(self, origin: str) -> Path:
        """Return the record's path; origins may hold any letters, so the name is a digest and the record says whose."""
        return self.state / f"{hashlib.sha256(origin.encode()).hexdigest()[:32]}.last-signed"

    def erasures(self, origin: str) -> Path:
        """Return the folder in which the erasures that people decided in this log are remembered."""
        return self.last_signed(origin).with_suffix(".erasures")

    def state_lock(self, origin: str) -> Path:
        return self.last_signed(origin).with_suffix(".lock")

    def wal_file(self, first_index: int) -> Path:
        return self.wal / f"{first_index:016d}{WAL_SUFFIX}"


def parse_wal_name(name: str) -> int | None:
    """Return the first index that a write-ahead log file's name gives; None for any other file."""
    match = _WAL_NAME.fullmatch(name)
    return int(match[1]) if match else None
