"""Follows the whole log, and keeps what is counted of each sender.

It has a file of its own, with the index up to which it counted: losing that file costs reading the log again, nothing
else. New events are counted batch by batch from the frames of the write-ahead log; most of what is told of a batch
stands in its reference, so that only one event of it is read, unless the sender counts its events.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final

import msgspec
import structlog

from tallystick.access.sources.figures import Counts, Figures, counts_itself, figures_of, worth_reading
from tallystick.errors import CorruptionError
from tallystick.follow.background import Background
from tallystick.ledger.model import Snapshot
from tallystick.ledger.wal import FrameRef
from tallystick.segment.content import ContentFile
from tallystick.segment.manifest import CONTENT, SegmentEntry
from tallystick.store.files import LocalDisk

FILE: Final = Path("followers") / "sources.json"
"""In the data directory."""
EVERY_S: Final = 1.0
SAVE_EVERY: Final = 60
"""Rounds between two saves."""
PAUSE_S: Final = 0.001
_COLUMNS: Final = ("index", "received_at", "source", "facts")
_telemetry = structlog.get_logger("tallystick.sources")


class _State(msgspec.Struct):
    """Everything below `next_index` of the log `origin` is in the counts, by source number."""

    origin: str
    next_index: int = 0
    counts: dict[int, Counts] = {}


class SourceFollower(Background):
    """Safe to share between threads; within the context it follows by itself."""

    def __init__(
        self, snapshot: Callable[[], Snapshot], origin: str, segments: Path, data: Path, now: Callable[[], int]
    ) -> None:
        self._snapshot = snapshot
        self._segments = segments
        self._file = data / FILE
        self._now = now
        self._lock = threading.Lock()
        self._state = self._load(origin)  # guarded by _lock
        super().__init__("source-follower")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self.save()

    def figures(self) -> Mapping[int, Figures]:
        """Return what is known of each sender now, by number; who never sent is not in it."""
        now = self._now()
        with suppress(CorruptionError, OSError):  # what cannot be counted is reported by the thread that follows
            self._count_frames()
        with self._lock:
            return {number: figures_of(counts, now) for number, counts in self._state.counts.items()}

    def counted(self) -> int:
        """Return up to which index events are counted."""
        with self._lock:
            return self._state.next_index

    def catch_up(self) -> None:
        """Count everything acknowledged so far, unless told to stop meanwhile. Raises CorruptionError, OSError."""
        self._count_segments()
        self._count_frames()

    def save(self) -> None:
        """Keep what is counted, durably."""
        with self._lock:
            data = msgspec.json.encode(self._state)
        LocalDisk().put_all([(self._file, data)])

    def _load(self, origin: str) -> _State:
        try:
            state = msgspec.json.decode(self._file.read_bytes(), type=_State)
        except (FileNotFoundError, msgspec.MsgspecError):
            return _State(origin)
        # Of another log, or of a copy that went further than this one: nothing of it can be relied on.
        is_ours = state.origin == origin and state.next_index <= self._snapshot().size
        return state if is_ours else _State(origin)

    def _count_segments(self) -> None:
        snapshot = self._snapshot()
        if self.counted() >= snapshot.sealed_size:
            return
        # Counted apart and put in place whole: what is interrupted on the way is counted again, not twice.
        with self._lock:
            state = msgspec.json.decode(msgspec.json.encode(self._state), type=_State)
        for entry in snapshot.segments:
            if entry.end > state.next_index:
                for number, received_at, facts in self._rows(entry, state.next_index):
                    state.counts.setdefault(number, Counts()).take(received_at, len(facts), worth_reading(facts))
                    if self._stopping.is_set():
                        return
        state.next_index = snapshot.sealed_size
        with self._lock:
            if self._state.next_index < state.next_index:
                self._state = state

    def _rows(self, entry: SegmentEntry, first: int) -> Iterator[tuple[int, int, list[bytes]]]:
        """Yield source, received_at and facts of events that were received together."""
        for table in ContentFile(self._segments / entry.path / CONTENT).tables(_COLUMNS):
            self._stopping.wait(PAUSE_S)
            together: tuple[int, int] | None = None
            facts: list[bytes] = []
            columns = [table.column(name).to_pylist() for name in _COLUMNS]
            for index, received_at, source, each in zip(*columns, strict=True):
                if index < first:
                    continue
                if together is not None and together != (source, received_at):
                    yield *together, facts
                    facts = []
                together = (source, received_at)
                facts.append(each)
            if together is not None:
                yield *together, facts

    def _count_frames(self) -> None:
        snapshot = self._snapshot()
        frames = snapshot.frames
        with self._lock:
            at = self._state.next_index
            if at < snapshot.sealed_size:
                return  # the segments come first
        for place in range(bisect_left(frames, at, key=lambda ref: ref.first_index), len(frames)):
            ref = frames[place]
            facts = _facts(ref)
            with self._lock:
                if self._state.next_index == ref.first_index:
                    self._state.counts.setdefault(ref.source, Counts()).take(ref.received_at, ref.count, facts)
                    self._state.next_index = ref.end_index
            if self._stopping.is_set():
                return

    def _run(self) -> None:
        rounds = 0
        while not self._stopping.is_set():
            try:
                self.catch_up()
            except FileNotFoundError:
                continue  # a merge or an erasure replaced a segment: read the newer ones
            except (CorruptionError, OSError) as error:
                _telemetry.error("senders are not counted", reason=str(error))
            rounds += 1
            if rounds % SAVE_EVERY == 0:
                self.save()
            self._stopping.wait(EVERY_S)


def _facts(ref: FrameRef) -> list[bytes]:
    frame = ref.read()
    if not counts_itself(bytes(frame.facts)):
        return [frame.facts_at(0)]
    return list(worth_reading([frame.facts_at(at) for at in range(frame.count)]))
