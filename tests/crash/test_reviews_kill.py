"""kill -9 while a review opens or is signed: there is one, whole, or none, and never two."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.installation import installation
from tests.review_world import LOG, WEEK_S, review_world

from tallystick.access.operator import OPERATOR
from tallystick.review.errors import ReviewClosedError
from tallystick.review.model import Kind, Terms
from tallystick.review.periods import Cadence
from tallystick.testing import ManualClock

SHORT = Terms(kind=Kind.EXCEPTIONS, scope="", cadence=Cadence.WEEK)


def kill(root: Path, start_us: int, act: str, moment: str, number: int) -> None:
    child = "tests.crash.review_child"
    command = [sys.executable, "-m", child, str(root), str(start_us), act, moment, str(number)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, timeout=300, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]


@pytest.mark.parametrize(("moment", "number"), [("before", 1), ("after", 1), ("before", 2), ("after", 2)])
def test_a_kill_around_any_append_of_an_opening_leaves_one_review(tmp_path: Path, moment: str, number: int) -> None:
    with review_world(tmp_path) as world:
        duty, start_us = world.duty(LOG), world.clock.now_us()
    kill(tmp_path, start_us, "open", moment, number)
    clock = ManualClock(start_us + WEEK_S * 1_000_000)
    with installation(tmp_path, clock=clock) as house:
        room = house.instance.services.reviews
        for _ in range(2):
            room.upkeep.look()
        found = [each.review for each in room.looking.list(OPERATOR, duty=duty)]
        assert [each.period for each in found] == ["2027-W02"]
        assert house.actions().count("review.opened") == 1
        listed = {each.section: each.count for each in found[0].sections if each.form == "items"}
        items = room.looking.get(OPERATOR, found[0].id).items
        assert {name: sum(each.section == name for each in items) for name in listed} == listed
        for each in found[0].sections:
            if each.form == "events":
                held, now = room.looking.recount(OPERATOR, found[0].id, each.section)
                assert (held.count, held.digest) == (now.count, now.digest)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_around_a_signature_leaves_it_whole_or_not_there(tmp_path: Path, moment: str) -> None:
    with review_world(tmp_path) as world:
        review = world.open_review(SHORT)
        world.room.reviewing.mark(OPERATOR, review.id, "follow_ups", review.digest, "no finding")
        start_us = world.clock.now_us()
    kill(tmp_path, start_us, "sign", moment, 1)
    with installation(tmp_path, clock=ManualClock(start_us)) as house:
        room = house.instance.services.reviews
        if moment == "after":
            with pytest.raises(ReviewClosedError):
                room.reviewing.sign(OPERATOR, review.id, review.digest)
        else:
            assert room.reviewing.sign(OPERATOR, review.id, review.digest)
        assert house.actions().count("review.signed") == 1
        assert room.looking.get(OPERATOR, review.id).state == "signed"
