"""Files lie under their SHA-256, are written once, and are checked whenever they are read."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.release_world import digest

from tallystick.errors import StorageFullError
from tallystick.releases.errors import ObjectDamagedError
from tallystick.releases.objects import Objects, is_digest


def test_what_is_put_is_read_back(tmp_path: Path) -> None:
    objects = Objects(tmp_path / "objects", 0)
    name = objects.put(b"a file")
    assert name == digest(b"a file")
    assert objects.put(b"a file") == name
    assert objects.read(name) == b"a file"
    file, size = objects.open(name)
    with file:
        assert (file.read(), size) == (b"a file", 6)
    assert [path.name for path in (tmp_path / "objects").iterdir()] == [name]
    assert (tmp_path / "objects").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", [b"a filf", b"a fil", b"", b"a file and more"])
def test_a_file_that_is_not_what_was_stored_is_never_handed_out(tmp_path: Path, damage: bytes) -> None:
    objects = Objects(tmp_path, 0)
    name = objects.put(b"a file")
    (tmp_path / name).write_bytes(damage)
    with pytest.raises(ObjectDamagedError):
        objects.open(name)
    assert objects.put(b"a file") == name, "sending it again makes it whole"
    assert objects.read(name) == b"a file"


def test_a_file_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    objects = Objects(tmp_path, 0)
    name = objects.put(b"a file")
    (tmp_path / name).unlink()
    with pytest.raises(ObjectDamagedError, match="is gone"):
        objects.read(name)


def test_room_is_left_on_the_disk(tmp_path: Path) -> None:
    with pytest.raises(StorageFullError):
        Objects(tmp_path, 1 << 60).put(b"a file")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "a" * 63, "A" * 64, "g" * 64, "a" * 65, "../" + "a" * 61, "a" * 64 + "\n"])
def test_only_a_digest_names_a_file(text: str) -> None:
    assert not is_digest(text)
