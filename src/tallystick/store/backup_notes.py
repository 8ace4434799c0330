"""Notes of backups that were written or unpacked, left in the data directory until the log has them.

`tallystick backup` runs beside a server that holds the log, and needs neither its address nor a token for that: whoever may
copy the directory may leave a note in it. A note has the id of its event, so that taking it twice records it once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import msgspec

from tallystick.store.files import LocalDisk

FOLDER: Final = "backups"
"""In the data directory."""
_SUFFIX: Final = ".json"
_MODE: Final = 0o600


class BackupNote(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A backup: its file, how many events of the log it holds at least, and when it was made or unpacked, in microseconds."""

    id: str
    what: Literal["created", "restored"]
    made_at: int
    name: str
    size: int
    bytes: int
    sha256: str


def leave_note(data: Path, note: BackupNote) -> None:
    """Leave a note, durably."""
    disk = LocalDisk()
    disk.mkdirs(data / FOLDER)
    disk.replace(_path(data, note), msgspec.json.encode(note), mode=_MODE)


def found_notes(data: Path) -> list[BackupNote]:
    """Return the notes that are left, in the order of their making; what is no note of ours is passed over."""
    notes = []
    for path in (data / FOLDER).glob(f"*{_SUFFIX}"):
        try:
            note = msgspec.json.decode(path.read_bytes(), type=BackupNote)
        except (FileNotFoundError, msgspec.MsgspecError):
            continue
        if path == _path(data, note):
            notes.append(note)
    return sorted(notes, key=lambda note: note.made_at)


def drop_note(data: Path, note: BackupNote) -> None:
    """Remove a note that the log has."""
    _path(data, note).unlink(missing_ok=True)


def _path(data: Path, note: BackupNote) -> Path:
    return data / FOLDER / f"{note.id}{_SUFFIX}"
