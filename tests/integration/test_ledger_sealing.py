from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ledger_home import Home

from tallystick.ledger import Rotation
from tallystick.ledger.errors import SealFailedError
from tallystick.ledger.seal import ProcessSealer

SOURCE = 4


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.end()


def test_a_full_file_becomes_segments_and_goes(home: Home) -> None:
    home.configure(rotation=Rotation(events=100))
    ledger = home.create()
    ledger.append(home.maker.batch(100), SOURCE)
    ledger.append(home.maker.batch(10), SOURCE)
    ledger.advance()
    assert [(entry.class_number, entry.events) for entry in ledger.snapshot().segments] == [(1, 4), (2, 100)]
    assert [path.name for path in home.layout.wal.iterdir()] == ["0000000000000104.wal"]


def test_an_old_file_is_closed_though_it_is_not_full(home: Home) -> None:
    ledger = home.create()
    ledger.append(home.maker.batch(1), SOURCE)
    home.clock.advance(86_401)
    ledger.append(home.maker.batch(1), SOURCE)
    ledger.advance()
    assert ledger.snapshot().sealed_size == 5


def test_only_committed_files_are_sealed(home: Home) -> None:
    ledger = home.create()
    ledger.append(home.maker.batch(1), SOURCE)
    ledger.rotate()
    assert not ledger._parts.sealing.seal_next()
    ledger.advance()
    assert ledger.snapshot().sealed_size == 5


def test_a_process_seals_and_one_that_died_is_replaced(home: Home) -> None:
    ledger = home.create()
    ledger.append(home.maker.batch(10), SOURCE)
    ledger.rotate()
    sealer = ProcessSealer()
    home.disk.mkdirs(home.layout.segments)
    made = sealer.seal(home.layout.wal_file(0), home.layout.segments)
    assert sum(entry.events for entry in made) == 14
    with pytest.raises(SealFailedError):
        sealer.seal(home.layout.wal_file(999), home.layout.segments)
    assert sealer._child is not None
    sealer._child.kill()
    with pytest.raises(SealFailedError):
        sealer.seal(home.layout.wal_file(0), home.layout.segments)
    for path in home.layout.segments.iterdir():
        home.disk.remove_tree(path)
    assert len(sealer.seal(home.layout.wal_file(0), home.layout.segments)) == 2
    sealer.close()
    with pytest.raises(SealFailedError):
        sealer.seal(home.layout.wal_file(0), home.layout.segments)


def test_segment_folders_that_no_manifest_names_are_removed_at_start(home: Home) -> None:
    home.create().close()
    for name in ("0-4.c1.g0", "0-4.c1.g1.new", "notes"):
        home.disk.mkdirs(home.layout.segments / name)
    home.open()
    assert [path.name for path in home.layout.segments.iterdir()] == ["notes"]
