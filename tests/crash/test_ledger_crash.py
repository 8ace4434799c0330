"""Every step that the ledger takes on disk is made to fail, to tear, or to be the last before the lights go out."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest
from tests.crash.ledger_story import Story

from tallystick.testing import Afterwards, Fault, Keep, Plan

ENDINGS = [
    pytest.param(Afterwards.RECOVER, None, id="passing-error"),
    pytest.param(Afterwards.DIE, None, id="kill"),
    pytest.param(Afterwards.DIE, Keep.NOTHING, id="power-cut-keeps-nothing"),
    pytest.param(Afterwards.DIE, Keep.SOME, id="power-cut-keeps-some"),
    pytest.param(Afterwards.RECOVER, Keep.SOME, id="passing-error-then-power-cut"),
]
STRIDE = 29


def steps_of_story(folder: Path) -> list[str]:
    story = Story(folder)
    story.tell()
    assert story.witnessed.errors == []
    story.end(None)
    return list(story.disk.steps)


def interrupt(folder: Path, plan: Plan, keep: Keep | None, seed: int) -> Story:
    story = Story(folder)
    story.disk.plan(plan)
    story.tell()
    assert story.disk.failed is not None, "the story has fewer steps than planned"
    story.end(keep, seed)
    return story


def points(folder: Path, stride: int) -> list[tuple[int, Fault]]:
    steps = steps_of_story(folder)
    every = [
        (step, fault)
        for (step, name), fault in itertools.product(enumerate(steps), Fault)
        if fault is not Fault.TEAR or name.startswith(("write", "append"))
    ]
    return every[random.randrange(stride) :: stride]


def run(tmp_path: Path, afterwards: Afterwards, keep: Keep | None, stride: int) -> None:
    for number, (step, fault) in enumerate(points(tmp_path / "whole", stride)):
        story = interrupt(tmp_path / f"run-{number}", Plan(step, fault, afterwards), keep, seed=number)
        try:
            story.check()
        except BaseException as error:
            error.add_note(f"step {step} ({story.disk.failed}) failed {fault}; then: {story.witnessed.errors}")
            raise


@pytest.mark.parametrize(("afterwards", "keep"), ENDINGS)
def test_acknowledged_events_survive_a_sample_of_interruptions(
    tmp_path: Path, afterwards: Afterwards, keep: Keep | None
) -> None:
    run(tmp_path, afterwards, keep, STRIDE)


@pytest.mark.slow
@pytest.mark.parametrize(("afterwards", "keep"), ENDINGS)
def test_acknowledged_events_survive_every_interruption(
    tmp_path: Path, afterwards: Afterwards, keep: Keep | None
) -> None:
    run(tmp_path, afterwards, keep, 1)


def interrupt_recovery(tmp_path: Path, stride: int) -> None:
    for number, (step, fault) in enumerate(points(tmp_path / "whole", stride)):
        for second in range(random.randrange(stride), 10_000, stride):
            story = interrupt(
                tmp_path / f"run-{number}-{second}", Plan(step, fault, Afterwards.DIE), Keep.SOME, seed=number
            )
            story.disk.plan(Plan(second, random.choice(list(Fault)), random.choice(list(Afterwards))))
            story.tell()
            reached = story.disk.failed is not None
            story.end(random.choice([None, *Keep]), seed=second)
            story.check()
            if not reached:
                break


def test_acknowledged_events_survive_a_sample_of_failures_during_recovery(tmp_path: Path) -> None:
    interrupt_recovery(tmp_path, 157)


def wander(tmp_path: Path, rounds: int) -> None:
    """Random lives of one ledger: any scene after any other, interrupted in any way, over and over."""
    for number in range(rounds):
        story = Story(tmp_path / f"life-{number}")
        story.tell()
        for _ in range(6):
            story.disk.plan(Plan(random.randrange(150), random.choice(list(Fault)), random.choice(list(Afterwards))))
            scenes = [story.append(1), story.append(90), story.append(300), story.advance, story.rotate, story.close]
            story.tell(random.choices(scenes, k=10))
            story.end(random.choice([None, *Keep]), seed=number)
        story.check()


def test_acknowledged_events_survive_a_random_life(tmp_path: Path) -> None:
    wander(tmp_path, 2)


@pytest.mark.slow
def test_acknowledged_events_survive_many_random_lives(tmp_path: Path) -> None:
    wander(tmp_path, 150)


@pytest.mark.slow
def test_acknowledged_events_survive_failures_during_recovery(tmp_path: Path) -> None:
    interrupt_recovery(tmp_path, 23)
