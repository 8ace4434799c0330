"""Makes the files of one segment from its rows, in memory, and puts them on the disk."""

from __future__ import annotations

from hashlib import file_digest, sha256
from pathlib import Path

import pyarrow as pa

from tallystick.segment.columns import ColumnsWriter, derive_columns
from tallystick.segment.content import ContentWriter
from tallystick.segment.errors import SegmentCorruptError
from tallystick.segment.manifest import COLUMNS, CONTENT, SUMMARY, SegmentEntry, segment_name
from tallystick.segment.ports import Disk
from tallystick.segment.summarise import SummaryBuilder


class SegmentBuilder:
    """Turns the rows of one class, given in blocks, into the three files of a segment."""

    def __init__(self, class_number: int) -> None:
        self.class_number = class_number
        self.events = 0
        self._content = ContentWriter(class_number)
        self._columns = ColumnsWriter()
        self._summary = SummaryBuilder(class_number)

    def add(self, block: pa.Table) -> None:
        """Take the next 4096 rows; only the last block has fewer."""
        columns = derive_columns(block)
        self._content.add(block)
        self._columns.add(columns)
        self._summary.add(block, columns)
        self.events += block.num_rows

    def write(self, out_dir: Path, first: int, size: int, generation: int, disk: Disk) -> SegmentEntry:
        """Write the segment for the indexes from `first` on, durably, and compare every file with what was meant.

        A crash in here leaves a folder that no manifest names; the next attempt begins by removing it.
        """
        name = segment_name(first, size, self.class_number, generation)
        folder = out_dir / name
        disk.remove_tree(folder)
        disk.mkdirs(folder)
        content_sha256 = ""
        for file, part in ((CONTENT, self._content), (COLUMNS, self._columns), (SUMMARY, self._summary)):
            data = part.finish()
            disk.create_new(folder / file, data)
            found = _digest(folder / file)
            if found != sha256(data).hexdigest():
                raise SegmentCorruptError(folder / file, "the disk does not give back what was written")
            content_sha256 = content_sha256 or found
        disk.sync_dir(folder)
        disk.sync_dir(out_dir)
        return SegmentEntry(
            first=first,
            size=size,
            class_number=self.class_number,
            generation=generation,
            events=self.events,
            path=name,
            content_sha256=content_sha256,
            received_from=self._summary.received[0],
            received_to=self._summary.received[1],
            occurred_from=self._summary.occurred[0],
            occurred_to=self._summary.occurred[1],
        )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
