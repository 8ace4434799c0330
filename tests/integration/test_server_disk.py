"""Bad days of the disk, seen over HTTP: what is refused, what advice there is, and that it mends itself."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.installation import Installation, sample, settings

from tallystick.api.app import create_app
from tallystick.ledger.errors import EntryDamagedError, NotWritableError
from tallystick.ledger.ledger import Ledger
from tallystick.ledger.options import LedgerOptions
from tallystick.ledger.space import LOOK_EVERY_S
from tallystick.server import open_instance, open_or_create
from tallystick.testing.clock import ManualClock
from tallystick.testing.disk import Fault, FaultyDisk, Plan


@contextmanager
def _installation(root: Path, disk: FaultyDisk, clock: ManualClock) -> Iterator[Installation]:
    options = LedgerOptions(background=False)

    def opener(data: Path, state: Path, **others: Any) -> Ledger:
        return open_or_create()(data, state, **{**others, "disk": disk, "options": options})

    with (
        open_instance(settings(root), opener=opener, clock=clock) as instance,
        TestClient(create_app(instance.services), raise_server_exceptions=False) as http,
    ):
        yield Installation(instance, http)


def test_below_the_reserve_events_get_507_and_are_taken_again_when_there_is_space(tmp_path: Path) -> None:
    disk, clock = FaultyDisk(tmp_path), ManualClock()
    with _installation(tmp_path, disk, clock) as house:
        house.token()
        assert house.post(sample()).status_code == 201
        size = house.instance.ledger.status().acknowledged.size
        disk.free = 1 << 20
        clock.advance(LOOK_EVERY_S)
        answer = house.post(sample())
        assert (answer.status_code, answer.json()["code"]) == (507, "storage-full")
        assert "Free space" in answer.json()["advice"]
        assert house.instance.ledger.status().acknowledged.size == size
        assert house.get("/api/v1/events").json()["events"], "what is there can still be read, and that be recorded"
        disk.free = 1 << 40
        clock.advance(LOOK_EVERY_S)
        assert house.post(sample()).status_code == 201


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        (errno.EIO, (503, "write-failed")),
        (errno.EROFS, (503, "write-failed")),
        (errno.ENOSPC, (507, "storage-full")),
    ],
    ids=["broken", "read-only", "full"],
)
def test_a_write_that_fails_promises_nothing_and_the_same_events_are_taken_afterwards(
    tmp_path: Path, error: int, refusal: tuple[int, str]
) -> None:
    disk, clock = FaultyDisk(tmp_path), ManualClock()
    event = sample(id="0b7c38a6-3a29-4cc4-9b6a-333333333333")
    with _installation(tmp_path, disk, clock) as house:
        house.token()
        disk.plan(Plan(0, Fault.BEFORE, error=error))
        answer = house.post(event)
        assert (answer.status_code, answer.json()["code"]) == refusal
        assert answer.json()["advice"]
        disk.heal()
        receipts = [house.post(event).json()["events"][0] for _ in range(2)]
        assert receipts[0]["index"] == receipts[1]["index"]
        assert receipts[1]["repeated"] is True


def test_a_ledger_that_found_damage_is_not_ready_takes_nothing_and_says_so(tmp_path: Path) -> None:
    with _installation(tmp_path, FaultyDisk(tmp_path), ManualClock()) as house:
        house.token()
        assert house.http.get("/readyz").status_code == 200
        assert house.post(sample(reason="x" * 500)).status_code == 201
        newest = max((tmp_path / "data").glob("ledger/*/wal/*.wal"))
        with newest.open("r+b") as file:
            file.seek(-60, os.SEEK_END)
            file.write(b"\xff")
        with pytest.raises(EntryDamagedError):
            house.instance.ledger.advance()
        ready = house.http.get("/readyz")
        assert (ready.status_code, ready.json()["read_only"]) == (503, True)
        assert house.http.get("/healthz").status_code == 200
        assert "tallystick_ledger_read_only 1.0" in house.get("/metrics").text
        answer = house.post(sample())
        assert (answer.status_code, answer.json()["code"]) == (503, "ledger-read-only")
        assert "tallystick doctor" in answer.json()["advice"]


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder with an installation, on a file system that is then mounted read-only."""
    place = tmp_path / "mounted"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a file system")
    try:
        with open_instance(settings(place)):
            pass
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def test_a_disk_mounted_read_only_is_named_with_what_to_do(read_only: Path) -> None:
    with pytest.raises(NotWritableError) as caught, open_instance(settings(read_only)):
        pass
    assert "mounted for writing" in caught.value.advice
