"""Making the derived files of a segment again from its content."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tallystick.segment.columns import ColumnsWriter, derive_columns
from tallystick.segment.content import ContentFile
from tallystick.segment.manifest import COLUMNS, CONTENT, SUMMARY
from tallystick.segment.summarise import SummaryBuilder


def derived_files(directory: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield the paths and bytes that columns and summary of a segment must have; raises SegmentCorruptError."""
    content = ContentFile(directory / CONTENT)
    columns, summary = ColumnsWriter(), SummaryBuilder(content.class_number)
    for table in content.tables():
        derived = derive_columns(table)
        columns.add(derived)
        summary.add(table, derived)
    yield directory / COLUMNS, bytes(columns.finish())
    yield directory / SUMMARY, bytes(summary.finish())
