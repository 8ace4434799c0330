from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tallystick.store.files import Disk, LocalDisk
from tallystick.testing import Afterwards, Fault, FaultyDisk, Keep, Plan


@pytest.fixture(params=["local", "faulty"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Disk:
    return LocalDisk() if request.param == "local" else FaultyDisk(tmp_path / "root")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir(exist_ok=True)
    return root


def test_a_new_file_never_replaces_an_old_one(disk: Disk, root: Path) -> None:
    disk.create_new(root / "a", b"one")
    with pytest.raises(FileExistsError):
        disk.create_new(root / "a", b"two")
    assert disk.read(root / "a") == b"one"
    with pytest.raises(FileExistsError):
        disk.open_append(root / "a")


def test_replacing_gives_the_new_content_and_mode_and_leaves_nothing_beside(disk: Disk, root: Path) -> None:
    disk.replace(root / "a", b"one", mode=0o600)
    disk.replace(root / "a", b"two", mode=0o600)
    assert (disk.read(root / "a"), disk.mode(root / "a"), disk.names(root)) == (b"two", 0o600, ["a"])


def test_many_files_are_put_with_their_directories_whatever_lay_there(disk: Disk, root: Path) -> None:
    files = [(root / f"x{at % 3}" / f"{at}", b"%d" % at * 100) for at in range(300)]
    disk.put_all(files[:150])
    files[0][0].write_bytes(b"a torn left-over")
    disk.put_all(files)
    assert all(disk.read(path) == data for path, data in files)


def test_appending_takes_any_number_of_buffers_in_order(disk: Disk, root: Path) -> None:
    file = disk.open_append(root / "log")
    buffers = [os.urandom(at % 37) for at in range(3000)]
    file.write_all(buffers)
    file.sync()
    assert file.size_bytes == sum(map(len, buffers))
    assert disk.read(root / "log") == b"".join(buffers)
    reader = disk.open_read(root / "log")
    assert reader.read_at(5, 10) == b"".join(buffers)[5:15]
    assert reader.read_at(reader.size_bytes() - 3, 10) == b"".join(buffers)[-3:]
    file.close()


def test_a_reader_keeps_what_it_opened_when_the_name_goes(disk: Disk, root: Path) -> None:
    disk.create_new(root / "a", b"one")
    reader = disk.open_read(root / "a")
    disk.unlink(root / "a")
    disk.unlink(root / "a")
    assert reader.read_at(0, 3) == b"one"
    assert not disk.exists(root / "a")


def test_trees_are_made_and_removed(disk: Disk, root: Path) -> None:
    disk.mkdirs(root / "a" / "b")
    disk.mkdirs(root / "a" / "b")
    disk.create_new(root / "a" / "b" / "c", b"")
    disk.remove_tree(root / "a")
    disk.remove_tree(root / "a")
    assert disk.names(root) == []
    assert disk.names(root / "a") == []
    disk.mkdirs(root / "a" / "b")
    assert disk.names(root / "a") == ["b"]


def test_a_power_cut_takes_what_was_not_synced(tmp_path: Path) -> None:
    disk = FaultyDisk(tmp_path / "root")
    file = disk.open_append(disk.root / "log")
    file.write_all([b"kept"])
    file.sync()
    file.write_all([b" lost"])
    file.close()
    disk.create_new(disk.root / "a", b"")
    disk.rename(disk.root / "a", disk.root / "b")
    disk.cut_power(Keep.NOTHING)
    assert disk.read(disk.root / "log") == b"kept"
    assert disk.names(disk.root) == ["a", "log"]


def test_a_name_synced_into_an_unsynced_directory_goes_with_it(tmp_path: Path) -> None:
    disk = FaultyDisk(tmp_path / "root")
    (disk.root / "new").mkdir()  # by someone who forgets the parent
    disk.create_new(disk.root / "new" / "a", b"x")
    disk.cut_power(Keep.NOTHING)
    assert disk.names(disk.root) == []


def test_a_removal_that_was_not_synced_comes_back(tmp_path: Path) -> None:
    disk = FaultyDisk(tmp_path / "root")
    disk.mkdirs(disk.root / "d")
    disk.create_new(disk.root / "d" / "a", b"x")
    disk.remove_tree(disk.root / "d")
    disk.cut_power(Keep.NOTHING)
    assert disk.read(disk.root / "d" / "a") == b"x"


def test_after_a_kill_the_kernel_still_has_everything(tmp_path: Path) -> None:
    disk = FaultyDisk(tmp_path / "root")
    file = disk.open_append(disk.root / "log")
    file.write_all([b"unsynced"])
    file.close()
    disk.cut_power(Keep.EVERYTHING)
    assert disk.read(disk.root / "log") == b"unsynced"


def test_a_power_cut_may_keep_any_prefix(tmp_path: Path) -> None:
    found = set()
    for seed in range(40):
        disk = FaultyDisk(tmp_path / f"root{seed}")
        file = disk.open_append(disk.root / "log")
        file.write_all([b"abc"])
        file.close()
        disk.cut_power(Keep.SOME, seed)
        found.add(disk.read(disk.root / "log"))
    assert found == {b"", b"a", b"ab", b"abc"} or found >= {b"", b"abc"}
    assert len(found) > 2


@pytest.mark.parametrize(("fault", "left"), [(Fault.BEFORE, b""), (Fault.TEAR, b"ab"), (Fault.AFTER, b"abcd")], ids=str)
def test_the_planned_step_fails_as_planned(tmp_path: Path, fault: Fault, left: bytes) -> None:
    disk = FaultyDisk(tmp_path / "root")
    file = disk.open_append(disk.root / "log")
    disk.plan(Plan(0, fault))
    with pytest.raises(OSError, match="made to fail: append log"):
        file.write_all([b"abcd"])
    assert disk.read(disk.root / "log") == left
    with pytest.raises(AssertionError, match="failed before"):
        file.sync()
    file.close()


def test_a_dead_disk_answers_nothing_until_the_power_is_back(tmp_path: Path) -> None:
    disk = FaultyDisk(tmp_path / "root", Plan(0, Fault.BEFORE, Afterwards.DIE))
    for _ in range(random.randint(2, 5)):
        with pytest.raises(OSError, match=r"made to fail|gone"):
            disk.replace(disk.root / "a", b"")
    disk.cut_power(Keep.NOTHING)
    disk.replace(disk.root / "a", b"")
