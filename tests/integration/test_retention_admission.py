"""Rules of assignment reach every door, and outlive a start; what is gone without a right is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.installation import sample
from tests.retention_world import ANA, SHORT, RetentionWorld, facts, retention_world

from tallystick.api.record import HERE_BYTES_MAX
from tallystick.event.occurred import time_of_us
from tallystick.retain.model import Rule
from tallystick.segment.manifest import Manifest, format_manifest, parse_manifest
from tallystick.testing import ManualClock
from tallystick.verify.codes import Code
from tallystick.verify.service import load_trust, verify_target


def assign(world: RetentionWorld) -> int:
    number = world.room.service.define(ANA, "short", SHORT)
    change = world.room.service.assign(ANA, [Rule(number, action="report.*")], "reports")
    assert change is not None
    world.approved(change)
    return number


def classes(world: RetentionWorld) -> dict[str, set[int]]:
    """Return the classes of the events of others, by action."""
    found: dict[str, set[int]] = {}
    for row in world.rows().values():
        if row.source:
            found.setdefault(facts(row)["action"], set()).add(row.class_number)
    return found


def test_rules_hold_in_processes_that_admit_beside_the_server(tmp_path: Path) -> None:
    with retention_world(tmp_path, workers=1) as world:
        number = assign(world)
        many = [sample(action="report.opened", reason="x" * 200) for _ in range(100)]
        assert len(str(many)) > HERE_BYTES_MAX
        assert world.here.post([*many, sample()]).status_code == 201
        assert classes(world) == {"report.opened": {number}, "user.signed_in": {2}}


def test_rules_hold_after_a_start(tmp_path: Path) -> None:
    clock = ManualClock()
    with retention_world(tmp_path, clock) as world:
        number = assign(world)
    with retention_world(tmp_path, clock) as world:
        world.send(2)
        assert classes(world) == {"report.opened": {number}}
        assert world.room.service.assign(ANA, [], "no more") is None, "what is kept for longer asks nobody"
        world.send(1)
        assert classes(world) == {"report.opened": {number, 2}}


@pytest.mark.parametrize("told", [False, True])
def test_content_that_went_before_its_time_is_found_whatever_the_log_was_made_to_say(
    tmp_path: Path, told: bool
) -> None:
    with retention_world(tmp_path) as world:
        number = assign(world)
        world.send(6)
        world.seal()
        first, last = world.indexes("report.opened")[0], world.indexes("report.opened")[-1]
        world.wait(10)
        if told:
            world.here.instance.product.one(
                {
                    "action": "content.erased",
                    "actor": {"id": "tallystick", "type": "system"},
                    "target": {"type": "ledger", "id": "x"},
                    "scope": "tallystick",
                    "occurred_at": time_of_us(world.clock.now_us()),
                    "metadata": {
                        "ranges": [[first, last + 1 - first]],
                        "part": "all",
                        "ground": {"kind": "retention"},
                        "classes": [number],
                    },
                }
            )
        manifest_path = world.segments / "manifest.json"
        assert world.verified().findings == ()
    manifest = parse_manifest(manifest_path.read_bytes())
    kept = tuple(each for each in manifest.segments if each.class_number != number)
    assert len(kept) < len(manifest.segments)
    changed = Manifest(version=manifest.version + 1, sealed_size=manifest.sealed_size, segments=kept)
    manifest_path.write_bytes(format_manifest(changed))
    findings = verify_target(str(tmp_path / "data"), load_trust()).findings
    [missing] = [each for each in findings if each.code is Code.CONTENT_MISSING]
    assert ("had not passed" if told else "no erasure names it") in missing.message
