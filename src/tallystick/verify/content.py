"""The files that hold content: each segment with what was derived from it, and the write-ahead log behind the segments."""

from __future__ import annotations

import struct
from base64 import b64encode
from hashlib import file_digest
from itertools import zip_longest
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from tallystick.errors import CorruptionError, TallystickError
from tallystick.segment.blocks import BLOCK_ROWS
from tallystick.segment.columns import SCHEMA, ColumnsFile
from tallystick.segment.content import ROW_GROUP_ROWS, ContentFile
from tallystick.segment.manifest import COLUMNS, CONTENT, SUMMARY, SegmentEntry
from tallystick.segment.summarise import SummaryBuilder
from tallystick.segment.summary import Summary
from tallystick.verify.blocks import BlockCheck, ContentFacts
from tallystick.verify.codes import Code
from tallystick.verify.files import read_below
from tallystick.verify.model import Findings
from tallystick.verify.tree import EntryLog

FILES: Final = frozenset({CONTENT, COLUMNS, SUMMARY})
_FIRSTS_KEY: Final = b"tallystick.first-indexes"


def check_segment(ledger: Path, segments: Path, size: int, entry: SegmentEntry) -> ContentFacts:
    """Return what one segment holds, every row compared with its entry in the log of that size, and what was derived
    from the rows derived again.
    """
    folder = segments / entry.path
    place = f"segments/{segments.name}/{entry.path}"
    findings = Findings()
    blocks = BlockCheck(f"{place}/{CONTENT}", EntryLog(size, read_below(ledger)), findings, entry.end)
    if not folder.is_dir():
        findings.add(Code.SEGMENT_UNREADABLE, "the segment is missing", place)
        return blocks.facts.conclude(findings)
    odd = [name for name in sorted(FILES) if (folder / name).exists() and not (folder / name).is_file()]
    if odd:
        findings.add(Code.SEGMENT_UNREADABLE, "it is no plain file", f"{place}/{odd[0]}")
        return blocks.facts.conclude(findings)
    try:
        content = ContentFile(folder / CONTENT)
        _check_rows(folder, place, entry, content, blocks, findings)
        for name in sorted({each.name for each in folder.iterdir()} - FILES):
            findings.add(Code.FILE_UNEXPECTED, "a segment has three files and no other", f"{place}/{name}")
    except FileNotFoundError:
        findings.add(Code.SEGMENT_UNREADABLE, "the file is missing", f"{place}/{CONTENT}")
    except CorruptionError as error:
        findings.add(Code.SEGMENT_UNREADABLE, _plain(error, folder), f"{place}/{CONTENT}")
    return blocks.facts.conclude(findings)


def _check_rows(
    folder: Path, place: str, entry: SegmentEntry, content: ContentFile, blocks: BlockCheck, findings: Findings
) -> None:
    """Read the content once, and find first what is wrong with it, then what is wrong with the files beside it."""
    summary = SummaryBuilder(content.class_number)
    columns = _Columns(folder, place)
    firsts: list[int] = []
    derivable = True
    for table in content.tables():
        derived = blocks.check(table, content.class_number)
        firsts += table.column("index").to_numpy()[::ROW_GROUP_ROWS].tolist()
        derivable = derivable and derived is not None
        if derived is not None:
            summary.add(table, derived)
        columns.compare(derived)
    rows = sum(len(part) for part in blocks.facts.indexes)
    if not findings and (content.class_number, rows) != (entry.class_number, entry.events):
        message = f"it has {rows} rows of class {content.class_number}, the manifest says something else"
        findings.add(Code.MANIFEST_WRONG, message, f"{place}/{CONTENT}")
    if not findings and _digest(folder / CONTENT) != entry.content_sha256:
        findings.add(Code.MANIFEST_WRONG, "it is not the file that the manifest names", f"{place}/{CONTENT}")
    stated = pq.read_metadata(folder / CONTENT).metadata[_FIRSTS_KEY]
    if stated != b64encode(struct.pack(f"<{len(firsts)}Q", *firsts)):
        findings.add(Code.DERIVED_DIFFERS, "its footer does not say where its rows are", f"{place}/{CONTENT}")
    columns.conclude(findings)
    if derivable:
        _check_summary(folder / SUMMARY, f"{place}/{SUMMARY}", summary.finish(), entry, findings)


class _Columns:
    """Compares the columns of a segment, block by block, with those derived from its content; tells the first trouble."""

    def __init__(self, folder: Path, place: str) -> None:
        self._place = f"{place}/{COLUMNS}"
        self._trouble: tuple[str, int | None] | None = None
        self._folder = folder
        try:
            self._blocks = ColumnsFile(folder / COLUMNS).tables(BLOCK_ROWS)
        except (FileNotFoundError, CorruptionError) as error:
            self._trouble = (_plain(error, folder), None)

    def compare(self, derived: pa.Table | None) -> None:
        """Take the next block of derived columns, None where there are none to compare with."""
        if self._trouble is not None:
            return
        try:
            found = next(self._blocks, None)
        except CorruptionError as error:
            self._trouble = (_plain(error, self._folder), None)
            return
        if derived is None or (found is not None and found.equals(derived)):
            return
        if found is None or found.num_rows != derived.num_rows:
            self._trouble = ("it has not as many rows as the content", None)
            return
        for left, right in zip_longest(found.to_pylist(), derived.to_pylist()):
            name = next((name for name in SCHEMA.names if left[name] != right[name]), None)
            if name is not None:
                self._trouble = (f"its {name} is not that of the content", right["index"])
                return

    def conclude(self, findings: Findings) -> None:
        """Add what was found, if anything."""
        if self._trouble is None and next(self._blocks, None) is not None:
            self._trouble = ("it has more rows than the content", None)
        if self._trouble is not None:
            findings.add(Code.DERIVED_DIFFERS, self._trouble[0], self._place, self._trouble[1])


def _check_summary(path: Path, place: str, made: bytes, entry: SegmentEntry, findings: Findings) -> None:
    try:
        if path.read_bytes() != made:
            findings.add(Code.DERIVED_DIFFERS, "it is not the summary of the content", place)
            return
        header = Summary(path).header
    except (FileNotFoundError, CorruptionError) as error:
        findings.add(Code.DERIVED_DIFFERS, _plain(error, path.parent), place)
        return
    names = ("class_number", "events", "received_from", "received_to", "occurred_from", "occurred_to")
    for name in names:
        if getattr(header, name) != getattr(entry, name):
            findings.add(Code.MANIFEST_WRONG, f"the manifest gives another {name} than the content", place)
    if header.index_from < entry.first:
        findings.add(Code.MANIFEST_WRONG, f"the manifest says that it begins at index {entry.first}", place)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _plain(error: Exception, folder: Path) -> str:
    """Return what an error says without the path, which stands beside it anyway."""
    if isinstance(error, FileNotFoundError):
        return "the file is missing"
    message = error.message if isinstance(error, TallystickError) else str(error)
    for name in FILES:
        message = message.removeprefix(f"{folder / name}: ")
    return message
