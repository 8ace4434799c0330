"""Puts saved views and exports together, with the worker that makes them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tallystick.errors import StorageFullError
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.work.exports import ExportJobs
from tallystick.work.ports import WorkPorts
from tallystick.work.views import ViewService
from tallystick.work.worker import ExportWorker


@dataclass(frozen=True, slots=True)
class WorkRoom:
    """The services of this room."""

    views: ViewService
    exports: ExportJobs
    worker: ExportWorker


@contextmanager
def open_work(
    projection: Projection, commands: Commands, now_us: Callable[[], int], folder: Path, ports: WorkPorts
) -> Iterator[WorkRoom]:
    """Yield the room while its worker makes what is asked for, in `folder`, which is its own."""
    views = ViewService(projection, commands, now_us, ports.act)
    exports = ExportJobs(projection, commands, now_us, folder, ports)

    def require_room() -> None:
        free = shutil.disk_usage(folder).free
        if free < ports.room_bytes:
            raise StorageFullError(f"only {free} bytes are free; exports leave {ports.room_bytes}")

    with ExportWorker(exports, require_room) as worker:
        yield WorkRoom(views, exports, worker)
