"""`content.parquet`: the truth of a segment, row by row as it was committed to.

Row groups are small, so that one row costs milliseconds; what is random (ids, salts) is stored as it is. The footer
names the class and the first index of every row group, so that a row is found without reading any other.
"""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tallystick.event.disclosure import Disclosure
from tallystick.segment.blocks import BLOCK_ROWS
from tallystick.segment.errors import IndexNotInSegmentError, SegmentCorruptError
from tallystick.segment.mapped import MappedParquet

ROW_GROUP_ROWS: Final = 512

SCHEMA: Final = pa.schema(
    [
        pa.field("index", pa.uint64(), nullable=False),
        pa.field("id", pa.binary(16), nullable=False),
        pa.field("received_at", pa.int64(), nullable=False),
        pa.field("source", pa.uint32(), nullable=False),
        pa.field("salt1", pa.binary(16), nullable=False),
        pa.field("facts", pa.binary(), nullable=False),
        pa.field("salt2", pa.binary(16)),
        pa.field("personal", pa.binary()),
        pa.field("personal_digest", pa.binary(32)),
    ]
)

_COMPRESSION: Final = {
    name: "ZSTD" if name in {"facts", "personal", "source", "received_at"} else "NONE" for name in SCHEMA.names
}
_ENCODING: Final = dict.fromkeys(("index", "received_at", "source"), "DELTA_BINARY_PACKED")
_FIRSTS_KEY: Final = b"tallystick.first-indexes"
_CLASS_KEY: Final = b"tallystick.class"


class ContentWriter:
    """Builds the bytes of a content file from tables in order of index; only the compressed bytes stay in memory."""

    def __init__(self, class_number: int) -> None:
        self._class_number = class_number
        self._firsts: list[int] = []
        self._sink = BytesIO()
        self._writer = pq.ParquetWriter(
            self._sink,
            SCHEMA,
            compression=_COMPRESSION,
            compression_level={name: 1 for name, codec in _COMPRESSION.items() if codec == "ZSTD"},
            use_dictionary=False,
            column_encoding=_ENCODING,
            write_statistics=False,
            write_page_checksum=True,
            store_schema=False,
        )

    def add(self, table: pa.Table) -> None:
        """Append rows; every table but the last has a multiple of 512 rows."""
        self._firsts += table.column("index").to_numpy()[::ROW_GROUP_ROWS].tolist()
        self._writer.write_table(table, row_group_size=ROW_GROUP_ROWS)

    def finish(self) -> bytes:
        """Return the whole file."""
        firsts = b64encode(struct.pack(f"<{len(self._firsts)}Q", *self._firsts))
        self._writer.add_key_value_metadata({_CLASS_KEY: str(self._class_number).encode(), _FIRSTS_KEY: firsts})
        self._writer.close()
        return self._sink.getvalue()


class ContentFile:
    """An open content file; safe to share between threads. Damage that shows raises SegmentCorruptError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = MappedParquet(path, SCHEMA)
        try:
            extra = self._file.metadata.metadata
            self.class_number = int(extra[_CLASS_KEY])
            self._firsts = np.frombuffer(b64decode(extra[_FIRSTS_KEY], validate=True), dtype="<u8")
        except (KeyError, TypeError, ValueError) as error:
            raise SegmentCorruptError(path, "its class or first indexes are missing or damaged") from error
        if len(self._firsts) != self._file.metadata.num_row_groups:
            raise SegmentCorruptError(path, "it has not as many row groups as first indexes")

    @property
    def events(self) -> int:
        """How many rows the file holds."""
        return int(self._file.metadata.num_rows)

    def read(self, groups: Sequence[int], columns: Sequence[str] | None = None) -> pa.Table:
        """Return the rows of whole row groups, all columns or the ones named."""
        return self._file.read(groups, columns)

    def stored_bytes(self, columns: Sequence[str]) -> int:
        """Return the bytes that the named columns take in the file."""
        metadata = self._file.metadata
        places = [SCHEMA.get_field_index(name) for name in columns]
        groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
        return sum(group.column(place).total_compressed_size for group in groups for place in places)

    def tables(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Yield all rows in order, 4096 at a time."""
        return (self.block(number, columns) for number in range(self.blocks))

    def block(self, number: int, columns: Sequence[str] | None = None) -> pa.Table:
        """Return the rows of one block, as the summary counts them: rows 4096 * number and on."""
        step = BLOCK_ROWS // ROW_GROUP_ROWS
        start = number * step
        return self.read(range(start, min(start + step, self._file.metadata.num_row_groups)), columns)

    def disclosures(self, number: int) -> list[Disclosure]:
        """Return the rows of one block, in order of index."""
        return self._disclosures(self.block(number))

    def block_of(self, index: int) -> int:
        """Return the first block that may hold an event at or above an index."""
        group = int(np.searchsorted(self._firsts, np.uint64(index), side="right")) - 1
        return max(0, group) // (BLOCK_ROWS // ROW_GROUP_ROWS)

    @property
    def blocks(self) -> int:
        """How many blocks of 4096 rows the file holds, the last one perhaps smaller."""
        return -(-self.events // BLOCK_ROWS)

    def iterate(self) -> Iterator[list[Disclosure]]:
        """Yield all rows in order as disclosures, 4096 at a time."""
        return (self._disclosures(table) for table in self.tables())

    def rows(self, indexes: Sequence[int]) -> list[Disclosure]:
        """Return the rows at these indexes, in the order given; raises IndexNotInSegmentError for one not held."""
        wanted = np.unique(np.asarray(indexes, dtype=np.uint64))
        groups, starts = np.unique(np.searchsorted(self._firsts, wanted, side="right") - 1, return_index=True)
        if len(groups) and groups[0] < 0:
            raise IndexNotInSegmentError(f"index {wanted[0]} is not in {self.path.parent.name}")
        parts = list(zip(groups.tolist(), np.split(wanted, starts[1:]), strict=True)) if len(groups) else []
        if len(parts) < _PARTS_FOR_THREADS:
            found = [self._pick(*part) for part in parts]
        else:
            found = list(_threads().map(self._pick, *zip(*parts, strict=True)))
        by_index = {row.index: row for rows in found for row in rows}
        return [by_index[index] for index in indexes]

    def _pick(self, group: int, wanted: np.ndarray[Any, np.dtype[np.uint64]]) -> list[Disclosure]:
        table = self.read([group])
        held = table.column("index").to_numpy()
        places = np.minimum(np.searchsorted(held, wanted), len(held) - 1)
        missing = wanted[held[places] != wanted]
        if len(missing):
            raise IndexNotInSegmentError(f"index {missing[0]} is not in {self.path.parent.name}")
        return self._disclosures(table.take(pa.array(places)))

    def _disclosures(self, table: pa.Table) -> list[Disclosure]:
        columns = {name: table.column(name).to_pylist() for name in SCHEMA.names}
        number = self.class_number
        return [
            Disclosure(index, event_id, received_at, source, number, salt1, facts, salt2, personal, digest)
            for index, event_id, received_at, source, salt1, facts, salt2, personal, digest in zip(
                *columns.values(), strict=True
            )
        ]


_PARTS_FOR_THREADS: Final = 8


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2, thread_name_prefix="content")
