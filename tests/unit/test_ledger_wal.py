from __future__ import annotations

import os
from pathlib import Path

import pytest

from tallystick.event.entry import format_entries
from tallystick.event.frame import format_frame, parse_frame
from tallystick.ledger.errors import WalDamagedError
from tallystick.ledger.layout import Layout, parse_wal_name
from tallystick.ledger.wal import PreparedFrame, WriteAheadLog
from tallystick.ledger.wal_scan import NO_FRAME, Scan, scan_file
from tallystick.merkle import hash_leaves
from tallystick.store.files import LocalDisk
from tallystick.testing import BatchMaker

STAMP = 1_800_000_000_000_000


class Log:
    """A write-ahead log fed with groups of batches of three events."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout(root, root)
        self.disk = LocalDisk()
        self.disk.mkdirs(self.layout.wal)
        self.log = WriteAheadLog(self.disk, self.layout, os.urandom)
        self.maker = BatchMaker(3)
        self.previous = NO_FRAME
        self.index = 0
        self.spans: list[tuple[int, int]] = []  # where each frame lies

    def group(self, frames: int) -> None:
        start, prepared = self.index, []
        nonce = self.log.nonce_for(start)
        for _ in range(frames):
            batch = self.maker.batch(3)
            leaves = hash_leaves(format_entries(batch.classes, 4, STAMP, batch.contents))
            buffers = format_frame(
                batch,
                first_index=self.index,
                received_at=STAMP,
                source=4,
                nonce=nonce,
                previous=self.previous,
                leaves=leaves,
                behind=self.index - start,
            )
            self.previous = parse_frame(b"".join(buffers)).header_hash
            prepared.append(PreparedFrame(buffers, self.index, 3, 4, STAMP, {}))
            self.index += 3
        self.spans += [(ref.offset, ref.size_bytes) for ref in self.log.append(prepared)]

    def blank(self, frame: int) -> None:
        """Let the disk have lost a frame's bytes, but not those behind it."""
        offset, size = self.spans[frame]
        with self.layout.wal_file(0).open("r+b") as file:
            file.seek(offset)
            file.write(bytes(size))

    def scan(self) -> Scan:
        return scan_file(self.disk, self.layout.wal_file(0), 0, None)


def test_frames_are_found_again_in_order(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.group(1)
    log.group(3)
    scan = log.scan()
    assert [ref.first_index for ref in scan.file.frames] == [0, 3, 6, 9]
    assert (scan.torn_bytes, scan.last_hash) == (0, log.previous)


def test_a_power_cut_may_lose_the_first_frame_of_the_last_group_and_keep_the_second(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.group(2)
    log.group(3)
    log.blank(2)
    scan = log.scan()
    assert scan.file.end_index == 6
    assert scan.torn_bytes == sum(size for _, size in log.spans[2:])


def test_a_power_cut_may_lose_the_middle_of_the_last_group(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.group(3)
    log.blank(1)
    assert log.scan().file.end_index == 3


@pytest.mark.parametrize("frame", [0, 1])
def test_a_lost_frame_of_an_earlier_group_is_damage(tmp_path: Path, frame: int) -> None:
    log = Log(tmp_path)
    log.group(2)
    log.group(1)
    log.blank(frame)
    with pytest.raises(WalDamagedError):
        log.scan()


@pytest.mark.parametrize("at", [0, 50, 103, 104, 400, -1])
def test_any_byte_of_the_last_frame_may_be_torn(tmp_path: Path, at: int) -> None:
    log = Log(tmp_path)
    log.group(1)
    log.group(1)
    offset, size = log.spans[1]
    path = log.layout.wal_file(0)
    path.write_bytes(path.read_bytes()[: offset + at % size])
    scan = log.scan()
    assert scan.file.end_index == 3
    assert scan.torn_bytes == at % size


def test_a_frame_of_another_file_does_not_pass_for_ours(tmp_path: Path) -> None:
    mine, other = Log(tmp_path / "mine"), Log(tmp_path / "other")
    for log in (mine, other):
        log.group(1)
        log.group(1)
    data = mine.layout.wal_file(0).read_bytes()[: mine.spans[1][0]]
    stale = other.layout.wal_file(0).read_bytes()[other.spans[1][0] :]
    mine.layout.wal_file(0).write_bytes(data + stale)
    with pytest.raises(WalDamagedError, match="does not follow on"):
        mine.scan()


def test_a_missing_frame_is_noticed(tmp_path: Path) -> None:
    log = Log(tmp_path)
    for _ in range(3):
        log.group(1)
    data = log.layout.wal_file(0).read_bytes()
    (start, size) = log.spans[1]
    log.layout.wal_file(0).write_bytes(data[:start] + data[start + size :])
    with pytest.raises(WalDamagedError):
        log.scan()


@pytest.mark.parametrize("name", ["12.wal", "0000000000000012.wal.new", "000000000000001x.wal", "0000000000000012"])
def test_other_files_are_not_taken_for_the_log(name: str) -> None:
    assert parse_wal_name(name) is None
    assert parse_wal_name("0000000000000012.wal") == 12
