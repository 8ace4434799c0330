"""Seals write-ahead files into segments, and makes new generations of segments.

Each function writes whole new folders and leaves the old ones alone: the caller swaps the manifest, then removes
what it no longer names. Every one reads its own work back and compares it with where the rows came from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tallystick.event.commitment import personal_digest
from tallystick.segment.blocks import blocks_by_class
from tallystick.segment.build import SegmentBuilder
from tallystick.segment.content import SCHEMA, ContentFile
from tallystick.segment.derived import check_segment
from tallystick.segment.errors import SegmentCorruptError
from tallystick.segment.manifest import CONTENT, SegmentEntry
from tallystick.segment.ports import Disk
from tallystick.segment.wal import WalFile

Range = tuple[int, int]


class Part(StrEnum):
    """What of an event's content is erased."""

    PERSONAL = "personal"
    ALL = "all"


def seal_file(wal_path: Path, out_dir: Path, disk: Disk) -> list[SegmentEntry]:
    """Return the durable segments, one for each class, that hold every event of a closed write-ahead file.

    Commitments and leaves are computed again, and after writing every byte of content is compared with the file.
    Raises SegmentCorruptError when anything differs; then nothing that was written may be used.
    """
    wal = WalFile(wal_path)
    builders: dict[int, SegmentBuilder] = {}
    for number, block in wal.tables(check=True):
        builders.setdefault(number, SegmentBuilder(number)).add(block)
    entries = [builder.write(out_dir, wal.first, wal.size, 0, disk) for _, builder in sorted(builders.items())]
    del builders  # what they built is on the disk, and memory is needed to read it back
    _compare(out_dir, entries, wal.tables(check=False))
    return entries


@dataclass(frozen=True, slots=True)
class Drop:
    """What goes: a part of the rows in (first, size) ranges of indexes, but for those of the sources spared."""

    ranges: Sequence[Range]
    part: Part
    spared: Sequence[int] = ()


def rewrite(entry: SegmentEntry, drop: Drop, *, out_dir: Path, disk: Disk) -> SegmentEntry | None:
    """Return the next generation of a segment without what is erased, or None when no row is left.

    For `Part.PERSONAL` the personal part and its salt go and its digest stays; for `Part.ALL` the row goes. `out_dir`
    holds the segment and takes the new one.
    """
    source = ContentFile(out_dir / entry.path / CONTENT)

    def tables() -> Iterator[tuple[int, pa.Table]]:
        kept = (_without(table, drop) for table in source.tables())
        return blocks_by_class((entry.class_number, table) for table in kept if table.num_rows)

    return _write(tables, entry.first, entry.size, entry.generation + 1, out_dir, disk)


def merge(entries: Sequence[SegmentEntry], *, out_dir: Path, disk: Disk) -> SegmentEntry:
    """Return one segment with the rows of several of one class, given in order, for the whole range they span.

    Each is checked first, so that damage is never copied under a new digest; raises what `check_segment` raises.
    """
    assert len({entry.class_number for entry in entries}) == 1
    assert all(left.end <= right.first for left, right in pairwise(entries))
    for entry in entries:
        check_segment(out_dir, entry)
    sources = [ContentFile(out_dir / entry.path / CONTENT) for entry in entries]
    number = entries[0].class_number

    def tables() -> Iterator[tuple[int, pa.Table]]:
        return blocks_by_class((number, table) for source in sources for table in source.tables())

    first, end = entries[0].first, entries[-1].end
    generation = max(entry.generation for entry in entries) + 1
    merged = _write(tables, first, end - first, generation, out_dir, disk)
    assert merged is not None
    return merged


def _write(
    tables: Callable[[], Iterator[tuple[int, pa.Table]]],
    first: int,
    size: int,
    generation: int,
    out_dir: Path,
    disk: Disk,
) -> SegmentEntry | None:
    builder: SegmentBuilder | None = None
    for number, block in tables():
        builder = builder or SegmentBuilder(number)
        builder.add(block)
    if builder is None:
        return None
    entry = builder.write(out_dir, first, size, generation, disk)
    del builder
    _compare(out_dir, [entry], tables())
    return entry


def _compare(out_dir: Path, entries: Iterable[SegmentEntry], tables: Iterator[tuple[int, pa.Table]]) -> None:
    """Compare the content just written with where it came from, every byte of it."""
    files = {entry.class_number: ContentFile(out_dir / entry.path / CONTENT) for entry in entries}
    written = {number: file.tables() for number, file in files.items()}
    for number, expected in tables:
        found = next(written[number], None)
        if found is None or not found.equals(expected):
            raise SegmentCorruptError(files[number].path, "what was written is not what was acknowledged")
    for number, rest in written.items():
        if next(rest, None) is not None:
            raise SegmentCorruptError(files[number].path, "more was written than was acknowledged")


def _without(table: pa.Table, drop: Drop) -> pa.Table:
    index = table.column("index").to_numpy()
    inside = np.zeros(len(index) + 1, dtype=np.int64)
    for first, size in drop.ranges:
        low, high = np.searchsorted(index, np.array((first, first + size), dtype=index.dtype))
        inside[low] += 1
        inside[high] -= 1
    gone = np.cumsum(inside)[:-1] > 0
    if drop.spared:
        gone &= ~np.isin(table.column("source").to_numpy(), drop.spared)
    if not gone.any():
        return table
    if drop.part is Part.ALL:
        return table.filter(pa.array(~gone))
    columns = {name: table.column(name) for name in SCHEMA.names}
    gone &= pc.is_valid(columns["personal"]).to_numpy()
    digests = map(
        personal_digest, *(columns[name].filter(pa.array(gone)).to_pylist() for name in ("salt2", "personal"))
    )
    places = pa.array(gone)
    for name in ("salt2", "personal"):
        columns[name] = pc.if_else(places, pa.scalar(None, columns[name].type), columns[name])
    made = pa.array(list(digests), SCHEMA.field("personal_digest").type)
    columns["personal_digest"] = pc.replace_with_mask(columns["personal_digest"].combine_chunks(), places, made)
    return pa.Table.from_arrays(list(columns.values()), schema=SCHEMA)
