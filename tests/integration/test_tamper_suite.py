from __future__ import annotations

from pathlib import Path

import pytest
from tests.tamper_attacks import ATTACKS, Attack
from tests.tamper_world import Scene, build_world

from tallystick.verify.directory import verify_directory
from tallystick.verify.model import ExitStatus, Report, Tier
from tallystick.verify.service import load_trust


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return build_world(tmp_path_factory.mktemp("tamper") / "world")


@pytest.fixture
def scene(world: Scene, tmp_path: Path) -> Scene:
    return world.copy(tmp_path / "scene")


def anchored(scene: Scene) -> Report:
    return verify_directory(scene.data, load_trust(against=scene.kept))


def witnessed(scene: Scene) -> Report:
    policy = scene.root / "policy"
    policy.write_bytes(scene.policy)
    return verify_directory(scene.data, load_trust(policy=policy))


def pinned(scene: Scene) -> Report:
    return verify_directory(scene.data, load_trust(keys=[scene.vkey]))


def test_the_untouched_log_holds_for_every_reader(scene: Scene) -> None:
    alone = verify_directory(scene.data)
    assert alone.exit_status is ExitStatus.HOLDS, alone.sentence
    assert alone.tier is Tier.SELF_CONSISTENT
    assert [each.covers for each in alone.erasures] == [5, 5]
    for report, tier in ((anchored(scene), Tier.ANCHORED), (witnessed(scene), Tier.WITNESSED)):
        assert report.exit_status is ExitStatus.HOLDS, report.sentence
        assert (report.tier, report.tier_size, report.size) == (tier, 548, 560)
        assert "the newest 12 only self-consistent" in report.sentence
    assert pinned(scene).exit_status is ExitStatus.HOLDS


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_each_reader_is_told_exactly_what_that_reader_can_know(attack: Attack, scene: Scene) -> None:
    attack.do(scene)
    alone = verify_directory(scene.data)
    if attack.alone is not None:
        assert alone.exit_status is ExitStatus.FINDING, alone.sentence
        assert alone.findings[0].code is attack.alone, alone.findings
        assert alone.findings[0].message in alone.sentence
        return
    assert alone.exit_status is ExitStatus.HOLDS, alone.sentence
    assert alone.tier is Tier.SELF_CONSISTENT
    assert "valid" not in alone.sentence
    readers = (
        (attack.against, anchored(scene), Tier.ANCHORED),
        (attack.witness, witnessed(scene), Tier.WITNESSED),
        (attack.key, pinned(scene), Tier.SELF_CONSISTENT),
    )
    for code, report, tier in readers:
        if code is None:
            assert report.exit_status is ExitStatus.HOLDS, (tier, report.sentence)
            assert report.tier is tier
            assert tier is Tier.SELF_CONSISTENT or report.tier_size <= 548
        else:
            assert report.exit_status is ExitStatus.FINDING, (tier, report.sentence)
            assert report.findings[0].code is code, report.findings


def test_a_reader_who_keeps_checkpoints_notices_whatever_a_reader_without_any_does(scene: Scene) -> None:
    caught_alone = next(attack for attack in ATTACKS if attack.name == "edit_a_fact")
    caught_alone.do(scene)
    for report in (anchored(scene), witnessed(scene), pinned(scene)):
        assert report.findings[0].code is caught_alone.alone


def test_content_that_came_back_shows_as_an_erasure_of_nothing(scene: Scene) -> None:
    next(attack for attack in ATTACKS if attack.name == "bring_erased_content_back").do(scene)
    assert [each.covers for each in verify_directory(scene.data).erasures] == [0, 0]


def test_there_are_enough_attacks_of_every_kind() -> None:
    assert len(ATTACKS) >= 25
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
    assert {attack.caught_by for attack in ATTACKS} >= {"the ledger alone", "a witness", "nobody"}
