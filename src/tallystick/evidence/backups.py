"""Writing down which backups were made and unpacked, from the notes that the commands leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Self

import structlog

from tallystick.errors import TallystickError
from tallystick.event.occurred import time_of_us
from tallystick.follow.background import Background
from tallystick.store.backup_notes import BackupNote, drop_note, found_notes

LOOK_EVERY_S: Final = 2.0
_SCOPE: Final = "tallystick"
_telemetry = structlog.get_logger("tallystick.backup")


class BackupRecorder(Background):
    """A thread beside the log, for as long as the context lasts; what was noted before is on record once it is entered."""

    def __init__(self, data: Path, origin: str, append: Callable[[Mapping[str, Any]], None]) -> None:
        self._data = data
        self._origin = origin
        self._append = append
        super().__init__("backup-recorder")

    def __enter__(self) -> Self:
        self._record()
        return super().__enter__()

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            self._record()

    def _record(self) -> None:
        try:
            for note in found_notes(self._data):
                self._append(self._event(note))
                # A crash here leaves the note: its event has the same id when it is sent again, and is there already.
                drop_note(self._data, note)
        except TallystickError as error:
            _telemetry.error("a backup is not on record yet", code=error.code, message=error.message)

    def _event(self, note: BackupNote) -> dict[str, Any]:
        return {
            "id": note.id,
            "action": f"backup.{note.what}",
            "actor": {"id": "operator", "type": "system"},
            "target": {"type": "ledger", "id": self._origin},
            "scope": _SCOPE,
            "occurred_at": time_of_us(note.made_at),
            "metadata": {"name": note.name, "size": note.size, "bytes": note.bytes, "sha256": note.sha256},
        }
