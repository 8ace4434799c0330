"""`columns.parquet`: typed fields of a segment's events, derived from the content and made to be scanned.

Columns only select; what is shown is rendered from facts and personal. Columns whose names begin with `personal_`
come from the personal part, so a reader without the right leaves them all out by name. What is long and random
has no column: request and session ids, and whatever else stands in context and metadata, are found through the
word filters of the summary and then read in the content.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from tallystick.event.fields import Fields, derive_row
from tallystick.segment.mapped import MappedParquet

PERSONAL_PREFIX: Final = "personal_"
ROW_GROUP_ROWS: Final = 1 << 18
DICTIONARY_BYTES_MAX: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Derived:
    """One derived column: its name, the attribute of `event.fields.Fields` it holds, and how it is stored."""

    name: str
    attribute: str
    type: pa.DataType
    dictionary: bool = True


_TEXT: Final = pa.string()
_TEXTS: Final = pa.list_(pa.field("element", pa.string(), nullable=False))

DERIVED: Final = (
    Derived("occurred_at", "occurred_at", pa.int64(), dictionary=False),
    Derived("action", "action", _TEXT),
    Derived("actor_id", "actor_id", _TEXT),
    Derived("actor_key", "actor_key", _TEXT),
    Derived("actor_type", "actor_type", _TEXT),
    Derived("on_behalf_of_id", "on_behalf_of_id", _TEXT),
    Derived("on_behalf_of_key", "on_behalf_of_key", _TEXT),
    Derived("on_behalf_of_type", "on_behalf_of_type", _TEXT),
    Derived("target_id", "target_id", _TEXTS),
    Derived("target_key", "target_key", _TEXTS),
    Derived("target_type", "target_type", _TEXTS),
    Derived("scope", "scope", _TEXT),
    Derived("outcome", "outcome", _TEXT),
    Derived("severity", "severity", _TEXT),
    Derived("changed", "changed", _TEXTS),
    Derived("personal_actor_id", "actor_id_personal", _TEXT),
    Derived("personal_actor_name", "actor_name", _TEXT),
    Derived("personal_actor_email", "actor_email", _TEXT),
    Derived("personal_on_behalf_of_id", "on_behalf_of_id_personal", _TEXT),
    Derived("personal_on_behalf_of_name", "on_behalf_of_name", _TEXT),
    Derived("personal_on_behalf_of_email", "on_behalf_of_email", _TEXT),
    Derived("personal_target_ids", "target_ids_personal", _TEXTS),
    Derived("personal_target_names", "target_names", _TEXTS),
    Derived("personal_ip", "ip", _TEXT),
    Derived("personal_user_agent", "user_agent", _TEXT),
    Derived("personal_message", "message", _TEXT, dictionary=False),
    Derived("personal_reason", "reason", _TEXT, dictionary=False),
)

SCHEMA: Final = pa.schema(
    [
        pa.field("index", pa.uint64(), nullable=False),
        pa.field("received_at", pa.int64(), nullable=False),
        pa.field("source", pa.uint32(), nullable=False),
        *(pa.field(column.name, column.type) for column in DERIVED),
    ]
)

_COPIED: Final = ("index", "received_at", "source")
_ATTRIBUTES: Final = Fields._fields
_NUMBERS: Final = ("index", "received_at", "source", "occurred_at")


def _leaf(column: Derived) -> str:
    """Return the name of the Parquet column that holds the values."""
    return f"{column.name}.list.element" if pa.types.is_list(column.type) else column.name


def derive_columns(content: pa.Table) -> pa.Table:
    """Return the columns of the rows of a content table, in the same order; there is at least one row."""
    facts, personal = content.column("facts").to_pylist(), content.column("personal").to_pylist()
    rows = [derive_row(known, hidden) for known, hidden in zip(facts, personal, strict=True)]
    values = dict(zip(_ATTRIBUTES, zip(*rows, strict=True), strict=True))
    arrays = [content.column(name) for name in _COPIED]
    arrays += [pa.array(values[column.attribute], column.type) for column in DERIVED]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


class ColumnsWriter:
    """Builds the bytes of a columns file; at most one row group waits uncompressed."""

    def __init__(self) -> None:
        self._sink = BytesIO()
        self._waiting: list[pa.Table] = []
        self._rows = 0
        self._writer = pq.ParquetWriter(
            self._sink,
            SCHEMA,
            compression="ZSTD",
            compression_level=1,
            use_dictionary=[_leaf(column) for column in DERIVED if column.dictionary],
            column_encoding=dict.fromkeys(_NUMBERS, "DELTA_BINARY_PACKED")
            | {_leaf(column): "DELTA_LENGTH_BYTE_ARRAY" for column in DERIVED[1:] if not column.dictionary},
            dictionary_pagesize_limit=DICTIONARY_BYTES_MAX,
            write_statistics=list(_NUMBERS),
            write_page_checksum=True,
            store_schema=False,
        )

    def add(self, table: pa.Table) -> None:
        """Append rows; every table has at most 4096 of them."""
        self._waiting.append(table)
        self._rows += table.num_rows
        if self._rows >= ROW_GROUP_ROWS:
            self._flush()

    def finish(self) -> bytes:
        """Return the whole file."""
        self._flush()
        self._writer.close()
        return self._sink.getvalue()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting), row_group_size=ROW_GROUP_ROWS)
        self._waiting, self._rows = [], 0


class ColumnsFile:
    """An open columns file; safe to share between threads. Damage that shows raises SegmentCorruptError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = MappedParquet(path, SCHEMA)

    @property
    def events(self) -> int:
        """How many rows the file holds."""
        return int(self._file.metadata.num_rows)

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Return all rows, all columns or the ones named."""
        return self._file.read(range(self._file.metadata.num_row_groups), columns, threads=True)

    def tables(self, rows: int, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Yield all rows in order, `rows` at a time."""
        names = None if columns is None else list(columns)
        try:
            for batch in self._file.reader().iter_batches(batch_size=rows, columns=names):
                yield pa.Table.from_batches([batch])
        except (pa.ArrowException, OSError) as error:
            raise self._file.damage(error) from error
