"""A backup brings nothing back that had to go meanwhile: it is destroyed again before anything is served."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyrage
from tests.installation import installation, settings
from tests.retention_world import ANA, SHORT, RetentionWorld, retention_world

from tallystick.cli.keep import restore
from tallystick.ledger.lineage import adopt
from tallystick.retain.model import Rule
from tallystick.server import open_instance
from tallystick.store.backup import save_backup
from tallystick.testing import ManualClock


def test_expired_content_of_a_backup_is_destroyed_before_it_is_served(tmp_path: Path) -> None:
    identity, clock = pyrage.x25519.Identity.generate(), ManualClock()
    (tmp_path / "key").write_text(str(identity))
    with retention_world(tmp_path / "first", clock) as world:
        number = world.room.service.define(ANA, "short", SHORT)
        change = world.room.service.assign(ANA, [Rule(number, action="report.*")], "reports")
        assert change is not None
        world.approved(change)
        world.send(10)
        world.seal()
        world.send(10)  # and some that the backup has unsealed
        save_backup(world.data, tmp_path / "backup.age", [identity.to_public()])
        world.seal()
        world.wait(100)
        assert world.room.runner.run("test").events == 20
    restored = tmp_path / "second"
    restore(tmp_path / "backup.age", tmp_path / "key", restored / "data")
    for key in (tmp_path / "first" / "data" / "keys").glob("*"):
        shutil.copy(key, restored / "data" / "keys" / key.name)
    there = settings(restored)
    with open_instance(
        there, opener=lambda *given, **more: adopt(*given, reason="test", **more), clock=clock
    ) as instance:
        served = [each.class_number for each in instance.ledger.snapshot().segments]
        assert number not in served
    with installation(restored, clock=clock) as here:
        world = RetentionWorld(here, clock, restored)
        world.room.worker.stop()
        assert world.indexes("report.opened") == []
        assert world.verified().findings == ()
