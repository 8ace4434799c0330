"""Every step that a merge takes on disk is made to fail, to tear, or to be the last before the lights go out."""

from __future__ import annotations

import itertools
import random
import shutil
from pathlib import Path

import pytest
from tests.crash.ledger_story import Witnessed, check_ledger
from tests.ledger_home import Home

from tallystick.segment.derived import check_segment
from tallystick.testing import Afterwards, Fault, FaultyDisk, Keep, Plan

SOURCE = 5
MERGED = ["0-6.c1.g0", "0-12.c2.g1"]
ENDINGS: list[tuple[Afterwards, Keep | None]] = [
    (Afterwards.RECOVER, None),  # a passing error
    (Afterwards.DIE, None),  # kill -9
    (Afterwards.DIE, Keep.NOTHING),  # a power cut
    (Afterwards.DIE, Keep.SOME),
    (Afterwards.RECOVER, Keep.SOME),
]


class Small:
    """A ledger with four sealed files that waits to be merged, to be copied for each interruption."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.witnessed = Witnessed()
        home = Home(folder)
        home.configure(merge_segments_min=1000)
        ledger = home.create()
        for _ in range(4):
            self.witnessed.acknowledge(ledger, home.maker.batch(2))
            ledger.rotate()
            ledger.advance()
        home.end()
        self.witnessed.look(home.data)

    def copy(self, folder: Path) -> tuple[Home, FaultyDisk]:
        shutil.copytree(self.folder, folder)
        disk = FaultyDisk(folder)
        home = Home(folder, disk)
        home.configure(merge_segments_min=4)
        return home, disk


def steps_of_merge(small: Small, folder: Path) -> list[str]:
    home, disk = small.copy(folder)
    ledger = home.open()
    disk.plan(Plan(10_000, Fault.BEFORE))
    ledger.advance()
    steps = list(disk.steps)
    home.end()
    assert [entry.path for entry in ledger.snapshot().segments] == MERGED
    assert {"rename manifest.json", "sync summary", "remove 0-6.c2.g0"} <= set(steps)
    return steps


def check(home: Home, witnessed: Witnessed) -> None:
    """Open on a healthy disk: nothing is lost, nothing is left over, and merging goes on to its end."""
    ledger = home.open()
    for _ in range(2):
        check_ledger(ledger, home.data, witnessed)
        segments = ledger.snapshot().segments
        found = {path.name for path in home.layout.segments.iterdir() if not path.name.endswith(".new")}
        assert found == {"manifest.json", *(entry.path for entry in segments)}
        for entry in segments:
            check_segment(home.layout.segments, entry)
        ledger.advance()
    assert [entry.path for entry in ledger.snapshot().segments] == MERGED
    assert ledger.status().read_only is None
    home.end()


def interrupt(small: Small, folder: Path, plan: Plan, keep: Keep | None) -> int:
    """Return how many segments were in force in the running ledger after a merge in which the plan came true."""
    home, disk = small.copy(folder)
    ledger = home.open()
    disk.plan(plan)
    ledger.advance()
    assert disk.failed is not None
    try:
        assert "merge" in ledger.status().trouble
        if plan.afterwards is Afterwards.RECOVER:  # it answers as before, from whichever manifest
            check_ledger(ledger, home.data, small.witnessed)
        segments = len(ledger.snapshot().segments)
        home.end()
        if keep is None:
            disk.heal()
        else:
            disk.cut_power(keep, plan.step)
        check(home, small.witnessed)
    except BaseException as error:
        error.add_note(f"step {plan.step} ({disk.failed}) failed {plan.fault}, {plan.afterwards}, {keep}")
        raise
    shutil.rmtree(folder)
    return segments


def interrupt_merges(tmp_path: Path, endings_each: int) -> None:
    small = Small(tmp_path / "small")
    endings = itertools.cycle(random.sample(ENDINGS, len(ENDINGS)))
    outcomes = set()
    for (step, name), fault in itertools.product(enumerate(steps_of_merge(small, tmp_path / "whole")), Fault):
        if fault is Fault.TEAR and not name.startswith("write"):
            continue
        for afterwards, keep in itertools.islice(endings, endings_each):
            outcomes.add(interrupt(small, tmp_path / "run", Plan(step, fault, afterwards), keep))
    assert outcomes == {2, 5}


def test_nothing_is_lost_whichever_step_of_a_merge_is_interrupted(tmp_path: Path) -> None:
    interrupt_merges(tmp_path, 1)


@pytest.mark.slow
def test_nothing_is_lost_whichever_step_of_a_merge_is_interrupted_in_every_way(tmp_path: Path) -> None:
    interrupt_merges(tmp_path, len(ENDINGS))


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
def test_a_swap_that_failed_or_only_said_so_is_settled_before_anything_is_removed(tmp_path: Path, fault: Fault) -> None:
    small = Small(tmp_path / "small")
    swap = steps_of_merge(small, tmp_path / "whole").index("rename manifest.json")
    home, disk = small.copy(tmp_path / "run")
    ledger = home.open()
    disk.plan(Plan(swap, fault))
    ledger.advance()
    disk.heal()
    small.witnessed.acknowledge(ledger, home.maker.batch(3))
    ledger.rotate()
    ledger.advance()
    check_ledger(ledger, home.data, small.witnessed)
    paths = [entry.path for entry in ledger.snapshot().segments]
    assert len(paths) == (3 if fault is Fault.AFTER else 6)
    found = {path.name for path in home.layout.segments.iterdir() if path.is_dir()}
    assert found == set(paths)
    home.end()
