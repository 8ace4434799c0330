"""kill -9 of the process that destroys content: gone on with afterwards, it leaves the very same log, tables and bytes."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests import postgresql
from tests.installation import installation
from tests.retention_world import ANA, SHORT, RetentionWorld, retention_world

from tallystick.retain.model import Rule
from tallystick.store.tables.evidence import ERASURE
from tallystick.store.tables.retention import RETENTION_CHANGE, RETENTION_REQUEST, RETENTION_RULE
from tallystick.testing import ManualClock

SECRET = "zelda.unmistakable@example.org"
NAME = "Zelda Unmistakable"
HER = {"id": SECRET, "type": "user", "name": NAME, "email": SECRET}
ROOT = Path(__file__).resolve().parents[2]
RANDOM_KILLS = 1
SPINS_MAX = 200_000

pytestmark = pytest.mark.skipif(postgresql.wanted(), reason="each copy of the folder needs tables of its own")

Point = Callable[[Path], bool]


def order_written(root: Path) -> bool:
    return (root / "data/ledger/main/erasing.json").exists()


def segment_begun(root: Path) -> bool:
    return any((root / "data/segments/main").glob("*.g[1-9]"))


def manifest_swapped(root: Path) -> bool:
    return b".g1" in (root / "data/segments/main/manifest.json").read_bytes()


def order_gone(root: Path) -> bool:
    return manifest_swapped(root) and not order_written(root)


def at_random(seed: int) -> Point:
    """Return a point that is reached after some looks at the folder, however far the process is by then."""
    left = iter(range(random.Random(seed).randrange(SPINS_MAX), -1, -1))
    return lambda _: next(left, 0) == 0


POINTS: tuple[Point, ...] = (
    order_written,
    segment_begun,
    manifest_swapped,
    order_gone,
    *(at_random(seed) for seed in range(RANDOM_KILLS)),
)


def killed(root: Path, now_us: int, point: Point) -> bool:
    """Destroy what is due in another process, kill it at a point, and return whether it was killed before it was done."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.retention_child", str(root), str(now_us)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "begins\n"
        while child.poll() is None and not point(root):
            pass
        child.kill()
        return child.stdout.read() == ""


def expiring(world: RetentionWorld) -> None:
    """Let a class lose what is old, and the personal part of what is not so old."""
    number = world.room.service.define(ANA, "short", SHORT)
    change = world.room.service.assign(ANA, [Rule(number, action="report.*")], "reports")
    assert change is not None
    world.approved(change)
    world.send(20, actor=HER)
    world.seal()
    world.wait(60)
    world.send(20, actor=HER)
    world.send(10, action="user.signed_in")
    world.seal()
    world.wait(35)
    world.send(1, action="user.signed_in")  # the log notices the time
    world.seal()


def person(world: RetentionWorld) -> None:
    """Let two people decide that somebody's data goes."""
    world.send(10)
    world.send(10, actor=HER)
    world.send(3, message=f"mail to {SECRET} bounced")
    world.seal()
    change, _ = world.room.people.request(ANA, [SECRET, NAME], "she asked")
    world.approved(change)
    world.seal()


@contextmanager
def opened(root: Path, now_us: int) -> Iterator[RetentionWorld]:
    clock = ManualClock(now_us)
    with installation(root, clock=clock) as here:
        world = RetentionWorld(here, clock, root)
        world.room.worker.stop()
        yield world


def finished(root: Path, now_us: int) -> dict[str, Any]:
    """Go on to the end, check everything, and return what has to be the same however often it was interrupted."""
    with opened(root, now_us) as world:
        world.room.runner.run("test")
        assert world.verified().findings == ()
        rows = world.rows()
        erased = [json.loads(rows[index].facts or b"")["metadata"] for index in world.indexes("content.erased")]
        with world.here.instance.projection.engine.connect() as connection:
            tables = {
                table.name: sorted(
                    str([value for name, value in row.items() if name not in ("erased_index", "erased_at")])
                    for row in connection.execute(select(table)).mappings()
                )
                for table in (ERASURE, RETENTION_CHANGE, RETENTION_REQUEST, RETENTION_RULE)
            }
        assert not order_written(root)
        return {
            "rows": {index: row for index, row in rows.items() if row.source != 0},
            "erased": erased,
            "tables": tables,
        }


def traces(root: Path) -> list[Path]:
    found = (path for path in root.rglob("*") if path.is_file())
    return [path for path in found if SECRET.encode() in path.read_bytes() or NAME.encode() in path.read_bytes()]


@pytest.mark.slow
@pytest.mark.parametrize("story", [expiring, person])
def test_an_erasure_that_was_killed_ends_as_if_it_never_had_been(
    tmp_path: Path, story: Callable[[RetentionWorld], None]
) -> None:
    with retention_world(tmp_path / "begun") as world:
        story(world)
        now_us = world.clock.now_us()
    assert traces(tmp_path / "begun")
    shutil.copytree(tmp_path / "begun", tmp_path / "whole")
    expected = finished(tmp_path / "whole", now_us)
    assert expected["erased"]
    assert traces(tmp_path / "whole") == []
    interrupted = 0
    for number, point in enumerate(POINTS):
        root = tmp_path / f"killed-{number}"
        shutil.copytree(tmp_path / "begun", root)
        interrupted += killed(root, now_us, point)
        assert finished(root, now_us) == expected, point
        assert traces(root) == [], point
        shutil.rmtree(root)
    assert interrupted >= 2, "the process was killed in the middle"
