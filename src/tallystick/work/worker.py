"""The one worker that makes exports, and tidies their folder.

Nothing about an export under way is kept but its request: a crash anywhere leaves it requested, and the next start
begins it again and removes what was written of it.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import structlog
from sqlalchemy import Connection, select

from tallystick.errors import TallystickError
from tallystick.event.occurred import time_of_us
from tallystick.follow.background import Background
from tallystick.store.tables.work import EXPORT
from tallystick.work.exports import OWN_SCOPE, ExportJobs
from tallystick.work.model import Export, Progress, Question, Requester, State

LOOK_EVERY_S: Final = 30.0
PART: Final = ".part"
ERASED: Final = "question-erased"
DISK: Final = "storage-full"
UNEXPECTED: Final = "unexpected"
_telemetry = structlog.get_logger("tallystick.work")


class _StoppedError(Exception):
    """The export under way is not wanted any more: it was cancelled, or the server stops."""


class ExportWorker(Background):
    """A thread that makes one export at a time, for as long as the context lasts.

    `require_room` raises StorageFullError while the disk has no room beyond what recording needs.
    """

    def __init__(self, jobs: ExportJobs, require_room: Callable[[], None]) -> None:
        super().__init__("exports")
        self._jobs = jobs
        self._require_room = require_room
        self._woken = threading.Event()
        self._under_way: tuple[str, Progress] | None = None  # replaced, never changed; written by the worker only
        jobs.wake = self._woken.set
        jobs.progress_of = self._progress_of

    def __enter__(self) -> Self:
        self.prepare()
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._woken.set()
        super().__exit__(kind, error, trace)

    def prepare(self) -> None:
        """Make the folder, and remove every file in it that no finished export owns."""
        folder = self._jobs.folder
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
        owned = {self._jobs.path_of(export).name for export in self._jobs.finished()}
        for path in folder.iterdir():
            if path.name not in owned:
                path.unlink()

    def make_next(self) -> bool:
        """Make the export that waits longest, or say why it cannot be made; returns False when none waits."""
        found = self._jobs.next_requested()
        if found is None:
            return False
        export, requester = found
        self._under_way = (export.export, Progress())
        try:
            self._make(export, requester)
        except _StoppedError:
            pass
        except TallystickError as error:
            self._fail(export, error.code)
        except OSError as error:
            self._fail(export, DISK if error.errno in {errno.ENOSPC, errno.EDQUOT} else UNEXPECTED)
        except Exception:  # noqa: BLE001 - one export fails, with a word; the worker goes on to the next
            _telemetry.exception("an export failed", export=export.export)
            self._fail(export, UNEXPECTED)
        finally:
            self._part(export).unlink(missing_ok=True)
            self._under_way = None
        return True

    def expire(self) -> None:
        """Delete the files whose time is over."""
        now = self._jobs.now_us()
        for export in self._jobs.finished():
            if export.expires_at is not None and export.expires_at <= now:
                self._delete(export)

    def drop(self, may_hold: Callable[[Question | None], bool]) -> bool:
        """Delete every file that may hold what was erased, as its question tells; return False when one that may hold it
        is still being made, and has to be looked at again.
        """
        for export in self._jobs.finished():
            if export.events != 0 and may_hold(export.question):
                self._delete(export)
        under_way = self._under_way
        return under_way is None or all(
            export.export != under_way[0] or not may_hold(export.question) for export in self._jobs.requested()
        )

    def _delete(self, export: Export) -> None:
        self._record(export, "export.deleted", State.FINISHED, {"export": export.export, "expired": True})
        self._jobs.path_of(export).unlink(missing_ok=True)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                self.expire()
                while not self._stopping.is_set() and self.make_next():
                    pass
            except TallystickError as error:
                # The log takes nothing now: what waits stays requested, and is tried again.
                _telemetry.error("exports wait", code=error.code)
            self._woken.wait(LOOK_EVERY_S)

    def _make(self, export: Export, requester: Requester) -> None:
        if export.question is None:
            return self._fail(export, ERASED)
        self._require_room()
        prepared = self._jobs.exporter.prepare(export.question, requester, export.format)
        self._under_way = (export.export, Progress(total=prepared.events))
        part = self._part(export)
        with open(part, "xb", opener=_private) as file:
            sink = _Sink(file, lambda done, size: self._went_on(export, prepared.events, done, size))
            prepared.write(sink, sink.count)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        # A crash before the event leaves a file that nobody owns: the next start removes it and begins again.
        part.replace(self._jobs.path_of(export))
        metadata = {"export": export.export, "sha256": sink.digest(), "events": sink.events, "bytes": sink.size}
        if not self._record(export, "export.finished", State.REQUESTED, metadata):
            self._jobs.path_of(export).unlink(missing_ok=True)
        return None

    def _went_on(self, export: Export, total: int, done: int, size: int) -> None:
        self._under_way = (export.export, Progress(done, total, size))
        self._require_room()
        if self._stopping.is_set() or self._state(export) is not State.REQUESTED:
            raise _StoppedError

    def _state(self, export: Export) -> State:
        with self._jobs.projection.engine.connect() as connection:
            row = connection.execute(select(EXPORT.c.state).where(EXPORT.c.export == export.export)).one()
        return State(row.state)

    def _fail(self, export: Export, code: str) -> None:
        self._part(export).unlink(missing_ok=True)  # first: the event may need the room
        self._record(export, "export.failed", State.REQUESTED, {"export": export.export, "code": code}, "failure")

    def _record(
        self, export: Export, action: str, needed: State, metadata: Mapping[str, Any], outcome: str = "success"
    ) -> bool:
        """Record what became of an export, unless somebody was faster; return whether it was recorded."""
        recorded: list[bool] = []

        def decide(connection: Connection) -> list[Mapping[str, Any]]:
            state = connection.scalar(select(EXPORT.c.state).where(EXPORT.c.export == export.export))
            if state != needed.value:
                return []
            recorded.append(True)
            return [
                {
                    "action": action,
                    "actor": {"id": "tallystick", "type": "system"},
                    "target": {"type": "export", "id": export.export},
                    "scope": export.scope or OWN_SCOPE,
                    "occurred_at": time_of_us(self._jobs.now_us()),
                    "outcome": outcome,
                    "metadata": dict(metadata),
                }
            ]

        self._jobs.commands.run(decide)
        return bool(recorded)

    def _part(self, export: Export) -> Path:
        path = self._jobs.path_of(export)
        return path.with_name(path.name + PART)

    def _progress_of(self, export: str) -> Progress | None:
        under_way = self._under_way
        return under_way[1] if under_way is not None and under_way[0] == export else None


class _Sink(io.RawIOBase):
    """A file being written: knows its size and digest, and tells how far it is."""

    def __init__(self, file: BinaryIO, went_on: Callable[[int, int], None]) -> None:
        super().__init__()
        self._file = file
        self._went_on = went_on
        self._hash = hashlib.sha256()
        self.size = 0
        self.events = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        """Write all of it, or raise."""
        self._file.write(data)
        self._hash.update(data)
        size = len(memoryview(data).cast("B"))
        self.size += size
        return size

    def count(self, events: int) -> None:
        """Note that so many events more were written."""
        self.events += events
        self._went_on(self.events, self.size)

    def digest(self) -> str:
        return self._hash.hexdigest()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
