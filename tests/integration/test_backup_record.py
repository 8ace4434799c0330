"""Backups on record: each is one event, taken from the note that the command leaves; and what a restored copy makes again."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pyrage
from tests.installation import Installation, installation, sample, settings
from tests.permission_rows import bearer
from tests.web_pages import HTML

from tallystick.access.operator import OPERATOR
from tallystick.access.permissions import Permission
from tallystick.cli.keep import restore
from tallystick.server import open_instance
from tallystick.store.backup import restore_backup, save_backup
from tallystick.store.backup_notes import FOLDER, BackupNote, leave_note
from tallystick.testing import ManualClock

DEADLINE_S = 60.0


def note(made_at: int, **changes: object) -> BackupNote:
    fields = {"what": "created", "name": "audit.tar.age", "size": 7, "bytes": 4096, "sha256": "ab" * 32, **changes}
    return BackupNote(id="0b0e2b2e-9f57-4f6c-a8a5-6c9a3f4c1d11", made_at=made_at, **fields)  # type: ignore[arg-type]


def check(house: Installation, name: str) -> tuple[str, str]:
    found = next(each for each in house.instance.services.health.look(OPERATOR).checks if each.name == name)
    return found.state, found.found


def wait_for(house: Installation, action: str) -> None:
    start = time.monotonic()
    while action not in house.actions():
        assert time.monotonic() - start < DEADLINE_S
        time.sleep(0.02)


def test_a_backup_that_is_made_while_a_server_runs_is_on_record_and_its_age_on_the_health_page(tmp_path: Path) -> None:
    clock = ManualClock()
    with installation(tmp_path, clock=clock) as house:
        assert check(house, "Backup")[0] == "unknown"
        leave_note(house.instance.settings.data, note(clock.now_us()))
        wait_for(house, "backup.created")
        clock.advance(36 * 3600)
        house.post([sample()])
        assert check(house, "Backup") == ("good", "the last one is 1.5 days old")
        settled = bearer(house, {Permission.HEALTH_READ})
        assert "the last one is 1.5 days old" in house.get("/health", {**HTML, **settled}).text
        found = house.get("/api/v1/events", query="action:backup.created").json()["events"][0]["event"]
        assert found["metadata"] == {"name": "audit.tar.age", "size": 7, "bytes": 4096, "sha256": "ab" * 32}


def test_a_note_that_is_taken_twice_is_one_event(tmp_path: Path) -> None:
    clock = ManualClock()
    for _ in range(2):  # as after a crash between the event and the end of the note
        leave_note(settings(tmp_path).data, note(clock.now_us()))
        with installation(tmp_path, clock=clock) as house:
            assert house.actions().count("backup.created") == 1
            assert list((house.instance.settings.data / FOLDER).iterdir()) == []


def test_a_directory_that_was_restored_says_so_at_its_first_start(tmp_path: Path) -> None:
    with installation(tmp_path) as house:
        house.post(sample())
    data, identity = settings(tmp_path).data, pyrage.x25519.Identity.generate()
    save_backup(data, tmp_path / "copy.age", [identity.to_public()])
    secret, back = tmp_path / "identity", tmp_path / "elsewhere"
    secret.write_text(str(identity), encoding="utf-8")
    restore(tmp_path / "copy.age", secret, back / "data")
    for key in (data / "keys").glob("*.signing-key"):
        shutil.copy2(key, back / "data" / "keys")
    (tmp_path / "state").rename(back / "state")
    for _ in range(2):
        with installation(back) as house:
            answer = house.get("/api/v1/events", query="action:backup.restored").json()["events"]
            (found,) = [each["event"]["metadata"] for each in answer]
            assert (found["name"], found["bytes"]) == ("copy.age", (tmp_path / "copy.age").stat().st_size)


def test_what_is_no_note_is_left_alone_and_stops_nothing(tmp_path: Path) -> None:
    clock = ManualClock()
    folder = settings(tmp_path).data / FOLDER
    leave_note(settings(tmp_path).data, note(clock.now_us()))
    (folder / "torn.json").write_bytes(b'{"id": "')
    (folder / "elsewhere.json").write_bytes((next(folder.glob("0b0e*"))).read_bytes())
    with installation(tmp_path, clock=clock) as house:
        assert house.actions().count("backup.created") == 1
        assert sorted(path.name for path in folder.iterdir()) == ["elsewhere.json", "torn.json"]


def test_the_health_page_says_how_many_exports_wait(tmp_path: Path) -> None:
    with installation(tmp_path) as house:
        assert check(house, "Exports") == ("good", "0 waiting or running")


def test_the_figures_of_senders_are_not_backed_up_and_a_restored_copy_counts_them_again(tmp_path: Path) -> None:
    clock = ManualClock()
    with installation(tmp_path, clock=clock) as house:
        house.post([sample(), sample()])
        number = house.instance.services.sources.get(OPERATOR, "tester").number
        counted = house.instance.services.sources.figures()[number]
    data = settings(tmp_path).data
    assert (data / "followers" / "sources.json").exists()
    identity = pyrage.x25519.Identity.generate()
    save_backup(data, tmp_path / "copy.age", [identity.to_public()])
    back = tmp_path / "elsewhere"
    restore_backup(tmp_path / "copy.age", back / "data", [identity])
    assert not (back / "data" / "followers").exists()
    for key in (data / "keys").glob("*.signing-key"):
        shutil.copy2(key, back / "data" / "keys")
    (tmp_path / "state").rename(back / "state")
    with open_instance(settings(back), clock=clock) as restored:
        assert restored.services.sources.figures()[number] == counted
