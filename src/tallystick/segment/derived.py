"""Compares the derived files of a segment with its content: an edited column cannot hide an event."""

from __future__ import annotations

from hashlib import file_digest
from itertools import zip_longest
from pathlib import Path

import pyarrow as pa

from tallystick.segment.blocks import BLOCK_ROWS
from tallystick.segment.columns import SCHEMA, ColumnsFile, derive_columns
from tallystick.segment.content import ContentFile
from tallystick.segment.errors import SegmentCorruptError, SegmentMismatchError
from tallystick.segment.manifest import COLUMNS, CONTENT, SUMMARY, SegmentEntry
from tallystick.segment.summarise import SummaryBuilder
from tallystick.segment.summary import Header, Summary


def build_summary(directory: Path) -> bytes:
    """Return the bytes that the summary of a segment must have, from its content alone."""
    content = ContentFile(directory / CONTENT)
    builder = SummaryBuilder(content.class_number)
    for table in content.tables():
        builder.add(table, derive_columns(table))
    return builder.finish()


def check_segment(root: Path, entry: SegmentEntry) -> None:
    """Return when all files of a segment are what the manifest and each other say; reads everything once.

    Raises SegmentCorruptError when the content is not the file that was sealed, and what `check_derived` raises.
    """
    directory = root / entry.path
    with (directory / CONTENT).open("rb") as file:
        if file_digest(file, "sha256").hexdigest() != entry.content_sha256:
            raise SegmentCorruptError(directory / CONTENT, "it is not the file that the manifest names")
    header = check_derived(directory)
    said = (
        entry.class_number,
        entry.events,
        entry.received_from,
        entry.received_to,
        entry.occurred_from,
        entry.occurred_to,
    )
    found = (
        header.class_number,
        header.events,
        header.received_from,
        header.received_to,
        header.occurred_from,
        header.occurred_to,
    )
    if said != found or not entry.first <= header.index_from <= header.index_to < entry.end:
        raise SegmentMismatchError(directory, "the manifest says something else of it than its content")


def check_derived(directory: Path) -> Header:
    """Return the header of the summary when columns and summary say exactly what the content says.

    Raises SegmentMismatchError naming the file, the first row that differs and its field, and SegmentCorruptError when a
    file cannot be read at all.
    """
    content = ContentFile(directory / CONTENT)
    columns = ColumnsFile(directory / COLUMNS)
    builder = SummaryBuilder(content.class_number)
    start = 0
    for table, found in zip_longest(content.tables(), columns.tables(BLOCK_ROWS)):
        if table is None or found is None or table.num_rows != found.num_rows:
            message = f"it has {columns.events} rows, the content {content.events}"
            raise SegmentMismatchError(columns.path, message, row=min(columns.events, content.events))
        derived = derive_columns(table)
        if not found.equals(derived):
            raise _first_difference(columns.path, start, found, derived)
        builder.add(table, derived)
        start += table.num_rows
    summary = directory / SUMMARY
    if summary.read_bytes() != builder.finish():
        raise SegmentMismatchError(summary, "it is not the summary of the content")
    return Summary(summary).header


def _first_difference(path: Path, start: int, found: pa.Table, derived: pa.Table) -> SegmentMismatchError:
    rows = zip(found.to_pylist(), derived.to_pylist(), strict=True)
    row, field = next(
        (row, name) for row, (left, right) in enumerate(rows) for name in SCHEMA.names if left[name] != right[name]
    )
    index = derived.column("index")[row].as_py()
    message = f"row {start + row} (index {index}) has another {field} than the content"
    return SegmentMismatchError(path, message, row=start + row, field=field)
