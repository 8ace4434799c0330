"""Search over the ledger, the record of it, and the processes that admit beside it."""

from __future__ import annotations

import contextlib
import hmac
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import structlog

from tallystick.errors import TallystickError
from tallystick.intake.workers import AdmissionWorkers
from tallystick.search.recorder import ReadRecorder
from tallystick.search.service import SearchService
from tallystick.server.ground import Ground
from tallystick.store.engine import Engine


@dataclass(frozen=True, slots=True)
class Reading:
    """Search over the ledger, and the record of it."""

    search: SearchService
    recorder: ReadRecorder


@contextmanager
def open_reading(ground: Ground) -> Iterator[Reading]:
    """Yield search; at the end every reading is on record."""
    segments, spill = ground.segments, ground.settings.data / "tmp"
    shutil.rmtree(spill, ignore_errors=True)
    spill.mkdir(mode=0o700)
    ledger, clock = ground.ledger, ground.clock
    recorder = ReadRecorder(ground.product.one, clock, ledger.origin)
    cursor_key = hmac.digest(ground.key, b"tallystick cursors 1", "sha256")
    with contextlib.closing(Engine([segments], spill)) as engine:
        search = SearchService(ledger, segments, ground.register, recorder, clock, cursor_key=cursor_key, engine=engine)
        yield Reading(search, recorder)
        try:
            recorder.flush(everything=True)
        except TallystickError as error:
            # Only counts of repeats are lost: each first reading is on record.
            structlog.get_logger("tallystick.server").error("repeats not recorded", code=error.code)


def open_workers(ground: Ground, held: ExitStack) -> AdmissionWorkers | None:
    """Return the processes that admit events, as many as the settings want; None for none."""
    settings = ground.settings
    if not settings.workers:
        return None
    workers = AdmissionWorkers(settings.workers, ground.key, settings.catalogue_files, settings.limits)
    held.callback(workers.close)
    return workers
