"""A write-ahead file becomes segments that hold exactly what was acknowledged, or nothing is said to be sealed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.segment_samples import batch, events, write_wal

from tallystick.event.disclosure import Disclosure
from tallystick.segment.build import SegmentBuilder
from tallystick.segment.columns import ColumnsFile
from tallystick.segment.content import ContentFile
from tallystick.segment.derived import check_segment
from tallystick.segment.errors import IndexNotInSegmentError, SegmentCorruptError
from tallystick.segment.manifest import COLUMNS, CONTENT, SegmentEntry
from tallystick.segment.writer import Drop, Part, merge, rewrite, seal_file
from tallystick.store.files import LocalDisk

DISK = LocalDisk()


def sealed(
    folder: Path, rows: list[Disclosure], frame_events: int = 100
) -> tuple[list[Disclosure], list[SegmentEntry]]:
    stamped = write_wal(folder / "wal", rows, frame_events)
    return stamped, seal_file(folder / "wal", folder, DISK)


def held(folder: Path, entry: SegmentEntry) -> list[Disclosure]:
    return [row for rows in ContentFile(folder / entry.path / CONTENT).iterate() for row in rows]


def test_every_class_gets_a_segment_of_its_own_over_the_whole_range(tmp_path: Path) -> None:
    rows, entries = sealed(tmp_path, events(1000, first=500, classes=(1, 2, 2, 3)))
    assert [entry.path for entry in entries] == ["500-1000.c1.g0", "500-1000.c2.g0", "500-1000.c3.g0"]
    assert [entry.events for entry in entries] == [250, 500, 250]
    for entry in entries:
        assert held(tmp_path, entry) == [row for row in rows if row.class_number == entry.class_number]
        check_segment(tmp_path, entry)


@pytest.mark.parametrize("count", [1, 511, 512, 513, 4096, 4097, 9000])
def test_any_number_of_events_comes_back_byte_for_byte(tmp_path: Path, count: int) -> None:
    rows, [entry] = sealed(tmp_path, events(count), frame_events=700)
    assert held(tmp_path, entry) == rows
    assert ColumnsFile(tmp_path / entry.path / COLUMNS).read(["index"]).column("index").to_pylist() == list(
        range(count)
    )
    assert entry.received_from == rows[0].received_at
    assert entry.received_to == rows[-1].received_at


def test_scattered_rows_come_in_the_order_asked_for(tmp_path: Path) -> None:
    rows, entries = sealed(tmp_path, events(9000, first=100, classes=(1, 2)))
    content = ContentFile(tmp_path / entries[0].path / CONTENT)
    indexes = [8100, 100, 102, *range(600, 9000, 600)]
    assert content.rows(indexes) == [rows[index - 100] for index in indexes]
    assert content.rows([]) == []


@pytest.mark.parametrize("index", [0, 99, 101, 9100, 1 << 40])
def test_an_index_that_is_not_held_is_named(tmp_path: Path, index: int) -> None:
    _, entries = sealed(tmp_path, events(3000, first=100, classes=(1, 2)))
    with pytest.raises(IndexNotInSegmentError, match=str(index)):
        ContentFile(tmp_path / entries[0].path / CONTENT).rows([200, index])


def test_a_left_over_of_an_interrupted_seal_is_replaced(tmp_path: Path) -> None:
    left_over = tmp_path / "0-10.c2.g0"
    left_over.mkdir()
    (left_over / CONTENT).write_bytes(b"half a file")
    rows, [entry] = sealed(tmp_path, events(10))
    assert held(tmp_path, entry) == rows


def test_content_that_does_not_match_its_commitment_is_refused(tmp_path: Path) -> None:
    rows = events(50)
    honest = batch(rows)
    rows[20] = replace(rows[20], facts=b'{"action":"nothing.happened"}')

    def forged(_: object) -> object:
        return replace(batch(rows), contents=honest.contents)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.segment_samples.batch", forged)
        write_wal(tmp_path / "wal", rows)
    with pytest.raises(SegmentCorruptError, match=r"wal: event 20 is not what its commitment"):
        seal_file(tmp_path / "wal", tmp_path, DISK)


def test_a_wrong_leaf_is_refused(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.segment_samples.hash_leaves", lambda entries: bytes(32 * len(entries)))
        write_wal(tmp_path / "wal", events(5))
    with pytest.raises(SegmentCorruptError, match="event 0 is not"):
        seal_file(tmp_path / "wal", tmp_path, DISK)


@pytest.mark.parametrize("at", [0, 5, 60, 300, 5000, -1])
def test_a_flipped_byte_in_the_write_ahead_file_is_refused(tmp_path: Path, at: int) -> None:
    write_wal(tmp_path / "wal", events(200), frame_events=50)
    data = bytearray((tmp_path / "wal").read_bytes())
    data[at] ^= 0x40
    (tmp_path / "wal").write_bytes(data)
    with pytest.raises(SegmentCorruptError, match="wal"):
        seal_file(tmp_path / "wal", tmp_path, DISK)


@pytest.mark.parametrize("kept", [0, 50, 1000, -1])
def test_a_cut_write_ahead_file_is_refused(tmp_path: Path, kept: int) -> None:
    write_wal(tmp_path / "wal", events(20))
    (tmp_path / "wal").write_bytes((tmp_path / "wal").read_bytes()[:kept])
    with pytest.raises(SegmentCorruptError, match="wal"):
        seal_file(tmp_path / "wal", tmp_path, DISK)


def test_frames_of_two_files_do_not_pass_for_one(tmp_path: Path) -> None:
    write_wal(tmp_path / "one", events(20))
    write_wal(tmp_path / "two", events(20, first=20))
    (tmp_path / "wal").write_bytes((tmp_path / "one").read_bytes() + (tmp_path / "two").read_bytes())
    with pytest.raises(SegmentCorruptError, match="does not follow the one before"):
        seal_file(tmp_path / "wal", tmp_path, DISK)


class ForgetfulDisk(LocalDisk):
    """Changes one byte of a file as it goes to the disk."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def create_new(self, path: Path, data: bytes, *, mode: int = 0o644) -> None:
        changed = data[:900] + bytes([data[900] ^ 1]) + data[901:] if path.name == self._name else data
        super().create_new(path, changed, mode=mode)


@pytest.mark.parametrize("name", ["content.parquet", "columns.parquet", "summary"])
def test_a_disk_that_changes_what_is_written_is_caught_before_anyone_relies_on_it(tmp_path: Path, name: str) -> None:
    write_wal(tmp_path / "wal", events(200))
    with pytest.raises(SegmentCorruptError, match=f"{name}: the disk does not give back"):
        seal_file(tmp_path / "wal", tmp_path, ForgetfulDisk(name))


def test_what_is_written_is_compared_with_the_write_ahead_file_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wal(tmp_path / "wal", events(5000))
    add = SegmentBuilder.add

    def swap_first_two(self: SegmentBuilder, block: Any) -> None:
        add(self, block.take([1, 0, *range(2, block.num_rows)]))

    monkeypatch.setattr(SegmentBuilder, "add", swap_first_two)
    with pytest.raises(SegmentCorruptError, match="what was written is not what was acknowledged"):
        seal_file(tmp_path / "wal", tmp_path, DISK)


def test_erasing_personal_data_keeps_the_facts_provable(tmp_path: Path) -> None:
    rows, [entry] = sealed(tmp_path, events(6000))
    after = rewrite(entry, Drop([(10, 5), (4000, 200)], Part.PERSONAL), out_dir=tmp_path, disk=DISK)
    assert after is not None
    assert after.path == "0-6000.c2.g1"
    check_segment(tmp_path, after)
    gone = {*range(10, 15), *range(4000, 4200)}
    for old, new in zip(rows, held(tmp_path, after), strict=True):
        assert new.entry() == old.entry()
        assert (new.personal is None) == (new.salt2 is None) == (new.index in gone)
        if new.index not in gone:
            assert new == old
    data = (tmp_path / after.path / CONTENT).read_bytes() + (tmp_path / after.path / COLUMNS).read_bytes()
    assert rows[12].salt2 is not None
    assert rows[12].salt2 not in data
    assert rows[16].salt2 is not None
    assert rows[16].salt2 in data
    again = rewrite(after, Drop([(12, 100)], Part.PERSONAL), out_dir=tmp_path, disk=DISK)
    assert again is not None
    assert again.generation == 2
    assert [row.entry() for row in held(tmp_path, again)] == [row.entry() for row in rows]


def test_personal_columns_of_erased_rows_are_empty(tmp_path: Path) -> None:
    _, [entry] = sealed(tmp_path, events(20))
    after = rewrite(entry, Drop([(0, 20)], Part.PERSONAL), out_dir=tmp_path, disk=DISK)
    assert after is not None
    table = ColumnsFile(tmp_path / after.path / COLUMNS).read()
    for name in table.schema.names:
        if name.startswith("personal_"):
            assert not any(table.column(name).to_pylist()), name


def test_erasing_everything_takes_the_rows_away(tmp_path: Path) -> None:
    rows, [entry] = sealed(tmp_path, events(6000))
    after = rewrite(entry, Drop([(0, 1000), (5999, 1)], Part.ALL), out_dir=tmp_path, disk=DISK)
    assert after is not None
    check_segment(tmp_path, after)
    assert (after.first, after.size, after.events) == (0, 6000, 4999)
    assert held(tmp_path, after) == rows[1000:5999]
    assert rewrite(entry, Drop([(0, 6000)], Part.ALL), out_dir=tmp_path, disk=DISK) is None


def test_small_neighbours_become_one_segment(tmp_path: Path) -> None:
    rows, entries = [], []
    for first, count in ((0, 700), (700, 10), (710, 5000)):
        folder = tmp_path / str(first)
        folder.mkdir()
        rows += write_wal(folder / "wal", events(count, first=first))
        entries += seal_file(folder / "wal", tmp_path, DISK)
    merged = merge(entries, out_dir=tmp_path, disk=DISK)
    assert merged.path == "0-5710.c2.g1"
    assert held(tmp_path, merged) == rows
    check_segment(tmp_path, merged)
