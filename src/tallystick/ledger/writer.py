"""The one writer: stamps, numbers and stores batches, many to a sync, and only then answers.

Every method may be called from any thread; what numbers and writes does so under one lock.
"""

from __future__ import annotations

import errno
import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from hashlib import sha256

from tallystick.clock import Clock
from tallystick.errors import StorageFullError, TallystickError
from tallystick.event.batch import Batch
from tallystick.event.entry import format_entries
from tallystick.event.frame import format_frame
from tallystick.ledger.duplicates import Duplicates, Repeat
from tallystick.ledger.errors import LedgerClosedError, QueueFullError, WriteFailedError
from tallystick.ledger.model import Progress, Receipt
from tallystick.ledger.options import Rotation
from tallystick.ledger.state import LedgerState
from tallystick.ledger.wal import PreparedFrame, WriteAheadLog, made_ids
from tallystick.merkle.hashing import hash_leaves

FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class _Waiting:
    batch: Batch
    source: int
    answer: Future[Receipt]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class _Numbered:
    """A batch with its place; `leaves` are those of its events that are not repeats, from `first_index` on."""

    waiting: _Waiting
    first_index: int
    leaves: bytes
    repeats: dict[int, Repeat]


@dataclass(slots=True)
class _Group:
    """Everything that one sync makes durable; `previous` is the header hash of its last frame so far."""

    received_at: int
    previous: bytes
    numbered: list[_Numbered] = field(default_factory=list)
    frames: list[PreparedFrame] = field(default_factory=list)


class Writer:
    """Queue and single writer of one ledger."""

    def __init__(
        self,
        log: WriteAheadLog,
        state: LedgerState,
        duplicates: Duplicates,
        clock: Clock,
        rotation: Rotation,
        *,
        previous: bytes,
        queue_bytes_max: int = 64 << 20,
        group_bytes_max: int = 32 << 20,
    ) -> None:
        self._log = log
        self._state = state
        self._duplicates = duplicates
        self._clock = clock
        self._rotation = rotation
        self._previous = previous  # hash of the last durable frame's header
        self._queue_bytes_max = queue_bytes_max
        self._group_bytes_max = group_bytes_max
        self._queue: deque[_Waiting] = deque()
        self._queue_bytes = 0
        self._closed = False
        self._arrived = threading.Condition()  # guards the queue and `_closed`
        self._turn = threading.Lock()  # held by whoever numbers and writes
        self.sync_last_us = 0
        self.clock_behind_us = 0  # how far the machine's clock was behind the last stamp, when last looked at

    def submit(self, batch: Batch, source: int) -> Future[Receipt]:
        """Queue a batch; its future resolves when it is durable, or raises and then promises nothing."""
        size_bytes = sum(map(len, batch.facts)) + sum(map(len, batch.personal)) + 128 * len(batch)
        waiting = _Waiting(batch, source, Future(), size_bytes)
        with self._arrived:
            if self._closed:
                raise LedgerClosedError("the ledger is being closed")
            if self._queue and self._queue_bytes + size_bytes > self._queue_bytes_max:
                raise QueueFullError(f"{self._queue_bytes} bytes of events wait for the disk already")
            self._queue.append(waiting)
            self._queue_bytes += size_bytes
            self._arrived.notify()
        return waiting.answer

    @property
    def waiting(self) -> tuple[int, int]:
        """How many batches and bytes are queued."""
        with self._arrived:
            return len(self._queue), self._queue_bytes

    def wait(self, timeout_s: float) -> bool:
        """Return True as soon as something is queued, False after the timeout or once closed."""
        with self._arrived:
            return self._arrived.wait_for(lambda: self._queue or self._closed, timeout_s) and bool(self._queue)

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Refuse new batches; those queued are still written by the next `write_waiting`."""
        with self._arrived:
            self._closed = True
            self._arrived.notify_all()

    def write_waiting(self) -> int:
        """Make every queued batch durable with one sync and answer; return how many batches were taken."""
        with self._turn:
            taken = self._take()
            if taken:
                self._write(taken)
        return len(taken)

    def rotate_if_due(self) -> None:
        """Close the current file when it is full or old; if the disk fails, the next call tries again."""
        with self._turn:
            try:
                self._rotate_if_due()
            except OSError as error:
                self._state.note_trouble("write", error)

    def rotate(self) -> None:
        """Close the current file if it holds anything, so that it can be sealed; raises WriteFailedError."""
        with self._turn:
            try:
                self._rotate()
            except OSError as error:
                raise WriteFailedError(f"the file could not be closed: {error}") from error

    def finish(self) -> None:
        """Close the log's file; nothing is written any more."""
        with self._turn:
            self._log.close()

    def _write(self, taken: list[_Waiting]) -> None:
        try:
            self._state.require_writable()
            self._rotate_if_due()
            self._store(self._number(taken))
        except OSError as error:
            _refuse(taken, _named(error))
            self._state.note_trouble("write", error)
        except TallystickError as error:
            _refuse(taken, error)
        except BaseException as error:
            self._state.stop_writing(f"the writer failed: {error!r}")
            _refuse(taken, error)
            raise

    def _rotate_if_due(self) -> None:
        file = self._log.current
        if file is None or file.started_at is None:
            return
        rule = self._rotation
        age_us = self._clock.now_us() - file.started_at
        if file.events >= rule.events or file.size_bytes >= rule.size_bytes or age_us >= rule.age_s * 1_000_000:
            self._rotate()

    def _rotate(self) -> None:
        if self._log.current is not None and self._log.current.frames:
            self._log.rotate()
            with self._state.changed:
                self._state.changed.notify_all()

    def _take(self) -> list[_Waiting]:
        taken: list[_Waiting] = []
        size_bytes = 0
        with self._arrived:
            while self._queue and (not taken or size_bytes + self._queue[0].size_bytes <= self._group_bytes_max):
                waiting = self._queue.popleft()
                size_bytes += waiting.size_bytes
                self._queue_bytes -= waiting.size_bytes
                if waiting.answer.set_running_or_notify_cancel():
                    taken.append(waiting)
        return taken

    def _stamp(self) -> int:
        """Return max(last stamp, now): times in the log never decrease, whatever the machine's clock does."""
        now, last = self._clock.now_us(), self._state.acknowledged.at
        self.clock_behind_us = max(0, last - now)
        return max(last, now)

    def _number(self, taken: list[_Waiting]) -> _Group:
        """Give every batch its indexes and bytes; batches with a conflicting id are answered here and left out."""
        received_at, group_index = self._stamp(), self._state.acknowledged.size
        nonce = self._log.nonce_for(group_index)
        index = group_index
        ids = self._duplicates.begin(received_at)
        group = _Group(received_at, self._previous)
        for waiting in taken:
            source = waiting.source
            try:
                repeats = ids.check(waiting.batch, source, index)
            except TallystickError as error:
                waiting.answer.set_exception(error)
                continue
            batch = waiting.batch.without(repeats) if repeats else waiting.batch
            leaves = hash_leaves(format_entries(batch.classes, source, received_at, batch.contents))
            group.numbered.append(_Numbered(waiting, index, leaves, repeats))
            if not len(batch):
                continue
            buffers = format_frame(
                batch,
                first_index=index,
                received_at=received_at,
                source=source,
                nonce=nonce,
                previous=group.previous,
                leaves=leaves,
                behind=index - group_index,
            )
            given, made = ids.given_of(batch, source, index), made_ids(batch.ids, batch.given)
            group.frames.append(PreparedFrame(buffers, index, len(batch), source, received_at, given, made))
            group.previous = sha256(buffers[0]).digest()
            index += len(batch)
        return group

    def _store(self, group: _Group) -> None:
        """Make the group durable, show it to readers, answer."""
        if group.frames:
            started = self._clock.monotonic_s()
            self._log.append(group.frames)
            self.sync_last_us = int((self._clock.monotonic_s() - started) * 1_000_000)
            file = self._log.current
            assert file is not None
            # Durable from here. A crash before the answers leaves events that nobody was told of; they stay.
            self._previous = group.previous
            self._state.acknowledge(file, Progress(file.end_index, group.received_at))
            self._state.note_trouble("write", None)
        for numbered in group.numbered:
            numbered.waiting.answer.set_result(_receipt(numbered, group.received_at))


def _receipt(numbered: _Numbered, received_at: int) -> Receipt:
    batch, repeats = numbered.waiting.batch, numbered.repeats
    first = numbered.first_index
    if not repeats:
        return Receipt(range(first, first + len(batch)), numbered.leaves, batch.ids, received_at)
    fresh = iter(range(first, first + len(batch)))
    indexes, leaves = [], []
    for position in range(len(batch)):
        repeat = repeats.get(position)
        index = next(fresh) if repeat is None else repeat.index
        at = (index - first) * 32
        indexes.append(index)
        leaves.append(numbered.leaves[at : at + 32] if repeat is None else repeat.leaf)
    return Receipt(tuple(indexes), b"".join(leaves), batch.ids, received_at, frozenset(repeats))


def _refuse(taken: list[_Waiting], error: BaseException) -> None:
    for waiting in taken:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)


def _named(error: OSError) -> TallystickError:
    """Map a failure of the disk to what a sender may do about it."""
    if error.errno in FULL_DISK:
        return StorageFullError(f"the disk is full: {error}")
    return WriteFailedError(f"the events could not be stored durably: {error}")
