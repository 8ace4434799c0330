"""A backup from before a person's erasure: what two people decided afterwards is done again before anything is served."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyrage
import pytest
from tests.installation import installation, settings
from tests.retention_world import ANA, RetentionWorld, retention_world

from tallystick.access.operator import OPERATOR
from tallystick.cli.keep import restore
from tallystick.ledger.errors import ErasureRecordError, RolledBackError
from tallystick.ledger.ledger import Ledger
from tallystick.ledger.lineage import adopt, succeed
from tallystick.retain.model import Hold
from tallystick.server import open_instance
from tallystick.store.backup import save_backup
from tallystick.testing import ManualClock
from tallystick.verify.service import load_trust, verify_target

SECRET = "zelda.unmistakable@example.org"
NAME = "Zelda Unmistakable"
HER = {"id": SECRET, "type": "user", "name": NAME, "email": SECRET}
Opener = Callable[..., Ledger]


class Story:
    """A backup from before her erasure, which is still encrypted and restored at will."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock = ManualClock()
        self.identity = pyrage.x25519.Identity.generate()
        (root / "key").write_text(str(self.identity))

    @property
    def first(self) -> Path:
        return self.root / "first"

    def happen(self, *, sealed: bool = True, hold: Hold | None = None) -> None:
        """Send, back up, and then have her erased."""
        with retention_world(self.first, self.clock) as world:
            world.send(5)
            world.send(3, actor=HER)
            if hold is not None:
                world.room.service.place(ANA, hold)
            if sealed:
                world.seal()
            world.here.instance.ledger.wait_committed(world.here.instance.ledger.snapshot().size, 60)
            save_backup(world.data, self.root / "backup.age", [self.identity.to_public()])
            if hold is not None:
                world.approved(world.room.service.release(ANA, hold.hold, "over"))
            world.seal()
            change, found = world.room.people.request(ANA, [SECRET, NAME], "she asked")
            assert found.events == 3
            world.approved(change)
            world.seal()
            world.room.runner.run("test")
            assert world.room.people.find(ANA, [SECRET, NAME]).events == 0

    def restored(self, *, keeps_record: bool) -> Path:
        """Unpack it where the state directory still is; return the new root."""
        there = self.root / "second"
        restore(self.root / "backup.age", self.root / "key", there / "data")
        shutil.copytree(self.first / "state", there / "state")
        for key in (self.first / "data" / "keys").glob("*"):
            shutil.copy(key, there / "data" / "keys" / key.name)
        if not keeps_record:
            for record in (there / "state").glob("*.last-signed"):
                record.unlink()
        return there

    @contextmanager
    def opened(self, root: Path, opener: Opener | None = None) -> Iterator[RetentionWorld]:
        if opener is not None:
            with open_instance(settings(root), opener=_because(opener), clock=self.clock):
                pass
        with installation(root, clock=self.clock) as here:
            world = RetentionWorld(here, self.clock, root)
            world.room.worker.stop()
            yield world


def _because(opener: Opener) -> Opener:
    return lambda *given, **more: opener(*given, reason="test", **more)


def traces(root: Path) -> list[str]:
    """Return the files below a folder that hold her name."""
    files = (path for path in root.rglob("*") if path.is_file())
    return [str(path) for path in files if any(each in path.read_bytes() for each in (SECRET.encode(), NAME.encode()))]


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path)


@pytest.mark.parametrize("sealed", [True, False])
def test_an_adopted_backup_forgets_a_person_whose_erasure_it_does_not_know(story: Story, sealed: bool) -> None:
    story.happen(sealed=sealed)
    root = story.restored(keeps_record=False)
    with story.opened(root, adopt) as world:
        rows = [row.personal for row in world.rows().values() if row.personal]
        assert not any(NAME.encode() in row or SECRET.encode() in row for row in rows)
        assert len(world.indexes("erasure.requested")) == 1
        asked = next(row for row in world.rows().values() if row.index == world.indexes("erasure.requested")[0])
        assert asked.facts is not None
        assert b'"restated"' in asked.facts
        assert b'"p-ana"' in asked.facts
    with story.opened(root) as world:
        assert len(world.indexes("erasure.requested")) == len(world.indexes("erasure.approved")) == 1
        assert world.verified().findings == ()
    assert traces(root) == []


@pytest.mark.parametrize("sealed", [True, False])
def test_what_a_succeeded_log_left_behind_loses_the_person_too(story: Story, sealed: bool) -> None:
    story.happen(sealed=sealed)
    root = story.restored(keeps_record=True)
    with pytest.raises(RolledBackError), story.opened(root):
        pass
    assert sealed is False or traces(root), "the copy has her"
    with story.opened(root, succeed) as world:
        told = len(world.indexes("content.erased"))
        assert told >= 1
        assert world.verified().findings == ()
    assert traces(root) == []
    with story.opened(root) as world:
        assert len(world.indexes("content.erased")) == told
        assert len(world.indexes("erasure.requested")) == len(world.indexes("erasure.approved")) == 1
    old = verify_target(str(root / "data"), load_trust(), name="main")
    assert old.findings == ()
    assert sum(each.covers for each in old.erasures) == 3


def test_a_hold_of_the_restored_log_keeps_its_part_and_says_so(story: Story) -> None:
    story.happen(hold=Hold("case-7", "legal", "court", None, 0, 0, classes=(2,)))
    root = story.restored(keeps_record=False)
    with story.opened(root, adopt) as world:
        assert world.room.people.find(ANA, [SECRET]).events == 3
        alerts = world.here.instance.services.alerts.reading.list(OPERATOR).alerts
        assert [each.kind for each in alerts if each.kind.startswith("retention.")] == ["retention.restored_held"]
        assert world.verified().findings == ()
        world.approved(world.room.service.release(ANA, "case-7", "over"))
        world.room.runner.run("test")
        assert world.room.people.find(ANA, [SECRET]).events == 0
        assert world.verified().findings == ()


def test_a_damaged_record_stops_the_start(story: Story) -> None:
    story.happen()
    root = story.restored(keeps_record=False)
    [record] = (root / "state").glob("*.erasures/*.json")
    record.write_bytes(record.read_bytes().replace(b'"personal"', b'"all"'))
    with pytest.raises(ErasureRecordError), story.opened(root, adopt):
        pass


def test_a_record_names_nobody_but_by_id(story: Story) -> None:
    story.happen()
    records = list((story.first / "state").glob("*.erasures/*.json"))
    assert records
    assert traces(story.first / "state") == []
    assert all(b"she asked" not in path.read_bytes() for path in records)
