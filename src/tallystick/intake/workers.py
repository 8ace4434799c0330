"""Admission in processes of its own, so that more than one core decodes and hashes."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import signal
import threading
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from pathlib import Path

from tallystick.errors import UnavailableError
from tallystick.event.admission import Admission, Media
from tallystick.event.assignment import Assignments
from tallystick.event.catalogue import Catalogue, CatalogueFile, load_shipped
from tallystick.event.gate import SourceRules
from tallystick.event.limits import Limits
from tallystick.event.pseudonym import Pseudonyms
from tallystick.intake.record import Admitted, admit

_admission: Admission | None = None


class WorkerDiedError(UnavailableError):
    """The process that was to admit the events ended before it had; nothing was accepted, and another takes its place."""

    code = "admission-worker-died"
    advice = "Send the same events again."


class AdmissionWorkers:
    """Processes that each hold one `Admission`. Nothing durable lives in them: one that dies loses no event.

    `admit` belongs to one event loop; the processes start at once and end with this one, however it ends.
    """

    def __init__(self, count: int, pseudonym_key: bytes, catalogue_files: tuple[Path, ...], limits: Limits) -> None:
        self._count = count
        self._start_with = (pseudonym_key, catalogue_files, limits)
        self.assignments = Assignments()  # replaced whole; every batch is sent with those of its moment
        self._pool = self._open()

    async def admit(self, body: bytes, source: SourceRules, media: Media, now_us: int, *, partial: bool) -> Admitted:
        """Return what `intake.record.admit` would; raises as it does, and WorkerDiedError."""
        pool = self._pool
        try:
            return await asyncio.wrap_future(
                pool.submit(_admit, body, source, media, now_us, partial, self.assignments)
            )
        except BrokenExecutor as error:
            if pool is self._pool:
                pool.shutdown(wait=False)
                self._pool = self._open()
            raise WorkerDiedError("a process that admits events ended") from error

    def close(self) -> None:
        """End the processes when they have finished what they hold."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _open(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(self._count, mp_context=context, initializer=_start, initargs=self._start_with)
        for _ in range(self._count):
            pool.submit(_is_ready)  # each makes one process start
        return pool


def load_catalogue(files: tuple[Path, ...]) -> Catalogue:
    """Return the shipped catalogue with the operator's files added."""
    shipped = load_shipped()
    return shipped.extended(CatalogueFile(str(file), file.read_bytes()) for file in files) if files else shipped


def _start(pseudonym_key: bytes, catalogue_files: tuple[Path, ...], limits: Limits) -> None:
    global _admission  # noqa: PLW0603 - one for each process, set once before anything else runs
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server's process decides when to stop
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _admission = Admission(load_catalogue(catalogue_files), Pseudonyms(pseudonym_key), limits)
    gc.freeze()


def _end_with_parent() -> None:
    """End this process when the server's is gone, killed or not: nobody would ever ask it for anything again."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "this runs in a child"
    parent.join()
    os._exit(0)


def _is_ready() -> bool:
    return _admission is not None


def _admit(
    body: bytes, source: SourceRules, media: Media, now_us: int, partial: bool, assignments: Assignments
) -> Admitted:
    assert _admission is not None, "the initialiser ran"
    _admission.assign(assignments)
    return admit(_admission, body, source, media, now_us, partial=partial)
