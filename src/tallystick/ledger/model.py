"""What the ledger tells others: frozen values."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import overload

from tallystick.ledger.wal import FrameRef
from tallystick.segment.manifest import Manifest, SegmentEntry


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a durable batch, in the batch's order.

    `leaves` and `ids` are joined, 32 and 16 bytes each. A position in `repeated` was sent before: its index, leaf
    and id are those of the first time; `received_at` (microseconds) is of this time.
    """

    indexes: Sequence[int]
    leaves: bytes
    ids: bytes
    received_at: int
    repeated: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one stage got: everything below `size`, reached at `at` (microseconds)."""

    size: int
    at: int


@dataclass(frozen=True, slots=True)
class LedgerStatus:
    """The state of a ledger at one moment; ages are for the reader to derive from `now`.

    `read_only` says why no events are taken, `trouble` what is being retried, by stage.
    """

    origin: str
    now: int
    acknowledged: Progress
    committed: Progress
    witnessed: Progress
    sealed: Progress
    waiting_batches: int
    waiting_bytes: int
    unsealed_files: int
    unsealed_bytes: int
    sync_last_us: int
    free_bytes: int | None
    clock_behind_us: int
    read_only: str | None
    trouble: dict[str, str] = field(default_factory=dict)


class Frames(Sequence[FrameRef]):
    """The frames of the unsealed tail as they stood when the snapshot was taken, in order.

    A view on lists that only grow: later frames are not seen, and nothing is copied.
    """

    def __init__(self, parts: Sequence[tuple[list[FrameRef], int]]) -> None:
        self._parts = [frames for frames, _ in parts]
        self._ends: list[int] = []
        total = 0
        for _, count in parts:
            total += count
            self._ends.append(total)

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[FrameRef]:
        start = 0
        for frames, end in zip(self._parts, self._ends, strict=True):
            for at in range(end - start):
                yield frames[at]
            start = end

    @overload
    def __getitem__(self, at: int) -> FrameRef: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[FrameRef]: ...
    def __getitem__(self, at: int | slice) -> FrameRef | Sequence[FrameRef]:
        if isinstance(at, slice):
            return [self[each] for each in range(*at.indices(len(self)))]
        at = at + len(self) if at < 0 else at
        if not 0 <= at < len(self):
            raise IndexError(at)
        part = bisect_right(self._ends, at)
        return self._parts[part][at - (self._ends[part - 1] if part else 0)]

    def holding(self, index: int) -> FrameRef | None:
        """Return the frame that holds the event of that index, or None."""
        at = bisect_right(self, index, key=lambda ref: ref.first_index) - 1
        return self[at] if at >= 0 and index < self[at].end_index else None

    def since(self, index: int) -> Iterator[FrameRef]:
        """Yield the frames from the one that holds the event of that index, or the first after it, on."""
        first = bisect_right(self, index, key=lambda ref: ref.end_index)
        return (self[at] for at in range(first, len(self)))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One consistent view: segments hold every index below `sealed_size`, frames those from there to `size`.

    Frames stay readable for as long as the snapshot is held. A segment that an erasure or a merge replaced is gone at
    once: whoever finds its files missing takes a new snapshot.
    """

    manifest: Manifest
    size: int
    committed_size: int
    frames: Frames

    @property
    def sealed_size(self) -> int:
        return self.manifest.sealed_size

    @property
    def segments(self) -> tuple[SegmentEntry, ...]:
        return self.manifest.segments


@dataclass(frozen=True, slots=True)
class Recovery:
    """What opening the ledger had to do; all false or zero after an orderly stop."""

    torn_bytes: int = 0
    kept_events: int = 0  # events that were on disk but not yet under a signature
    republished: bool = False
    files_removed: int = 0
