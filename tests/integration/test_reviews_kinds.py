"""What is reviewed beside the log: access, documents, exceptions, declarations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.review_world import World, review_world

from tallystick.access.errors import ScopeInvalidError
from tallystick.access.grants.model import State
from tallystick.access.operator import OPERATOR
from tallystick.errors import PermissionMissingError
from tallystick.review.errors import (
    DutyInvalidError,
    DutyNotFoundError,
    DutyRetiredError,
    OwnReviewError,
    ReviewIncompleteError,
    ReviewInvalidError,
    ReviewNotFoundError,
)
from tallystick.review.model import Document, Item, Kind, Review, Terms
from tallystick.review.periods import Cadence, period_at

ACCESS = Terms(kind=Kind.ACCESS, scope="", cadence=Cadence.WEEK, due_days=30)
DOCUMENTS = (Document(name="Access policy", link="https://wiki.example.org/access", sha256="a" * 64, owner="ops"),)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with review_world(tmp_path) as world:
        yield world


def items(world: World, review: Review, section: str) -> list[Item]:
    return [each for each in world.room.looking.get(OPERATOR, review.id).items if each.section == section]


def grant_of(world: World, review: Review, holder: str) -> str:
    """Return the grant of somebody among those that a recertification lists."""
    return next(each.item for each in items(world, review, "grants") if each.facts["holder"] == holder)


def test_a_recertification_lists_every_grant_in_force_and_no_other(world: World) -> None:
    lea, vic = world.caller("lea"), world.caller("vic", ("viewer", "acme"))
    gone = world.people.grant(world.members["vic"], "auditor", "acme")
    world.house.instance.services.grants.revoke(OPERATOR, gone, reason="not hers")
    review = world.open_review(ACCESS)
    listed = {each.item: each.facts for each in items(world, review, "grants")}
    active = world.house.instance.services.grants.list(OPERATOR, state=State.ACTIVE)
    assert set(listed) == {each.id for each in active}
    assert gone not in listed
    hers = listed[grant_of(world, review, vic.id)]
    assert (hers["role"], hers["scope"], hers["people"]) == ("viewer", "acme", [vic.id])
    assert any(each["holder"] == lea.id for each in listed.values())


def test_a_grant_that_is_revoked_ends_at_once(world: World) -> None:
    vic = world.caller("vic", ("viewer", "acme"))
    world.caller("lea")
    review = world.open_review(ACCESS)
    grant = grant_of(world, review, vic.id)
    decide = world.room.reviewing.decide
    with pytest.raises(ReviewInvalidError):
        decide(world.caller("lea"), review.id, "grants", grant, review.digest, "revoke")
    decide(world.caller("lea"), review.id, "grants", grant, review.digest, "revoke", "she left the project")
    assert world.house.instance.services.grants.get(OPERATOR, grant).ended == "revoked"
    decided = world.product("review.item_decided")[-1]
    ended = world.product("access.revoked")[-1]
    assert (decided.metadata["item"], decided.metadata["verdict"]) == (grant, "revoke")
    assert ended.index < decided.index
    decide(world.caller("lea"), review.id, "grants", grant, review.digest, "revoke", "said once more")


def test_nobody_decides_about_her_own_access(world: World) -> None:
    lea = world.caller("lea")
    review = world.open_review(ACCESS)
    grant = grant_of(world, review, lea.id)
    with pytest.raises(OwnReviewError):
        world.room.reviewing.decide(world.caller("lea"), review.id, "grants", grant, review.digest, "keep")


def test_whoever_may_not_revoke_grants_decides_nothing_by_it(world: World) -> None:
    vic = world.caller("vic", ("viewer", "acme"))
    world.caller("cam", ("compliance-manager", ""))
    review = world.open_review(ACCESS)
    grant = grant_of(world, review, vic.id)
    with pytest.raises(PermissionMissingError):
        world.room.reviewing.decide(world.caller("cam"), review.id, "grants", grant, review.digest, "revoke", "why not")
    assert world.house.instance.services.grants.get(OPERATOR, grant).ended is None
    assert not world.product("review.item_decided")


def test_a_recertification_is_signed_once_every_grant_is_decided(world: World) -> None:
    world.caller("lea")
    review = world.open_review(ACCESS)
    reviewing = world.room.reviewing
    listed = items(world, review, "grants")
    reviewing.mark(OPERATOR, review.id, "follow_ups", review.digest, "no finding")
    for each in listed[1:]:
        reviewing.decide(OPERATOR, review.id, "grants", each.item, review.digest, "keep")
    with pytest.raises(ReviewIncompleteError, match="1 of"):
        reviewing.sign(OPERATOR, review.id, review.digest)
    reviewing.decide(OPERATOR, review.id, "grants", listed[0].item, review.digest, "keep")
    assert reviewing.sign(OPERATOR, review.id, review.digest)


def test_items_are_not_marked_together_and_unknown_ones_are_not_there(world: World) -> None:
    review = world.open_review(ACCESS)
    with pytest.raises(ReviewInvalidError):
        world.room.reviewing.mark(OPERATOR, review.id, "grants", review.digest, "keep")
    with pytest.raises(ReviewNotFoundError):
        world.room.reviewing.decide(OPERATOR, review.id, "grants", "g-nothing", review.digest, "keep")


def test_documents_of_a_policy_review_are_confirmed_each(world: World) -> None:
    terms = Terms(kind=Kind.POLICIES, scope="", cadence=Cadence.YEAR, due_days=30, documents=DOCUMENTS)
    duty = world.room.duties.get(OPERATOR, world.duty(terms, "Policies"))
    world.room.upkeep.open(duty, period_at(Cadence.YEAR, world.clock.now_us() - 30 * 86_400_000_000))
    review = world.reviews(duty.id)[0]
    listed = items(world, review, "documents")
    assert [(each.facts["name"], each.facts["sha256"]) for each in listed] == [("Access policy", "a" * 64)]
    assert review.period == "2026"
    world.room.reviewing.decide(OPERATOR, review.id, "documents", listed[0].item, review.digest, "confirmed")


@pytest.mark.parametrize("kind", [Kind.EXCEPTIONS, Kind.DECLARATIONS])
def test_where_there_is_nothing_to_decide_only_follow_ups_are_marked(world: World, kind: Kind) -> None:
    review = world.open_review(Terms(kind=kind, scope="", cadence=Cadence.WEEK, due_days=30))
    assert [each.section for each in review.sections][1:] == ["follow_ups"]
    world.room.reviewing.mark(OPERATOR, review.id, "follow_ups", review.digest, "no finding")
    assert world.room.reviewing.sign(OPERATOR, review.id, review.digest)


@pytest.mark.parametrize(
    "terms",
    [
        Terms(kind=Kind.LOG, scope="", cadence=Cadence.YEAR),
        Terms(kind=Kind.LOG, scope="", cadence=Cadence.WEEK, sample=0),
        Terms(kind=Kind.LOG, scope="", cadence=Cadence.WEEK, sample=101),
        Terms(kind=Kind.LOG, scope="", cadence=Cadence.WEEK, due_days=0),
        Terms(kind=Kind.LOG, scope="", cadence=Cadence.WEEK, documents=DOCUMENTS),
        Terms(kind=Kind.POLICIES, scope="", cadence=Cadence.YEAR, documents=(Document(name=""),)),
        Terms(kind=Kind.POLICIES, scope="", cadence=Cadence.YEAR, documents=(Document(name="A", sha256="A" * 64),)),
        Terms(kind=Kind.LOG, scope="", cadence=Cadence.WEEK, reviewers=tuple(f"p-{n}" for n in range(51))),
    ],
    ids=["cadence", "no sample", "large sample", "no days", "documents", "nameless", "digest", "reviewers"],
)
def test_a_duty_that_demands_what_cannot_be_is_refused(world: World, terms: Terms) -> None:
    with pytest.raises(DutyInvalidError):
        world.duty(terms)


def test_a_duty_is_kept_by_who_may_sign_in_its_scope(world: World) -> None:
    sam = world.caller("sam", ("security-lead", "acme"))
    terms = Terms(kind=Kind.LOG, scope="acme", cadence=Cadence.WEEK)
    made = world.room.duties.create(sam, "Hers", terms)
    with pytest.raises(PermissionMissingError):
        world.room.duties.create(sam, "Not hers", Terms(kind=Kind.LOG, scope="", cadence=Cadence.WEEK))
    with pytest.raises(DutyNotFoundError):
        world.room.duties.get(sam, world.duty())
    with pytest.raises(ScopeInvalidError):
        world.room.duties.create(sam, "Nowhere", Terms(kind=Kind.LOG, scope="a//b", cadence=Cadence.WEEK))
    assert [each.id for each in world.room.duties.list(sam)] == [made]
    world.room.duties.retire(sam, made, reason="done with")
    with pytest.raises(DutyRetiredError):
        world.room.duties.change(sam, made, "Again", terms)


def test_a_review_of_one_scope_holds_nothing_of_another(world: World) -> None:
    world.send(
        {"action": "user.sign_in_failed", "scope": "acme/payments", "outcome": "denied"},
        {"action": "user.sign_in_failed", "scope": "other", "outcome": "denied"},
    )
    review = world.open_review(Terms(kind=Kind.LOG, scope="acme", cadence=Cadence.WEEK))
    held = {each.section: each.count for each in review.sections}
    assert (held["failed_sign_ins"], held["sample"]) == (1, 2), "the event, and that the duty was set up"
