"""The unsealed tail as parts: columns derived from frames as segments derive theirs, made once and kept.

Frames never change, so a finished piece is kept until its events are sealed; only pieces of fewer than `PIECE_ROWS`
rows are joined as frames arrive. Deriving is what costs. It is done block by block, ahead of searches by
`SearchService.look_ahead`, and otherwise by the first search that comes to a block, newest first: a search that has
found enough never derives the rest.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.event.disclosure import Disclosure
from tallystick.event.frame import Frame
from tallystick.ledger.model import Snapshot
from tallystick.ledger.wal import FrameRef
from tallystick.search.cache import PartCache
from tallystick.search.coded import BarColumn, Column, NumberColumn, bar_column, count_all, load_column
from tallystick.search.needles import Needles, mark_rows
from tallystick.search.parts import Positions
from tallystick.search.words import WordFilters
from tallystick.segment.columns import derive_columns
from tallystick.segment.summary import Summary

PIECE_ROWS = 8192
BLOCK_ROWS = 1024


@dataclass(frozen=True, slots=True)
class Derived:
    """What is derived from successive frames: their columns, and the class of each row."""

    table: pa.Table
    classes: NDArray[np.int64]


class Block:
    """A few successive frames, whose columns are derived once, by whoever asks first; others wait for that."""

    def __init__(self, refs: Sequence[FrameRef], made: Derived | None = None) -> None:
        self.refs = tuple(refs)
        self._lock = threading.Lock()
        self._made = made

    @property
    def rows(self) -> int:
        return self.refs[-1].end_index - self.refs[0].first_index

    @property
    def is_made(self) -> bool:
        return self._made is not None

    def derived(self) -> Derived:
        """Return the columns; raises CorruptionError when a frame is not what was written."""
        with self._lock:
            if self._made is None:
                self._made = _derive([ref.read() for ref in self.refs])
            return self._made


class TailPart:
    """Some successive frames. Its rows never change, and begin at index `first` without gaps."""

    summary: Summary | None = None
    class_number: int | None = None

    def __init__(self, blocks: Sequence[Block], cache: PartCache) -> None:
        self.refs = tuple(ref for block in blocks for ref in block.refs)
        self.first, self.end = self.refs[0].first_index, self.refs[-1].end_index
        self.key = f"tail/{self.first}-{self.end}"
        self.blocks = tuple(blocks)
        self._cache = cache
        self._columns: dict[str, Column] = {}

    def derived(self) -> Derived:
        """Return the columns of all rows, and hold them as one block from then on."""
        blocks = self.blocks
        if len(blocks) > 1:
            made = [block.derived() for block in blocks]
            table = pa.concat_tables([each.table for each in made]).combine_chunks()
            blocks = (Block(self.refs, Derived(table, np.concatenate([each.classes for each in made]))),)
            self.blocks = blocks
        return blocks[0].derived()

    @property
    def rows(self) -> int:
        return self.end - self.first

    @cached_property
    def _starts(self) -> list[int]:
        return [ref.first_index for ref in self.refs]

    def occurred(self) -> tuple[int, int]:
        column = self.column("occurred_at")
        assert isinstance(column, NumberColumn)
        return column.base, int(column.at().max())

    def column(self, name: str) -> Column:
        found = self._columns.get(name)
        if found is None:
            made = self.derived()
            if name == "class_number":
                found = NumberColumn.of(made.classes)
            else:
                found = load_column(name, made.table.select, self._cache.vocabulary(name))
            self._columns[name] = found
        return found

    def totals(self, name: str) -> NDArray[np.int64]:
        return count_all(self.column(name))

    def bars(self, step_us: int) -> BarColumn:
        column = self.column("occurred_at")
        assert isinstance(column, NumberColumn)
        return bar_column(column, step_us)

    def indexes(self, positions: Positions | None = None) -> NDArray[np.int64]:
        return np.arange(self.first, self.end) if positions is None else positions + self.first

    def having_id(self, event_id: bytes) -> Positions:
        found = []
        for ref in self.refs:
            ids = np.frombuffer(ref.read().ids, dtype="V16")
            found.append(np.flatnonzero(ids == np.frombuffer(event_id, dtype="V16")[0]) + ref.first_index - self.first)
        return np.concatenate(found)

    def personal_words(self) -> WordFilters | None:
        return None

    def read(
        self, positions: Positions, needles: Needles | None, *, personal: bool
    ) -> Iterator[tuple[int, Disclosure]]:
        for ref, within in self._by_frame(positions):
            frame = ref.read()
            if needles is not None:
                likely = _rows_with(frame.facts, frame.facts_lengths, needles)
                if personal:
                    likely |= _rows_with(frame.personal, frame.personal_lengths, needles)
                within = within[likely[within]]  # noqa: PLW2901 - narrowed
            for place in within.tolist():
                yield ref.first_index - self.first + place, frame.disclosure(place)

    def disclosures(self, positions: Sequence[int]) -> list[Disclosure]:
        wanted = np.unique(np.asarray(positions, dtype=np.intp))
        found = dict(self.read(wanted, None, personal=True))
        return [found[position] for position in positions]

    def _by_frame(self, positions: Positions) -> Iterator[tuple[FrameRef, Positions]]:
        """Yield each frame with the places in it of some of the ascending positions."""
        start = 0
        while start < len(positions):
            index = int(positions[start]) + self.first
            ref = self.refs[bisect_right(self._starts, index) - 1]
            stop = int(np.searchsorted(positions, ref.end_index - self.first))
            yield ref, positions[start:stop] + self.first - ref.first_index
            start = stop


class Tail:
    """Keeps the pieces of the tail between searches; every method may be called from several threads."""

    def __init__(self, cache: PartCache) -> None:
        self._cache = cache
        self._lock = threading.Lock()  # held to look and to swap, never while columns are derived
        self._pieces: list[TailPart] = []  # guarded by _lock; replaced, never changed

    def parts(self, snapshot: Snapshot) -> list[TailPart]:
        """Return parts that hold every index from the snapshot's sealed size to its size, and maybe some around.

        Costs no more than looking at what is new: a part derives its columns when they are first asked for.
        """
        with self._lock:
            kept = [piece for piece in self._pieces if piece.end > snapshot.sealed_size]
            if kept and kept[0].first > snapshot.sealed_size:
                # The snapshot is older than what is kept: make what it needs, and leave the kept pieces alone.
                return self._grown([], snapshot)
            self._pieces = self._grown(kept, snapshot)
            return [piece for piece in self._pieces if piece.first < snapshot.size]

    def _grown(self, pieces: list[TailPart], snapshot: Snapshot) -> list[TailPart]:
        covered = pieces[-1].end if pieces else snapshot.sealed_size
        grown = list(pieces)
        for block in _blocks(_newest(snapshot.frames, covered)):
            joined, rows = [block], block.rows
            # Small pieces are joined like digits carry, so that a row changes its piece a few times only, and a search
            # codes again the columns of the newest rows instead of up to PIECE_ROWS of them.
            while grown and grown[-1].rows < min(PIECE_ROWS, 2 * rows):
                before = grown.pop()
                joined[:0] = before.blocks
                rows += before.rows
            grown.append(TailPart(joined, self._cache))
        return grown


def _newest(frames: Sequence[FrameRef], covered: int) -> list[FrameRef]:
    """Return the frames from the one that holds index `covered` on."""
    return list(frames[bisect_right(frames, covered, key=lambda ref: ref.end_index) :])


def _blocks(refs: Sequence[FrameRef]) -> Iterator[Block]:
    """Yield successive frames in blocks of about `BLOCK_ROWS` rows."""
    taken: list[FrameRef] = []
    for ref in refs:
        if taken and ref.end_index - taken[0].first_index > BLOCK_ROWS:
            yield Block(taken)
            taken = []
        taken.append(ref)
    if taken:
        yield Block(taken)


def _derive(frames: Sequence[Frame]) -> Derived:
    counts = [frame.count for frame in frames]
    content = pa.table(
        {
            "index": pa.array(np.arange(frames[0].first_index, frames[0].first_index + sum(counts)), pa.uint64()),
            "received_at": pa.array(np.repeat([frame.received_at for frame in frames], counts), pa.int64()),
            "source": pa.array(np.repeat([frame.source for frame in frames], counts), pa.uint32()),
            "facts": pa.chunked_array([_texts(frame.facts, frame.facts_lengths) for frame in frames]),
            "personal": pa.chunked_array([_texts(frame.personal, frame.personal_lengths) for frame in frames]),
        }
    )
    return Derived(derive_columns(content), np.concatenate([frame.classes for frame in frames], dtype=np.int64))


def _texts(data: memoryview, lengths: Sequence[int]) -> pa.Array:
    """Return the texts of a frame as they lie there, without a copy."""
    ends = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    return pa.Array.from_buffers(pa.large_binary(), len(lengths), [None, pa.py_buffer(ends), pa.py_buffer(data)])


def _rows_with(data: memoryview, lengths: Sequence[int], needles: Needles) -> NDArray[np.bool_]:
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    return mark_rows(bytes(data), offsets, needles)
