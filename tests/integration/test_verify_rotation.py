from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.tamper_world import GITLAB, Scene, build_world

from tallystick.ledger import product_admission
from tallystick.verify.codes import Code
from tallystick.verify.directory import verify_directory
from tallystick.verify.model import ExitStatus, Tier
from tallystick.verify.service import load_trust


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return build_world(tmp_path / "world")


def test_a_reader_who_pinned_the_old_key_follows_the_log_to_its_new_one(scene: Scene) -> None:
    old = load_trust(keys=[scene.vkey])
    scene.run(lambda ledger: ledger.rotate_key(product_admission(scene.admission), "yearly"))
    assert verify_directory(scene.data, old).exit_status is ExitStatus.HOLDS, "both keys sign"
    bridge = scene.root / "bridge"
    shutil.copy(scene.data / "ledger/main/checkpoint", bridge)

    scene.run(lambda ledger: ledger.retire_key(product_admission(scene.admission)))
    scene.run(lambda ledger: ledger.append(scene.events(5), GITLAB))
    assert verify_directory(scene.data).exit_status is ExitStatus.HOLDS
    alone = verify_directory(scene.data, old)
    assert alone.findings[0].code is Code.KEY_UNTRUSTED, "the new key cannot appoint itself"
    before = verify_directory(scene.data, load_trust(keys=[scene.vkey], against=scene.kept))
    assert before.findings[0].code is Code.KEY_UNTRUSTED, "nor do checkpoints from before the change vouch for it"
    kept = verify_directory(scene.data, load_trust(keys=[scene.vkey], against=[bridge]))
    assert (kept.exit_status, kept.tier) == (ExitStatus.HOLDS, Tier.ANCHORED), kept.sentence


def test_witnesses_of_the_change_bridge_it_too(scene: Scene) -> None:
    scene.run(lambda ledger: ledger.rotate_key(product_admission(scene.admission), "yearly"))
    scene.cosign()
    scene.run(lambda ledger: ledger.retire_key(product_admission(scene.admission)))
    scene.run(lambda ledger: ledger.append(scene.events(5), GITLAB))
    policy = scene.root / "policy"
    policy.write_bytes(scene.policy)
    report = verify_directory(scene.data, load_trust(policy=policy))
    assert (report.exit_status, report.tier) == (ExitStatus.HOLDS, Tier.WITNESSED), report.sentence
