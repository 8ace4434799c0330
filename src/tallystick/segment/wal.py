"""A write-ahead file read as tables of content, each of one class."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from tallystick.errors import CorruptionError
from tallystick.event.commitment import (
    DIGEST_BYTES,
    ID_BYTES,
    SALT_BYTES,
    content_digest,
    facts_digest,
    personal_digest,
)
from tallystick.event.entry import format_entries
from tallystick.event.frame import Frame, parse_frame
from tallystick.merkle import hash_leaves
from tallystick.segment.blocks import BLOCK_ROWS, blocks_by_class
from tallystick.segment.content import SCHEMA
from tallystick.segment.errors import SegmentCorruptError

_SALTS_BYTES: Final = 2 * SALT_BYTES


class WalFile:
    """A closed write-ahead file, mapped. `first` and `size` are known once its frames have been read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.first = 0
        self.size = 0
        with path.open("rb") as file:
            try:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError as error:
                raise SegmentCorruptError(path, "the write-ahead file is empty") from error

    def tables(self, *, check: bool) -> Iterator[tuple[int, pa.Table]]:
        """Yield (class, rows) with 4096 rows, fewer only in the last table of each class.

        With `check`, every commitment and leaf hash is computed again; a difference raises SegmentCorruptError.
        """
        return blocks_by_class(self._rows(check=check))

    def _rows(self, *, check: bool) -> Iterator[tuple[int, pa.Table]]:
        waiting: list[Frame] = []
        events = 0
        for frame in self._frames():
            waiting.append(frame)
            events += frame.count
            if events >= BLOCK_ROWS:
                yield from self._split(waiting, check=check)
                waiting, events = [], 0
                self._data.madvise(mmap.MADV_DONTNEED)  # pages read so far need not count as memory of ours
        if waiting:
            yield from self._split(waiting, check=check)

    def _frames(self) -> Iterator[Frame]:
        """Yield the frames, each the direct successor of the one before."""
        offset = 0
        last: Frame | None = None
        with memoryview(self._data) as view:
            while offset < len(view):
                try:
                    frame = parse_frame(view, offset)
                except CorruptionError as error:
                    raise SegmentCorruptError(self.path, error.message) from error
                if last is None:
                    self.first = frame.first_index
                elif (frame.first_index, frame.previous) != (last.first_index + last.count, last.header_hash):
                    raise SegmentCorruptError(self.path, f"the frame at byte {offset} does not follow the one before")
                self.size = frame.first_index + frame.count - self.first
                yield frame
                last = frame
                offset += frame.size_bytes

    def _split(self, frames: list[Frame], *, check: bool) -> Iterator[tuple[int, pa.Table]]:
        table = _table(frames)
        if check:
            self._check(frames, table)
        classes = np.concatenate([np.array(frame.classes, dtype=np.uint16) for frame in frames])
        present = np.unique(classes).tolist()
        for number in present:
            yield number, table if len(present) == 1 else table.filter(pa.array(classes == number))

    def _check(self, frames: list[Frame], table: pa.Table) -> None:
        columns = (table.column(name).to_pylist() for name in ("id", "salt1", "facts", "salt2", "personal"))
        contents = b"".join(
            [
                content_digest(event_id, facts_digest(salt1, facts), personal_digest(salt2, personal))
                for event_id, salt1, facts, salt2, personal in zip(*columns, strict=True)
            ]
        )
        start = 0
        for frame in frames:
            stop = start + frame.count * DIGEST_BYTES
            computed = contents[start:stop]
            entries = format_entries(frame.classes, frame.source, frame.received_at, computed)
            leaves = hash_leaves(entries)
            if computed != frame.contents or leaves != frame.leaves:
                index = frame.first_index + _first_difference(computed, frame.contents, leaves, frame.leaves)
                raise SegmentCorruptError(self.path, f"event {index} is not what its commitment or leaf says")
            start = stop


def _table(frames: list[Frame]) -> pa.Table:
    counts = [frame.count for frame in frames]
    rows = sum(counts)
    salts = np.frombuffer(b"".join([frame.salts for frame in frames]), dtype=np.uint8).reshape(rows, _SALTS_BYTES)
    spans = [np.arange(frame.first_index, frame.first_index + frame.count, dtype=np.uint64) for frame in frames]
    return pa.Table.from_arrays(
        [
            pa.array(np.concatenate(spans)),
            _fixed(b"".join([frame.ids for frame in frames]), ID_BYTES),
            pa.array(np.repeat(np.array([frame.received_at for frame in frames], dtype=np.int64), counts)),
            pa.array(np.repeat(np.array([frame.source for frame in frames], dtype=np.uint32), counts)),
            _fixed(salts[:, :SALT_BYTES].tobytes(), SALT_BYTES),
            _variable([frame.facts for frame in frames], [frame.facts_lengths for frame in frames]),
            _fixed(salts[:, SALT_BYTES:].tobytes(), SALT_BYTES),
            _variable([frame.personal for frame in frames], [frame.personal_lengths for frame in frames]),
            pa.nulls(rows, pa.binary(DIGEST_BYTES)),
        ],
        schema=SCHEMA,
    )


def _fixed(data: bytes, width: int) -> pa.Array:
    return pa.Array.from_buffers(pa.binary(width), len(data) // width, [None, pa.py_buffer(data)])


def _variable(parts: list[memoryview], lengths: list[tuple[int, ...]]) -> pa.Array:
    ends = np.cumsum(np.concatenate([np.zeros(1, dtype=np.int64), *map(np.array, lengths)]), dtype=np.int64)
    offsets = pa.py_buffer(ends.astype(np.int32).tobytes())
    return pa.Array.from_buffers(pa.binary(), len(ends) - 1, [None, offsets, pa.py_buffer(b"".join(parts))])


def _first_difference(contents: bytes, wanted_contents: memoryview, leaves: bytes, wanted_leaves: memoryview) -> int:
    return next(
        at // DIGEST_BYTES
        for at in range(0, len(contents), DIGEST_BYTES)
        if contents[at : at + DIGEST_BYTES] != wanted_contents[at : at + DIGEST_BYTES]
        or leaves[at : at + DIGEST_BYTES] != wanted_leaves[at : at + DIGEST_BYTES]
    )
