"""Weekly reviews over five weeks of a clock that moves: opened, missed, marked, late, waived, carried on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.review_world import LOG, MONDAY_US, WEEK_S, World, review_world

from tallystick.access.grants.errors import OwnDecisionError
from tallystick.access.operator import OPERATOR
from tallystick.access.people.errors import ReauthenticationNeededError
from tallystick.errors import PermissionMissingError
from tallystick.govern import Kind as ExceptionKind
from tallystick.govern.exceptions.model import Risk, Wish
from tallystick.review.errors import (
    LateReasonMissingError,
    OwnReviewError,
    ReviewClosedError,
    ReviewerNotNamedError,
    ReviewIncompleteError,
    ReviewInvalidError,
    ReviewNotFoundError,
    SnapshotChangedError,
)
from tallystick.review.model import Kind, Terms
from tallystick.review.periods import DAY_US, Cadence, parse_period


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with review_world(tmp_path) as world:
        yield world


def section(world: World, review: str, name: str) -> Any:
    found = world.room.looking.get(OPERATOR, review).review.section(name)
    assert found is not None
    return found


def test_five_weeks_open_five_reviews_each_at_the_end_of_its_week(world: World) -> None:
    duty = world.duty()
    for _ in range(5):
        world.week_later()
    found = list(reversed(world.reviews(duty)))
    assert [each.period for each in found] == [f"2027-W{week:02}" for week in range(2, 7)]
    week_us = WEEK_S * 1_000_000
    assert [each.end for each in found] == [MONDAY_US + week_us * count for count in range(1, 6)]
    assert all(each.opened_at > each.end for each in found)


def test_weeks_missed_while_nobody_looked_open_late_with_their_true_time(world: World) -> None:
    duty = world.duty()
    world.clock.advance(3 * WEEK_S)
    world.room.upkeep.look()
    found = world.reviews(duty)
    assert [each.period for each in found] == ["2027-W04", "2027-W03", "2027-W02"]
    assert {each.opened_at for each in found} == {world.clock.now_us()}


def test_looking_again_opens_nothing_twice(world: World) -> None:
    world.duty()
    world.week_later()
    size = len(world.product("review.opened"))
    world.room.upkeep.look()
    assert len(world.product("review.opened")) == size == 1


def test_a_snapshot_made_late_is_the_one_that_would_have_been_made_in_time(world: World) -> None:
    world.send({"action": "user.sign_in_failed", "outcome": "denied"}, {"action": "privilege.elevated"})
    one = world.duty()
    world.week_later()
    first = world.reviews(one)[0]
    world.send({"action": "user.sign_in_failed", "outcome": "denied"})
    other = world.duty(LOG)  # set up a week later, its period is made to be the same one
    kept = world.room.duties.get(OPERATOR, other)
    world.room.upkeep.open(kept, parse_period(first.period))
    second = world.reviews(other)[0]
    frozen = [each for each in first.sections if each.form == "events"]
    assert (first.size, first.seed) == (second.size, second.seed)
    assert frozen == [each for each in second.sections if each.form == "events"]


def test_a_week_in_which_nothing_happens_after_it_ends_is_closed_by_an_event_of_its_own(world: World) -> None:
    duty = world.duty()
    world.week_later()
    ended = world.product("review.period_ended")
    review = world.reviews(duty)[0]
    assert [event.metadata["period"] for event in ended] == ["2027-W02"]
    assert review.size == ended[0].index


def test_events_of_the_week_are_found_in_their_sections_by_when_they_were_received(world: World) -> None:
    world.send(
        {"action": "user.sign_in_failed", "outcome": "denied"},
        {"action": "privilege.elevated"},
        {"action": "user.signed_in", "occurred_at": "2026-01-01T00:00:00Z"},
    )
    review = world.open_review()
    assert section(world, review.id, "failed_sign_ins").count == 1
    assert section(world, review.id, "privileged").count == 2, "the elevation, and the token of who sent it"
    drawn = section(world, review.id, "sample").drawn
    assert len(drawn) == LOG.sample
    assert max(drawn) < review.size


def test_a_snapshot_run_again_at_its_size_says_the_same_whatever_came_later(world: World) -> None:
    world.send({"action": "user.sign_in_failed", "outcome": "denied"})
    review = world.open_review()
    world.send({"action": "user.sign_in_failed", "outcome": "denied"}, {"action": "privilege.elevated"})
    world.house.instance.ledger.rotate()
    for each in review.sections:
        if each.form != "events":
            continue
        held, now = world.room.looking.recount(OPERATOR, review.id, each.section)
        assert (held.count, held.digest) == (now.count, now.digest), each.section
        assert each.drawn is None or now.drawn == each.drawn


def test_marks_bind_to_the_snapshot_and_a_finding_needs_a_note(world: World) -> None:
    review = world.open_review()
    lea, mark = world.caller("lea"), world.room.reviewing.mark
    with pytest.raises(SnapshotChangedError):
        mark(lea, review.id, "alerts", "0" * 64, "no finding")
    with pytest.raises(ReviewInvalidError):
        mark(lea, review.id, "alerts", review.digest, "finding")
    with pytest.raises(ReviewInvalidError):
        mark(lea, review.id, "alerts", review.digest, "perhaps")
    with pytest.raises(ReviewNotFoundError):
        mark(lea, review.id, "nothing", review.digest, "no finding")
    mark(lea, review.id, "alerts", review.digest, "finding", "three at once")
    event = world.product("review.section_marked")[-1]
    assert event.metadata["digest"] == review.digest
    assert event.event["reason"] == "three at once"


def test_nobody_reviews_what_she_did_alone(world: World) -> None:
    lea = world.caller("lea")
    failed = {"action": "user.sign_in_failed", "outcome": "denied", "actor": {"id": lea.id, "type": "user"}}
    world.send(failed)
    review = world.open_review()
    lea, mia = world.caller("lea"), world.caller("mia")
    with pytest.raises(OwnReviewError):
        world.room.reviewing.mark(lea, review.id, "failed_sign_ins", review.digest, "no finding")
    assert world.room.reviewing.mark(mia, review.id, "failed_sign_ins", review.digest, "no finding") == 0


def test_a_target_or_the_one_acted_for_is_concerned_too(world: World) -> None:
    lea = world.caller("lea")
    her = {"id": lea.id, "type": "user"}
    world.send(
        {"action": "privilege.elevated", "target": her},
        {"action": "privilege.elevated", "on_behalf_of": her},
        {"action": "privilege.elevated"},
    )
    review = world.open_review()
    lea = world.caller("lea")
    own = world.room.reviewing.mark(lea, review.id, "privileged", review.digest, "no finding")
    marks = world.room.looking.get(lea, review.id).marks
    assert own == len(marks[0].own) == 3, "both, and the decision that gave her her role"


def test_a_review_is_signed_once_every_section_is_marked_by_others_than_it_is_about(world: World) -> None:
    lea, mia = world.caller("lea"), world.caller("mia")
    review = world.open_review()
    lea, mia = world.caller("lea"), world.caller("mia")
    sign = world.room.reviewing.sign
    with pytest.raises(ReviewIncompleteError):
        sign(lea, review.id, review.digest)
    world.mark_all(review, lea, mia)
    assert sign(lea, review.id, review.digest)
    line = world.room.looking.list(OPERATOR)[0]
    assert line.state == "signed"
    assert world.product("review.signed")[0].metadata["late"] is False
    with pytest.raises(ReviewClosedError):
        world.room.reviewing.mark(mia, review.id, "alerts", review.digest, "no finding")
    with pytest.raises(ReviewClosedError):
        sign(mia, review.id, review.digest)


def test_signing_asks_a_session_to_prove_again_who_she_is(world: World) -> None:
    review = world.open_review()
    lea, mia = world.caller("lea"), world.caller("mia")
    world.mark_all(review, lea, mia)
    world.clock.advance(1800)
    with pytest.raises(ReauthenticationNeededError):
        world.room.reviewing.sign(lea, review.id, review.digest)
    assert not world.product("review.signed")


def test_late_is_late_with_a_reason_and_nobody_can_date_it_back(world: World) -> None:
    review = world.open_review()
    world.clock.advance(2 * WEEK_S)
    world.room.upkeep.look()
    lea, mia = world.caller("lea"), world.caller("mia")
    world.mark_all(review, lea, mia)
    with pytest.raises(LateReasonMissingError):
        world.room.reviewing.sign(lea, review.id, review.digest)
    world.room.reviewing.sign(lea, review.id, review.digest, reason="she was ill")
    found = world.room.looking.get(OPERATOR, review.id)
    assert (found.state, found.signatures[0].late, found.signatures[0].reason) == ("signed late", True, "she was ill")
    assert found.signatures[0].at == world.clock.now_us()


def test_two_signatures_are_of_two_people(world: World) -> None:
    review = world.open_review(Terms(kind=Kind.LOG, scope="", cadence=Cadence.WEEK, second=True))
    lea, mia = world.caller("lea"), world.caller("mia")
    world.mark_all(review, lea, mia)
    sign = world.room.reviewing.sign
    assert not sign(lea, review.id, review.digest)
    with pytest.raises(OwnDecisionError):
        sign(lea, review.id, review.digest)
    with pytest.raises(ReviewClosedError):
        world.room.reviewing.mark(mia, review.id, "alerts", review.digest, "no finding")
    assert sign(mia, review.id, review.digest)
    places = [each.place for each in world.room.looking.get(OPERATOR, review.id).signatures]
    assert places == ["first", "second"]


def test_only_who_the_duty_names_reviews(world: World) -> None:
    lea = world.caller("lea")
    review = world.open_review(Terms(kind=Kind.LOG, scope="", cadence=Cadence.WEEK, reviewers=(lea.id,)))
    lea, mia, mark = world.caller("lea"), world.caller("mia"), world.room.reviewing.mark
    with pytest.raises(ReviewerNotNamedError):
        mark(mia, review.id, "alerts", review.digest, "no finding")
    mark(lea, review.id, "alerts", review.digest, "no finding")


def test_whoever_holds_the_role_of_the_duty_reviews(world: World) -> None:
    world.caller("cam", ("compliance-manager", ""))
    review = world.open_review(Terms(kind=Kind.LOG, scope="", cadence=Cadence.WEEK, role="compliance-manager"))
    cam, lea, mark = world.caller("cam"), world.caller("lea"), world.room.reviewing.mark
    with pytest.raises(ReviewerNotNamedError):
        mark(lea, review.id, "alerts", review.digest, "no finding")
    mark(cam, review.id, "alerts", review.digest, "no finding")


def test_who_may_only_read_reviews_marks_and_signs_nothing(world: World) -> None:
    world.caller("vic", ("auditor", ""))
    review = world.open_review()
    vic = world.caller("vic")
    assert world.room.looking.get(vic, review.id).can_review is False
    with pytest.raises(PermissionMissingError):
        world.room.reviewing.mark(vic, review.id, "alerts", review.digest, "no finding")
    with pytest.raises(PermissionMissingError):
        world.room.reviewing.sign(vic, review.id, review.digest)


def test_a_review_outside_her_scope_is_not_there(world: World) -> None:
    world.caller("sam", ("security-lead", "acme"))
    review = world.open_review()
    sam = world.caller("sam")
    with pytest.raises(ReviewNotFoundError):
        world.room.looking.get(sam, review.id)
    assert not world.room.looking.list(sam)


def test_a_follow_up_stands_in_every_later_review_until_it_is_done(world: World) -> None:
    duty = world.duty()
    world.week_later()
    review, lea = world.reviews(duty)[0], world.caller("lea")
    due = world.clock.now_us() + 10 * DAY_US
    opened = world.room.reviewing.open_follow_up(
        lea, review.id, section="alerts", owner="ops", text="mute the pager", due_us=due
    )
    world.week_later()
    second = world.reviews(duty)[0]
    items = world.room.looking.get(OPERATOR, second.id).items
    assert [each.item for each in items if each.section == "follow_ups"] == [opened]
    world.room.reviewing.finish_follow_up(world.caller("lea"), opened, outcome="muted")
    with pytest.raises(ReviewClosedError):
        world.room.reviewing.finish_follow_up(world.caller("lea"), opened, outcome="again")
    world.week_later()
    assert section(world, world.reviews(duty)[0].id, "follow_ups").count == 0


def test_an_exception_waives_the_review_and_is_named(world: World) -> None:
    duty = world.duty()
    exceptions = world.house.instance.services.systems.exceptions
    wish = Wish(
        ExceptionKind.REVIEW, duty, "", "moving house", "the week after holds both", Risk.LOW,
        world.clock.now_us() + 30 * DAY_US,
    )  # fmt: skip
    asked = exceptions.request(OPERATOR, wish)
    record = exceptions.get(OPERATOR, asked)
    exceptions.approve(world.caller("lea"), asked, record.digest)
    world.week_later()
    review = world.room.looking.list(OPERATOR)[0]
    assert (review.state, review.review.exception) == ("waived", asked)
    assert world.product("review.waived")[0].metadata["exception"] == asked
    with pytest.raises(ReviewClosedError):
        world.room.reviewing.sign(world.caller("lea"), review.review.id, "")


def test_a_review_due_soon_and_overdue_raises_an_alert_once_and_its_end_is_told(world: World) -> None:
    review = world.open_review()

    def raised() -> list[tuple[str, str]]:
        found = world.product("alert.opened")
        return [(event.metadata["kind"], event.metadata["severity"]) for event in found]

    world.clock.advance(3 * 86_400)
    for _ in range(2):
        world.room.upkeep.look()
    assert raised() == [("duty.due_soon", "low")]
    world.clock.advance(3 * 86_400)
    for _ in range(2):
        world.room.upkeep.look()
    assert ("duty.overdue", "high") in raised()
    lea, mia = world.caller("lea"), world.caller("mia")
    world.mark_all(review, lea, mia)
    world.room.reviewing.sign(lea, review.id, review.digest, reason="too much to do")
    world.room.upkeep.look()
    assert len(world.product("alert.recovered")) >= 1


def test_a_retired_duty_opens_no_further_review(world: World) -> None:
    duty = world.duty()
    world.week_later()
    world.room.duties.retire(OPERATOR, duty, reason="merged with another")
    world.week_later()
    assert [each.period for each in world.reviews(duty)] == ["2027-W02"]


def test_a_changed_duty_keeps_its_kind_and_scope(world: World) -> None:
    duty = world.duty()
    other = Terms(kind=Kind.ACCESS, scope="acme", cadence=Cadence.YEAR, second=True, sample=7, due_days=3)
    world.room.duties.change(OPERATOR, duty, "Another title", other)
    found = world.room.duties.get(OPERATOR, duty)
    assert (found.terms.kind, found.terms.scope, found.terms.cadence) == (Kind.LOG, "", Cadence.WEEK)
    assert (found.title, found.terms.second, found.terms.due_days) == ("Another title", True, 3)


def test_the_first_look_by_a_reviewer_begins_the_review_and_figures_tell_the_minutes(world: World) -> None:
    review = world.open_review()
    lea, mia = world.caller("lea"), world.caller("mia")
    world.room.looking.get(lea, review.id)
    world.clock.advance(300)
    world.mark_all(review, lea, mia)
    world.room.reviewing.sign(lea, review.id, review.digest)
    assert len(world.product("review.started")) == 1
    figures = world.room.looking.figures(OPERATOR)
    assert (figures.closed, figures.on_time, figures.minutes) == (1, 1, 5)


def test_the_calendar_holds_what_is_done_and_what_is_to_come(world: World) -> None:
    duty = world.duty()
    world.week_later()
    start = MONDAY_US
    found = world.room.looking.calendar(OPERATOR, start, start + 30 * DAY_US)
    assert [(each.period, each.review is not None) for each in found if each.duty.id == duty] == [
        ("2027-W02", True),
        ("2027-W03", False),
        ("2027-W04", False),
    ]
