"""Damage to any file of a segment is found, and the error names the file."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.segment_samples import events, write_wal

from tallystick.segment.columns import ColumnsFile
from tallystick.segment.content import ContentFile
from tallystick.segment.derived import check_derived, check_segment
from tallystick.segment.errors import SegmentCorruptError, SegmentMismatchError
from tallystick.segment.manifest import COLUMNS, CONTENT, SUMMARY, SegmentEntry
from tallystick.segment.summary import Summary
from tallystick.segment.writer import seal_file
from tallystick.store.files import LocalDisk


@pytest.fixture
def segment(tmp_path: Path) -> tuple[Path, SegmentEntry]:
    write_wal(tmp_path / "wal", events(1500))
    [entry] = seal_file(tmp_path / "wal", tmp_path, LocalDisk())
    return tmp_path, entry


def read_content(path: Path) -> object:
    return list(ContentFile(path).iterate())


def read_columns(path: Path) -> object:
    return ColumnsFile(path).read().to_pylist()


def read_summary(path: Path) -> object:
    summary = Summary(path)
    summary.blocks_with_words("request000001")
    summary.may_contain_id(bytes(16))
    for field in summary.header.fields:
        summary.may_contain(field, "x")
    return summary.header


READERS: dict[str, Callable[[Path], object]] = {CONTENT: read_content, COLUMNS: read_columns, SUMMARY: read_summary}


@pytest.mark.parametrize("name", READERS)
def test_a_flipped_byte_never_changes_what_is_read_unseen(segment: tuple[Path, SegmentEntry], name: str) -> None:
    root, entry = segment
    path = root / entry.path / name
    data = path.read_bytes()
    honest = READERS[name](path)
    chance = random.Random(name)
    found = 0
    for _ in range(60):
        changed = bytearray(data)
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        named = damage(name, path, honest)
        assert named in (None, path)
        found += named is not None
    assert found > 30


def damage(name: str, path: Path, honest: object) -> Path | None:
    """Return the file that reading names as damaged, or None when what is read is what was written."""
    try:
        assert READERS[name](path) == honest
    except SegmentCorruptError as error:
        return error.path
    return None


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("kept", [0, 3, 20, 5000, -1])
def test_a_cut_file_is_named(segment: tuple[Path, SegmentEntry], name: str, kept: int) -> None:
    root, entry = segment
    path = root / entry.path / name
    data = path.read_bytes()
    path.write_bytes(data[: min(kept, len(data) - 1)])
    with pytest.raises(SegmentCorruptError) as caught:
        READERS[name](path)
    assert caught.value.path == path


@pytest.mark.parametrize("name", READERS)
def test_another_parquet_file_in_its_place_is_named(segment: tuple[Path, SegmentEntry], name: str) -> None:
    root, entry = segment
    path = root / entry.path / name
    pq.write_table(pa.table({"index": [1, 2, 3]}), path)
    with pytest.raises(SegmentCorruptError) as caught:
        READERS[name](path)
    assert caught.value.path == path


@pytest.mark.parametrize("name", READERS)
def test_a_missing_file_is_missing_and_not_corrupt(segment: tuple[Path, SegmentEntry], name: str) -> None:
    root, entry = segment
    (root / entry.path / name).unlink()
    with pytest.raises(FileNotFoundError):
        READERS[name](root / entry.path / name)


def edit_columns(path: Path, row: int, field: str, value: object) -> None:
    rows = ColumnsFile(path).read()
    values = rows.column(field).to_pylist()
    values[row] = value
    schema = rows.schema
    changed = rows.set_column(
        schema.get_field_index(field), schema.field(field), pa.array(values, schema.field(field).type)
    )
    pq.write_table(changed, path, store_schema=False)


@pytest.mark.parametrize(
    ("row", "field", "value"),
    [
        (0, "action", "nothing.happened"),
        (1499, "scope", None),
        (700, "target_id", ["t-700", "t-701"]),
        (3, "occurred_at", 0),
        (800, "personal_ip", "10.9.9.9"),
    ],
)
def test_an_edited_column_is_named_with_row_and_field(
    segment: tuple[Path, SegmentEntry], row: int, field: str, value: object
) -> None:
    root, entry = segment
    path = root / entry.path / COLUMNS
    edit_columns(path, row, field, value)
    with pytest.raises(SegmentMismatchError, match=rf"row {row} \(index {row}\) has another {field}") as caught:
        check_derived(root / entry.path)
    assert (caught.value.path, caught.value.row, caught.value.field) == (path, row, field)


def test_a_row_left_out_of_the_columns_is_found(segment: tuple[Path, SegmentEntry]) -> None:
    root, entry = segment
    path = root / entry.path / COLUMNS
    pq.write_table(ColumnsFile(path).read().slice(0, 1499), path, store_schema=False)
    with pytest.raises(SegmentMismatchError, match="it has 1499 rows, the content 1500"):
        check_derived(root / entry.path)


def test_a_summary_of_other_rows_is_found(segment: tuple[Path, SegmentEntry], tmp_path: Path) -> None:
    root, entry = segment
    write_wal(tmp_path / "other", events(1500, first=1500))
    [other] = seal_file(tmp_path / "other", tmp_path, LocalDisk())
    path = root / entry.path / SUMMARY
    path.write_bytes((root / other.path / SUMMARY).read_bytes())
    with pytest.raises(SegmentMismatchError, match="not the summary of the content"):
        check_derived(root / entry.path)


def test_content_that_is_whole_but_not_the_one_sealed_is_found(segment: tuple[Path, SegmentEntry]) -> None:
    root, entry = segment
    write_wal(root / "other", events(1499))
    [other] = seal_file(root / "other", root, LocalDisk())
    for name in READERS:
        (root / entry.path / name).write_bytes((root / other.path / name).read_bytes())
    check_derived(root / entry.path)
    with pytest.raises(SegmentCorruptError, match="not the file that the manifest names"):
        check_segment(root, entry)
