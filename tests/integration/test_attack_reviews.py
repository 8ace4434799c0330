"""What a reviewer would try: to change what binds her once she is bound, and to be let off afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from tests.review_world import LOG, World, review_world

from tallystick.access.grants.errors import OwnDecisionError
from tallystick.access.operator import OPERATOR
from tallystick.access.permissions import Permission
from tallystick.access.rights import Rights
from tallystick.govern import Kind as ExceptionKind
from tallystick.govern.exceptions.model import Risk, Wish
from tallystick.review.errors import ReviewerNotNamedError
from tallystick.review.model import State
from tallystick.review.periods import DAY_US


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with review_world(tmp_path) as world:
        yield world


def test_an_open_review_needs_the_second_signature_that_its_duty_demands_no_more(world: World) -> None:
    review = world.open_review(msgspec.structs.replace(LOG, second=True))
    lea, mia = world.caller("lea"), world.caller("mia")
    world.mark_all(review, lea, mia)
    world.room.duties.change(lea, review.duty, "Weekly log review", LOG)
    assert not world.room.reviewing.sign(lea, review.id, review.digest), "one signature does not close it"
    with pytest.raises(OwnDecisionError):
        world.room.reviewing.sign(lea, review.id, review.digest)
    assert world.room.reviewing.sign(mia, review.id, review.digest)


def test_nobody_makes_herself_the_reviewer_of_a_review_that_is_open(world: World) -> None:
    cam = world.caller("cam")
    review = world.open_review(msgspec.structs.replace(LOG, reviewers=(cam.id,)))
    mia = world.caller("mia")
    world.room.duties.change(mia, review.duty, "Weekly log review", msgspec.structs.replace(LOG, reviewers=(mia.id,)))
    with pytest.raises(ReviewerNotNamedError):
        world.room.reviewing.mark(mia, review.id, "alerts", review.digest, "no finding")
    world.week_later()
    newest = world.reviews(review.duty)[0]
    mia = world.caller("mia")
    world.room.reviewing.mark(mia, newest.id, "alerts", newest.digest, "no finding")


def test_an_exception_lets_nobody_off_a_review_that_was_due_before_it_began(world: World) -> None:
    review = world.open_review()
    world.clock.advance(8 * 86_400)
    world.room.upkeep.look()
    exceptions = world.house.instance.services.systems.exceptions
    until = world.clock.now_us() + 30 * DAY_US
    wish = Wish(ExceptionKind.REVIEW, review.duty, "", "on leave", "the week after holds both", Risk.LOW, until)
    asked = exceptions.request(OPERATOR, wish)
    exceptions.approve(world.caller("lea"), asked, exceptions.get(OPERATOR, asked).digest)
    world.room.upkeep.look()
    states = {each.review.period: each.state for each in world.room.looking.list(OPERATOR, duty=review.duty)}
    assert states.pop(review.period) is State.OVERDUE
    assert set(states.values()) == {State.WAIVED}, "what is due while it holds is waived"


def test_what_reviewers_wrote_is_kept_from_who_may_not_read_personal_data(world: World) -> None:
    review = world.open_review()
    lea, room = world.caller("lea"), world.room
    room.reviewing.mark(lea, review.id, "alerts", review.digest, "finding", "Ana Silva signed in at night")
    due = world.clock.now_us() + DAY_US
    room.reviewing.open_follow_up(
        lea, review.id, section="alerts", owner="team-ops", text="ask Ana Silva why", due_us=due
    )
    blind = replace(world.caller("bo"), rights=Rights.of([(Permission.REVIEWS_READ, "")]))
    for file in ("json", "csv", "html"):
        assert b"Ana Silva" not in room.files.make(blind, review.id, file).data
        assert b"Ana Silva" in room.files.make(world.caller("lea"), review.id, file).data
