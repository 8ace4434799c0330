"""A Parquet file of a segment, mapped into memory and shared between threads."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tallystick.segment.errors import SegmentCorruptError


class MappedParquet:
    """An open file whose footer was parsed once; each thread reads with a reader of its own, because one is not safe
    to share. Damage that shows raises SegmentCorruptError, a file that is not there FileNotFoundError.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        try:
            self._source = pa.memory_map(str(path))
            self.metadata = pq.read_metadata(self._source)
            found = self.metadata.schema.to_arrow_schema()
        except FileNotFoundError:
            raise
        except (pa.ArrowException, OSError, ValueError) as error:
            raise SegmentCorruptError(path, f"this is not a readable Parquet file ({error})") from error
        if not found.equals(schema):
            raise SegmentCorruptError(path, "its columns are not those that this version writes")
        self._local = threading.local()

    def read(self, groups: Sequence[int], columns: Sequence[str] | None, *, threads: bool = False) -> pa.Table:
        """Return whole row groups, all columns or the ones named; `threads` decodes several columns at once."""
        names = None if columns is None else list(columns)
        try:
            return self.reader().read_row_groups(list(groups), columns=names, use_threads=threads)
        except (pa.ArrowException, OSError) as error:
            raise self.damage(error) from error

    def reader(self) -> pq.ParquetFile:
        """Return this thread's reader."""
        reader = getattr(self._local, "reader", None)
        if reader is None:
            reader = pq.ParquetFile(self._source, metadata=self.metadata, page_checksum_verification=True)
            self._local.reader = reader
        return reader

    def damage(self, error: Exception) -> SegmentCorruptError:
        """Return the error to raise for rows that cannot be read."""
        return SegmentCorruptError(self.path, f"its rows cannot be read ({error})")
