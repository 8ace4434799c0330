"""Exceptions: what can be asked for, who decides, what ends them, and that uses are counted once."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from tests.govern_world import GovernWorld
from tests.grants_world import DAY_US, OPERATOR, rows_of

from tallystick.access.grants.errors import OwnDecisionError
from tallystick.access.permissions import Permission
from tallystick.errors import PermissionMissingError, TallystickError
from tallystick.govern.exceptions.errors import (
    ExceptionDecidedError,
    ExceptionInvalidError,
    ExceptionNotActiveError,
    ExceptionUnknownError,
)
from tallystick.govern.exceptions.model import Kind, Risk, State
from tallystick.govern.exceptions.uses import FILE

P = Permission


@pytest.fixture
def world(tmp_path: Path) -> GovernWorld:
    return GovernWorld(tmp_path)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"subject": ""}, "/subject"),
        ({"subject": "ana@example.org"}, "/subject"),
        ({"subject": "x" * 257}, "/subject"),
        ({"scope": "acme//pay"}, "/scope"),
        ({"justification": "  "}, "/justification"),
        ({"justification": "x" * 4001}, "/justification"),
        ({"control": ""}, "/control"),
        ({"control": "safe\u202egpj.exe"}, "/control"),
        ({"query": "actor:("}, "/query"),
        ({"kind": Kind.RETENTION, "query": "actor:backup"}, "/query"),
        ({"until_us": 0}, "/until"),
        ({"start_us": 1 << 60}, "/start"),
    ],
)
def test_a_wish_that_says_too_little_is_refused_with_its_place(
    world: GovernWorld, changes: dict[str, object], pointer: str
) -> None:
    ana = world.with_role("ana")
    with pytest.raises(ExceptionInvalidError) as refused:
        world.exceptions.request(ana, replace(world.wish(), **changes))  # type: ignore[arg-type]
    assert refused.value.pointer == pointer


@pytest.mark.parametrize(("days", "allowed"), [(365, True), (365.01, False)])
def test_an_exception_lasts_at_most_a_year(world: GovernWorld, days: float, allowed: bool) -> None:
    ana = world.with_role("ana")
    if allowed:
        assert world.exceptions.request(ana, world.wish(days))
        return
    with pytest.raises(ExceptionInvalidError, match="at most 365 days"):
        world.exceptions.request(ana, world.wish(days))


def test_nothing_is_allowed_until_somebody_else_agreed(world: GovernWorld) -> None:
    ana, bo = world.with_role("ana"), world.with_role("bo")
    asked = world.exceptions.request(ana, world.wish())
    digest = world.exceptions.get(ana, asked).digest
    assert world.exceptions.in_force("rule", "mass-download", "acme/payments", world.now_us()) == ()
    with pytest.raises(OwnDecisionError):
        world.exceptions.approve(ana, asked, digest)
    with pytest.raises(ExceptionDecidedError, match="not what was asked for"):
        world.exceptions.approve(bo, asked, "0" * 64)
    world.exceptions.approve(bo, asked, digest)
    (held,) = world.exceptions.in_force("rule", "mass-download", "acme/payments/api", world.now_us())
    assert held.id == asked
    with pytest.raises(ExceptionDecidedError):
        world.exceptions.reject(bo, asked, reason="too late")


def test_who_decides_holds_the_permission_there_and_is_a_person(world: GovernWorld) -> None:
    ana = world.with_role("ana")
    asked = world.exceptions.request(ana, world.wish())
    digest = world.exceptions.get(ana, asked).digest
    elsewhere = world.with_role("eli", scope="acme/platform")
    with pytest.raises(ExceptionUnknownError):
        world.exceptions.approve(elsewhere, asked, digest)
    reader = world.with_role("rea", "viewer")
    with pytest.raises(PermissionMissingError):
        world.exceptions.approve(reader, asked, digest)
    with pytest.raises(PermissionMissingError):
        world.exceptions.request(reader, world.wish())
    bo = world.with_role("bo")
    with pytest.raises(OwnDecisionError):
        world.exceptions.approve(replace(bo, token="t-1"), asked, digest)


@pytest.mark.parametrize(
    ("kind", "subject", "scope", "holds"),
    [
        ("rule", "mass-download", "acme/payments", True),
        ("rule", "mass-download", "acme/payments/api", True),
        ("rule", "mass-download", "acme", False),
        ("rule", "mass-download", "acme/payments2", False),
        ("rule", "other", "acme/payments", False),
        ("policy", "mass-download", "acme/payments", False),
    ],
)
def test_an_exception_holds_for_its_subject_in_its_scope_alone(
    world: GovernWorld, kind: str, subject: str, scope: str, holds: bool
) -> None:
    world.agreed(world.with_role("ana"), world.with_role("bo"), world.wish())
    found = world.exceptions.in_force(kind, subject, scope, world.now_us())
    assert bool(found) is holds
    with world.projection.engine.connect() as connection:
        assert world.exceptions.in_force(kind, subject, scope, world.now_us(), connection) == found


def test_an_extension_is_a_new_decision_that_begins_where_the_old_one_ends(world: GovernWorld) -> None:
    ana, bo = world.with_role("ana"), world.with_role("bo")
    first = world.agreed(ana, bo, world.wish(10))
    end = world.exceptions.get(ana, first).terms.until_us
    terms = {"justification": "still needed", "control": "still watched", "risk": Risk.HIGH}
    second = world.exceptions.extend(ana, first, until_us=end + 20 * DAY_US, **terms)  # type: ignore[arg-type]
    with pytest.raises(OwnDecisionError):
        world.exceptions.approve(ana, second, world.exceptions.get(ana, second).digest)
    world.exceptions.approve(bo, second, world.exceptions.get(bo, second).digest)
    assert world.exceptions.get(ana, second).state(world.now_us()) is State.AGREED
    with pytest.raises(ExceptionNotActiveError):
        world.exceptions.extend(ana, first, until_us=end + 30 * DAY_US, **terms)  # type: ignore[arg-type]
    for at, holder in ((end - 1, first), (end, second), (end + 20 * DAY_US - 1, second)):
        (held,) = world.exceptions.in_force("rule", "mass-download", "acme/payments", at)
        assert held.id == holder
    assert world.exceptions.in_force("rule", "mass-download", "acme/payments", end + 20 * DAY_US) == ()


def test_who_asked_for_an_exception_never_decides_that_it_goes_on_whoever_asks_for_that(world: GovernWorld) -> None:
    ana, bo, cy = (world.with_role(name) for name in ("ana", "bo", "cy"))
    first = world.agreed(ana, bo, world.wish(10))
    end = world.exceptions.get(ana, first).terms.until_us
    terms = {"justification": "still needed", "control": "still watched", "risk": Risk.HIGH}
    second = world.exceptions.extend(bo, first, until_us=end + DAY_US, **terms)  # type: ignore[arg-type]
    for one in (ana, bo):
        with pytest.raises(OwnDecisionError):
            world.exceptions.approve(one, second, world.exceptions.get(one, second).digest)
    world.exceptions.approve(cy, second, world.exceptions.get(cy, second).digest)
    third = world.exceptions.extend(cy, second, until_us=end + 2 * DAY_US, **terms)  # type: ignore[arg-type]
    with pytest.raises(OwnDecisionError):
        world.exceptions.approve(ana, third, world.exceptions.get(ana, third).digest)


def test_who_revokes_an_exception_revokes_what_was_to_follow_it(world: GovernWorld) -> None:
    ana, bo = world.with_role("ana"), world.with_role("bo")
    first = world.agreed(ana, bo, world.wish(10))
    end = world.exceptions.get(ana, first).terms.until_us
    extension = {"justification": "more", "control": "watched", "risk": Risk.LOW}
    second = world.exceptions.extend(ana, first, until_us=end + DAY_US, **extension)  # type: ignore[arg-type]
    world.exceptions.approve(bo, second, world.exceptions.get(bo, second).digest)
    reader = world.with_role("rea", "viewer")
    with pytest.raises(PermissionMissingError):
        world.exceptions.revoke(reader, first, reason="no")
    world.exceptions.revoke(bo, first, reason="no longer needed")
    assert {world.exceptions.get(ana, each).state(world.now_us()) for each in (first, second)} == {State.REVOKED}
    assert world.exceptions.in_force("rule", "mass-download", "acme/payments", end) == ()
    with pytest.raises(ExceptionNotActiveError):
        world.exceptions.revoke(bo, first, reason="again")


def test_a_request_is_taken_back_by_who_asked_alone(world: GovernWorld) -> None:
    ana, bo = world.with_role("ana"), world.with_role("bo")
    asked = world.exceptions.request(ana, world.wish())
    with pytest.raises(PermissionMissingError):
        world.exceptions.withdraw(bo, asked)
    world.exceptions.withdraw(ana, asked)
    with pytest.raises(ExceptionDecidedError):
        world.exceptions.approve(bo, asked, world.exceptions.get(bo, asked).digest)


def test_the_end_is_told_once_ahead_and_once_when_it_came(world: GovernWorld) -> None:
    ana, bo = world.with_role("ana"), world.with_role("bo")
    made = world.agreed(ana, bo, world.wish(30, risk=Risk.CRITICAL))
    world.clock.advance(15 * 86_400)
    world.upkeep.once()
    assert world.alarms == []
    world.clock.advance(2 * 86_400)
    for _ in range(2):
        world.upkeep.once()
    (near,) = world.alarms
    assert (near.kind, near.key, near.severity, near.recovered) == ("exception.expiring", made, "high", False)
    world.clock.advance(14 * 86_400)
    assert world.exceptions.get(ana, made).state(world.now_us()) is State.EXPIRED, "nobody has to notice"
    for _ in range(2):
        world.upkeep.once()
    assert [(each.kind, each.recovered) for each in world.alarms[1:]] == [
        ("exception.expiring", True),
        ("exception.expired", False),
    ]
    steps = [step.step for step in world.exceptions.get(ana, made).steps]
    assert steps == ["requested", "approved", "expiring", "expired"]


def test_alarms_about_an_end_survive_a_crash_between_the_event_and_the_alarm(world: GovernWorld) -> None:
    ana, bo = world.with_role("ana"), world.with_role("bo")
    world.agreed(ana, bo, world.wish(30))
    world.clock.advance(31 * 86_400)
    world.upkeep.once()
    told = [alarm.occasion for alarm in world.alarms]
    world.alarms.clear()
    world.fresh_upkeep().once()
    assert [alarm.occasion for alarm in world.alarms] == told


def test_an_occasion_counts_once_and_many_make_one_event_an_hour(world: GovernWorld) -> None:
    ana, bo = world.with_role("ana"), world.with_role("bo")
    made = world.agreed(ana, bo, world.wish())
    for occasion in ("a", "b", "a"):
        world.exceptions.used(made, 3, occasion)
    world.upkeep.once()
    assert world.exceptions.get(ana, made).used == 6
    world.exceptions.used(made, 3, "b")
    for number in range(50):
        world.exceptions.used(made, 1, f"c{number}")
    world.upkeep.once()
    assert world.exceptions.get(ana, made).used == 6
    world.clock.advance(3601)
    world.upkeep.once()
    assert world.exceptions.get(ana, made).used == 56
    assert world.actions().count("exception.used") == 2


def test_a_use_that_was_appended_before_a_crash_is_not_appended_as_another(world: GovernWorld, tmp_path: Path) -> None:
    ana, bo = world.with_role("ana"), world.with_role("bo")
    made = world.agreed(ana, bo, world.wish())
    world.exceptions.used(made, 1, "a")
    sent: list[dict[str, object]] = []

    def fail(event: dict[str, object]) -> None:
        sent.append(event)
        raise TallystickError("the power went")

    def make(exception: str, count: int, occasions: int, batch: str) -> dict[str, object]:
        return {"exception": exception, "count": count, "id": batch}

    with pytest.raises(TallystickError):
        world.uses.tell(make, fail)
    world.uses.tell(make, sent.append)
    assert len(sent) == 2
    assert sent[0] == sent[1]
    connection = sqlite3.connect(tmp_path / FILE)
    assert connection.execute("select count(*) from batch").fetchone() == (0,)


def test_a_narrowed_exception_whose_query_was_erased_holds_nowhere(world: GovernWorld) -> None:
    ana, bo = world.with_role("ana"), world.with_role("bo")
    made = world.agreed(ana, bo, world.wish(query="actor:backup"))
    (held,) = world.exceptions.in_force("rule", "mass-download", "acme/payments", world.now_us())
    assert held.query == "actor:backup"
    world.parts = [(at, facts, b"{}" if b"exception.requested" in facts else own) for at, facts, own in world.parts]
    world.projection.rebuild()
    record = world.exceptions.get(ana, made)
    assert (record.terms.narrowed, record.terms.query, record.terms.justification) == (True, None, None)
    assert record.state(world.now_us()) is State.ACTIVE
    assert world.exceptions.in_force("rule", "mass-download", "acme/payments", world.now_us()) == ()


def test_a_request_whose_words_were_erased_cannot_be_approved_any_more(world: GovernWorld) -> None:
    ana, bo = world.with_role("ana"), world.with_role("bo")
    asked = world.exceptions.request(ana, world.wish())
    world.parts = [(at, facts, b"{}" if b"exception.requested" in facts else own) for at, facts, own in world.parts]
    world.projection.rebuild()
    with pytest.raises(ExceptionDecidedError):
        world.exceptions.approve(bo, asked, world.exceptions.get(bo, asked).digest)


def test_the_register_shows_what_may_be_seen_and_every_look_is_recorded(world: GovernWorld) -> None:
    ana, bo = world.with_role("ana"), world.with_role("bo")
    here = world.agreed(ana, bo, world.wish())
    there = world.agreed(ana, bo, world.wish(scope="acme/platform", kind=Kind.POLICY))
    local = world.with_role("loc", "viewer", "acme/payments")
    world.looks.seen.clear()
    assert [each.id for each in world.exceptions.list(local)] == [here]
    assert world.looks.seen == [(local.id, "exceptions", "")]
    assert [each.id for each in world.exceptions.list(ana)] == [there, here]
    assert [each.id for each in world.exceptions.list(ana, kind=Kind.POLICY, state=State.ACTIVE)] == [there]
    assert [each.id for each in world.exceptions.list(ana, scope="acme/payments")] == [here]
    with pytest.raises(ExceptionUnknownError):
        world.exceptions.get(local, there)
    stranger = world.holding("sam", P.GRANTS_REQUEST)
    with pytest.raises(PermissionMissingError):
        world.exceptions.list(stranger)


def test_the_operator_asks_and_a_person_decides(world: GovernWorld) -> None:
    bo = world.with_role("bo")
    asked = world.exceptions.request(OPERATOR, world.wish())
    world.exceptions.approve(bo, asked, world.exceptions.get(bo, asked).digest)
    other = world.exceptions.request(OPERATOR, world.wish())
    digest = world.exceptions.get(OPERATOR, other).digest
    with pytest.raises(OwnDecisionError):
        world.exceptions.approve(OPERATOR, other, digest)


def test_replaying_the_log_makes_the_same_tables(world: GovernWorld) -> None:
    ana, bo = world.with_role("ana"), world.with_role("bo")
    made = world.agreed(ana, bo, world.wish())
    world.exceptions.used(made, 2, "a")
    world.upkeep.once()
    world.exceptions.revoke(bo, made, reason="enough")
    before = rows_of(world.projection.engine)
    world.projection.rebuild()
    assert rows_of(world.projection.engine) == before
