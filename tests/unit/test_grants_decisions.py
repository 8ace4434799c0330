"""Grants as decisions: who may ask, who may decide, what is in force, and until when."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.grants_world import DAY_US, EVERYTHING, OPERATOR, World, rows_of

from tallystick.access.grants.errors import (
    GrantChangedError,
    GrantDecidedError,
    GrantNotActiveError,
    GrantTermsInvalidError,
    GrantUnknownError,
    OwnDecisionError,
    PersonRequiredError,
    RoleUnknownError,
    SubjectUnknownError,
)
from tallystick.access.grants.model import Ground, State, Subject
from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.rights import NOTHING, Rights
from tallystick.errors import PermissionMissingError, TallystickError

P = Permission


@pytest.fixture
def world() -> World:
    return World()


def may(*pairs: tuple[P, str]) -> Rights:
    return Rights.of(pairs)


def test_nothing_is_allowed_until_another_person_approves(world: World) -> None:
    root, ana = world.caller(world.first()), world.person("ana")
    grant = world.ask(root, ana, "viewer", "acme")
    assert world.rights(ana) == NOTHING
    boss = world.person("boss")
    world.give(boss, "owner", "acme")
    world.grants.approve(world.caller(boss), grant)
    assert world.rights(ana).allows(P.EVENTS_READ, "acme/payments")
    assert not world.rights(ana).allows(P.EVENTS_READ, "")
    assert not world.rights(ana).anywhere(P.EVENTS_READ_PERSONAL)


def test_the_approval_names_what_was_approved_and_by_what_authority(world: World) -> None:
    ana, boss = world.person("ana"), world.person("boss")
    authority = world.give(boss, "owner", "acme")
    grant = world.ask(OPERATOR, ana, "viewer", "acme/payments")
    asked = world.newest()["metadata"]
    world.grants.approve(world.caller(boss), grant, reason="on the rota")
    said = world.newest()
    assert said["actor"]["id"] == boss
    assert said["reason"] == "on the rota"
    assert said["metadata"]["digest"] == asked["digest"]
    assert said["metadata"]["authority"] == [authority]


def test_reasons_are_personal_and_never_stand_in_the_facts(world: World) -> None:
    root = world.caller(world.first())
    world.grants.request(
        root,
        subject=Subject("person", root.id),
        role="viewer",
        scope="",
        reason="Ana Lovelace is ill",
        until_us=world.now_us() + DAY_US,
    )
    _, facts, personal = world.parts[-1]
    assert b"Lovelace" not in facts
    assert b"Lovelace" in personal


def test_nobody_decides_about_what_she_asked_for(world: World) -> None:
    root = world.first()
    for subject in (root, world.person("ana")):
        grant = world.ask(world.caller(root), subject, "viewer")
        with pytest.raises(OwnDecisionError):
            world.grants.approve(world.caller(root), grant)
        with pytest.raises(OwnDecisionError):
            world.grants.reject(world.caller(root), grant, reason="no")


def test_nobody_decides_about_what_she_gets(world: World) -> None:
    root, ana = world.first(), world.person("ana")
    world.give(ana, "viewer")
    grant = world.ask(world.caller(ana), root, "viewer")
    with pytest.raises(OwnDecisionError):
        world.grants.approve(world.caller(root), grant)


def test_nobody_decides_about_what_her_group_gets(world: World) -> None:
    boss, ana = world.person("boss", "leads"), world.person("ana")
    world.give(boss, "owner", "acme")
    world.give(ana, "viewer", "acme")
    grant = world.ask(world.caller(ana), "leads", "analyst", "acme", group=True)
    with pytest.raises(OwnDecisionError):
        world.grants.approve(world.caller(boss), grant)
    world.groups(boss, "others")
    world.grants.approve(world.caller(boss), grant)


def test_whoever_the_requester_made_an_approver_since_asking_does_not_decide(world: World) -> None:
    root, ana = world.first(), world.person("ana")
    asked = world.ask(world.caller(root), root, "auditor")
    world.grants.approve(world.caller(root), world.ask(OPERATOR, ana, "owner"))
    with pytest.raises(OwnDecisionError):
        world.grants.approve(world.caller(ana), asked)
    later = world.ask(world.caller(root), root, "auditor")
    world.grants.approve(world.caller(ana), later)
    assert world.rights(root).allows(P.EVENTS_READ, "")


def test_nor_does_whoever_got_the_authority_from_such_an_approver(world: World) -> None:
    root, ana, bo = world.first(), world.person("ana"), world.person("bo")
    asked = world.ask(world.caller(root), root, "auditor")
    world.grants.approve(world.caller(root), world.ask(OPERATOR, ana, "owner"))
    world.grants.approve(world.caller(ana), world.ask(OPERATOR, bo, "owner"))
    with pytest.raises(OwnDecisionError):
        world.grants.approve(world.caller(bo), asked)


def test_an_approver_whom_somebody_else_made_since_then_decides(world: World) -> None:
    root, lead, bo = world.first(), world.person("lead"), world.person("bo")
    world.give(lead, "security-lead")
    asked = world.ask(world.caller(root), root, "auditor")
    world.grants.approve(world.caller(lead), world.ask(OPERATOR, bo, "owner"))
    world.grants.approve(world.caller(bo), asked)


def test_one_authority_that_is_not_the_requesters_doing_is_enough(world: World) -> None:
    root, lead, ana = world.first(), world.person("lead"), world.person("ana")
    world.give(lead, "security-lead")
    asked = world.ask(world.caller(root), root, "auditor")
    world.grants.approve(world.caller(root), world.ask(OPERATOR, ana, "owner"))
    independent = world.ask(OPERATOR, ana, "security-lead")
    world.grants.approve(world.caller(lead), independent)
    world.grants.approve(world.caller(ana), asked)
    assert world.newest()["metadata"]["authority"] == [independent]


def test_a_group_joined_since_the_request_gives_no_authority_over_it(world: World) -> None:
    root, bo = world.first(), world.person("bo")
    world.give("leads", "owner", group=True)
    asked = world.ask(world.caller(root), root, "auditor")
    world.groups(bo, "leads")
    with pytest.raises(OwnDecisionError):
        world.grants.approve(world.caller(bo), asked)
    world.grants.approve(world.caller(bo), world.ask(world.caller(root), root, "auditor"))


def test_authority_is_that_of_the_moment_and_not_of_the_session(world: World) -> None:
    boss, ana = world.person("boss"), world.person("ana")
    authority = world.give(boss, "owner", "acme")
    stale = world.caller(boss)
    asked = world.ask(OPERATOR, ana, "viewer", "acme")
    world.grants.revoke(OPERATOR, authority, reason="moved on")
    with pytest.raises(OwnDecisionError):
        world.grants.approve(stale, asked)


def test_an_approval_stays_when_its_approver_loses_the_role(world: World) -> None:
    boss, ana = world.person("boss"), world.person("ana")
    authority = world.give(boss, "owner", "acme")
    world.grants.approve(world.caller(boss), world.ask(OPERATOR, ana, "viewer", "acme"))
    world.grants.revoke(OPERATOR, authority, reason="moved on")
    assert world.rights(ana).allows(P.EVENTS_READ, "acme")


@pytest.mark.parametrize("scope", ["", "acm", "acme2", "other"])
def test_who_decides_in_one_scope_does_not_decide_beside_or_above_it(world: World, scope: str) -> None:
    boss = world.person("boss")
    world.give(boss, "owner", "acme")
    asked = world.ask(OPERATOR, world.person("ana"), "viewer", scope)
    with pytest.raises(GrantUnknownError):
        world.grants.approve(world.caller(boss), asked)
    with pytest.raises(OwnDecisionError):
        world.grants.approve(world.caller(boss, EVERYTHING), asked)


def test_a_narrower_token_of_an_approver_decides_nothing(world: World) -> None:
    root, ana = world.first(), world.person("ana")
    asked = world.ask(OPERATOR, ana, "viewer")
    with pytest.raises(PermissionMissingError):
        world.grants.approve(world.caller(root, may((P.ACCESS_READ, ""))), asked)


def test_a_service_neither_asks_nor_decides(world: World) -> None:
    service = Caller("robot", "service", "robot", EVERYTHING, "192.0.2.1", "api")
    asked = world.ask(OPERATOR, world.first(), "viewer")
    for verb in (
        lambda: world.ask(service, "p-root", "viewer"),
        lambda: world.grants.approve(service, asked),
        lambda: world.grants.reject(service, asked, reason="no"),
        lambda: world.grants.withdraw(service, asked),
        lambda: world.grants.revoke(service, asked, reason="no"),
        lambda: world.grants.extend(service, asked, until_us=world.now_us() + DAY_US, reason="no"),
        lambda: world.grants.break_glass(service, role="viewer", scope="", reason="no", minutes=5),
    ):
        with pytest.raises(PersonRequiredError):
            verb()


def test_a_role_that_changed_since_it_was_asked_for_is_not_approved(world: World) -> None:
    root = world.caller(world.first())
    world.roles.define(root, "reader", "Reader", "", [P.EVENTS_READ])
    asked = world.ask(OPERATOR, world.person("ana"), "reader")
    world.roles.change(root, "reader", "Reader", "", [P.EVENTS_READ, P.EVENTS_READ_PERSONAL])
    with pytest.raises(GrantChangedError):
        world.grants.approve(root, asked)
    world.roles.change(root, "reader", "Reader", "", [P.EVENTS_READ])
    world.grants.approve(root, asked)


def test_widening_a_role_gives_nobody_more_and_narrowing_it_takes_at_once(world: World) -> None:
    root, ana = world.caller(world.first()), world.person("ana")
    world.roles.define(root, "reader", "Reader", "", [P.EVENTS_READ, P.LOG_READ])
    world.give(ana, "reader")
    world.roles.change(root, "reader", "Reader", "", [P.EVENTS_READ, P.LOG_READ, P.SETTINGS_MANAGE])
    assert not world.rights(ana).anywhere(P.SETTINGS_MANAGE)
    world.roles.change(root, "reader", "Reader", "", [P.EVENTS_READ])
    assert not world.rights(ana).anywhere(P.LOG_READ)
    world.roles.change(root, "reader", "Reader", "", [P.EVENTS_READ, P.LOG_READ])
    assert world.rights(ana).anywhere(P.LOG_READ)


def test_one_of_two_decisions_at_the_same_time_wins(world: World) -> None:
    leads = [world.person(f"lead{number}") for number in range(4)]
    for lead in leads:
        world.give(lead, "owner")
    asked = world.ask(OPERATOR, world.person("ana"), "viewer")
    callers, before = [world.caller(lead) for lead in leads], len(world.parts)

    def decide(number: int) -> str:
        try:
            if number % 2:
                world.grants.approve(callers[number], asked)
            else:
                world.grants.reject(callers[number], asked, reason="no")
        except GrantDecidedError as error:
            return error.code
        return "won"

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(decide, range(4)))
    assert answers == ["grant-decided"] * 3 + ["won"]
    assert len(world.parts) == before + 1


def test_a_grant_ends_at_its_time_though_nobody_notices_and_no_clock_revives_it(world: World) -> None:
    ana = world.person("ana")
    grant = world.give(ana, "viewer", days=1)
    end = world.grants.get(OPERATOR, grant).terms.until_us
    assert end is not None
    world.clock.step((end - world.clock.now_us()) / 1_000_000)
    assert world.clock.now_us() == end
    assert world.rights(ana) == NOTHING
    world.clock.step(-0.000001)
    assert world.grants.rights_of(ana, (), world.clock.now_us()) == NOTHING
    assert "access.expired" not in world.actions()


def test_a_grant_allows_until_the_last_microsecond(world: World) -> None:
    ana = world.person("ana")
    grant = world.give(ana, "viewer", days=1)
    end = world.grants.get(OPERATOR, grant).terms.until_us
    assert end is not None
    assert world.grants.rights_of(ana, (), end - 1).anywhere(P.EVENTS_READ)


def test_that_a_grant_ran_out_is_written_down_once(world: World) -> None:
    ana = world.person("ana")
    grant = world.give(ana, "viewer", days=1)
    asked = world.ask(OPERATOR, ana, "auditor", days=1)
    world.grants.notice_expired()
    assert "access.expired" not in world.actions()
    world.clock.advance(90_000)
    for _ in range(2):
        world.grants.notice_expired()
    assert world.actions().count("access.expired") == 2
    assert [world.grants.get(OPERATOR, each).steps[-1].step for each in (grant, asked)] == ["expired", "expired"]


def test_a_request_whose_time_is_over_is_not_approved(world: World) -> None:
    root = world.caller(world.first())
    asked = world.ask(OPERATOR, world.person("ana"), "viewer", days=1)
    world.clock.advance(90_000)
    with pytest.raises(GrantDecidedError):
        world.grants.approve(root, asked)


def test_a_revoked_grant_allows_nothing_at_once(world: World) -> None:
    ana = world.person("ana")
    grant = world.give(ana, "viewer")
    assert world.rights(ana).anywhere(P.EVENTS_READ)
    world.grants.revoke(world.caller(world.operator_person), grant, reason="left the team")
    assert world.rights(ana) == NOTHING
    with pytest.raises(GrantNotActiveError):
        world.grants.revoke(OPERATOR, grant, reason="again")


def test_everybody_may_give_up_what_is_hers_and_nothing_else(world: World) -> None:
    ana, bo = world.person("ana"), world.person("bo")
    mine, other = world.give(ana, "viewer"), world.give(bo, "viewer")
    world.grants.revoke(world.caller(ana), mine, reason="no longer needed")
    with pytest.raises(GrantUnknownError):
        world.grants.revoke(world.caller(ana), other, reason="no")


def test_going_on_is_a_new_decision_that_ends_the_grant_before(world: World) -> None:
    root, ana = world.caller(world.first()), world.person("ana")
    old = world.give(ana, "viewer", days=5)
    new = world.grants.extend(world.caller(ana), old, until_us=world.now_us() + 9 * DAY_US, reason="not done")
    assert world.grants.get(OPERATOR, new).state(world.now_us()) is State.REQUESTED
    assert world.grants.get(OPERATOR, old).state(world.now_us()) is State.ACTIVE
    with pytest.raises(OwnDecisionError):
        world.grants.approve(world.caller(ana, EVERYTHING), new)
    world.grants.approve(root, new)
    assert world.grants.get(OPERATOR, old).state(world.now_us()) is State.EXTENDED
    assert world.grants.get(OPERATOR, new).state(world.now_us()) is State.ACTIVE
    world.grants.revoke(OPERATOR, new, reason="done")
    assert world.rights(ana) == NOTHING


def test_what_was_revoked_meanwhile_does_not_go_on(world: World) -> None:
    root, ana = world.caller(world.first()), world.person("ana")
    old = world.give(ana, "viewer", days=5)
    new = world.grants.extend(world.caller(ana), old, until_us=world.now_us() + 9 * DAY_US, reason="not done")
    world.grants.revoke(OPERATOR, old, reason="misuse")
    with pytest.raises(GrantNotActiveError):
        world.grants.approve(root, new)


def test_neither_a_setup_nor_an_emergency_is_extended(world: World) -> None:
    root = world.first()
    setup = world.grants.list(world.caller(root))[0]
    glass = world.grants.break_glass(world.caller(root), role="viewer", scope="", reason="fire", minutes=5)
    for grant in (setup.id, glass):
        with pytest.raises(GrantNotActiveError):
            world.grants.extend(world.caller(root), grant, until_us=world.now_us() + DAY_US, reason="more")


def test_a_request_is_taken_back_only_by_who_gains_from_it(world: World) -> None:
    root, ana, bo = world.caller(world.first()), world.person("ana"), world.person("bo")
    world.give(ana, "viewer")
    asked = world.ask(world.caller(ana), bo, "viewer")
    with pytest.raises(PermissionMissingError):
        world.grants.withdraw(root, asked)
    world.grants.withdraw(world.caller(ana), asked)
    with pytest.raises(GrantDecidedError):
        world.grants.approve(root, asked)


@pytest.mark.parametrize("days", [-1, 0, 367])
def test_every_grant_ends_and_within_a_year(world: World, days: int) -> None:
    with pytest.raises(GrantTermsInvalidError):
        world.ask(OPERATOR, world.first(), "viewer", days=days)


@pytest.mark.parametrize("reason", ["", "   ", "x" * 1001])
def test_access_is_not_asked_for_without_a_reason(world: World, reason: str) -> None:
    subject = Subject("person", world.first())
    with pytest.raises(GrantTermsInvalidError):
        world.grants.request(
            OPERATOR, subject=subject, role="viewer", scope="", reason=reason, until_us=world.now_us() + DAY_US
        )


def test_who_and_what_does_not_exist_gets_no_access(world: World) -> None:
    gone = world.person("gone")
    world.disable(gone)
    for person in ("p-nobody", gone):
        with pytest.raises(SubjectUnknownError):
            world.ask(OPERATOR, person, "viewer")
    with pytest.raises(RoleUnknownError):
        world.ask(OPERATOR, world.first(), "emperor")


def test_an_id_is_never_taken_for_the_handle_of_somebody_else(world: World) -> None:
    root, ana, eve = world.caller(world.first()), world.person("ana"), world.person("eve")
    world.handle(eve, ana)
    asked = world.ask(OPERATOR, ana, "viewer")
    assert world.grants.get(root, asked).terms.subject.id == ana


def test_the_handle_of_somebody_who_left_gets_no_access(world: World) -> None:
    gone = world.person("gone")
    world.handle(gone, "gone")
    world.disable(gone)
    with pytest.raises(SubjectUnknownError):
        world.ask(OPERATOR, "gone", "viewer")


def test_whoever_left_before_the_decision_gets_nothing(world: World) -> None:
    root, ana = world.caller(world.first()), world.person("ana")
    asked = world.ask(OPERATOR, ana, "viewer")
    world.disable(ana)
    with pytest.raises(SubjectUnknownError):
        world.grants.approve(root, asked)


def test_a_leaver_loses_everything_of_her_own_in_one_batch(world: World) -> None:
    root, ana = world.caller(world.first()), world.person("ana")
    grants = [world.give(ana, "viewer"), world.give(ana, "auditor", "acme")]
    asked = world.ask(OPERATOR, ana, "analyst")
    world.commands.run(lambda connection: world.grants.leaving_events(connection, root, ana, world.now_us()))
    assert world.rights(ana) == NOTHING
    states = {each.id: each.state(world.now_us()) for each in world.grants.list(OPERATOR)}
    assert [states[grant] for grant in grants] == [State.REVOKED, State.REVOKED]
    assert states[asked] is State.WITHDRAWN


def test_who_may_not_ask_asks_for_nothing(world: World) -> None:
    ana = world.person("ana")
    with pytest.raises(PermissionMissingError):
        world.ask(world.caller(ana), ana, "viewer")
    world.give(ana, "own-events-viewer", "acme")
    world.ask(world.caller(ana), ana, "viewer", "acme/payments")
    with pytest.raises(PermissionMissingError):
        world.ask(world.caller(ana), ana, "viewer", "")


def test_a_grant_that_one_may_not_see_is_as_unknown_as_one_that_there_is_not(world: World) -> None:
    ana, bo = world.person("ana"), world.person("bo")
    hidden = world.give(bo, "viewer", "acme")
    world.give(ana, "owner", "other")
    caller = world.caller(ana)
    messages = set()
    for grant in (hidden, "g-nothing"):
        for verb in (
            lambda grant=grant: world.grants.get(caller, grant),
            lambda grant=grant: world.grants.approve(caller, grant),
            lambda grant=grant: world.grants.revoke(caller, grant, reason="x"),
            lambda grant=grant: world.grants.withdraw(caller, grant),
        ):
            with pytest.raises(GrantUnknownError) as caught:
                verb()
            messages.add(caught.value.message.replace(grant, "…"))
    assert len(messages) == 1
    assert {each.scope for each in world.grants.list(caller)} == {"other"}


def test_everybody_lists_her_own_grants_and_who_sees_access_those_of_her_scopes(world: World) -> None:
    ana, bo = world.person("ana"), world.person("bo")
    world.give(ana, "viewer", "acme")
    world.give(bo, "owner", "acme")
    world.give(bo, "viewer", "acme2")
    assert [each.scope for each in world.grants.list(world.caller(ana))] == ["acme"]
    owner = world.caller(bo)
    assert sorted(each.scope for each in world.grants.list(owner)) == ["acme", "acme", "acme2"]
    assert [each.scope for each in world.grants.list(owner, subject=Subject("person", ana))] == ["acme"]
    assert world.grants.list(owner, state=State.REQUESTED) == []
    world.looks.seen.clear()
    world.grants.list(owner)
    assert world.looks.seen == [(bo, "grants", "")]


def test_a_service_without_the_permission_lists_nothing(world: World) -> None:
    service = Caller("robot", "service", "robot", may((P.EVENTS_READ, "")), "192.0.2.1", "api")
    with pytest.raises(PermissionMissingError):
        world.grants.list(service)


def test_the_operator_decides_alone_only_while_nobody_else_could(world: World) -> None:
    ana = world.person("ana")
    world.grants.approve(OPERATOR, world.ask(OPERATOR, ana, "administrator"))
    assert world.newest()["metadata"]["via"] == "command-line"
    assert world.newest()["actor"] == {"id": "operator", "type": "system"}
    asked = world.ask(OPERATOR, world.person("bo"), "viewer")
    with pytest.raises(OwnDecisionError):
        world.grants.approve(OPERATOR, asked)
    world.grants.approve(OPERATOR, world.ask(world.caller(ana), ana, "viewer"))


def test_the_operator_breaks_no_glass(world: World) -> None:
    with pytest.raises(PersonRequiredError):
        world.grants.break_glass(OPERATOR, role="viewer", scope="", reason="fire", minutes=5)


def test_a_broken_glass_opens_at_once_ends_by_itself_and_shouts(world: World) -> None:
    ana, root = world.person("ana"), world.first()
    world.give(ana, "analyst", "acme")
    world.roles.define(world.caller(root), "rescue", "Rescue", "", [P.CATALOGUE_MANAGE])
    glass = world.grants.break_glass(world.caller(ana), role="rescue", scope="acme", reason="fire", minutes=60)
    said = world.newest()
    assert said["severity"] == "critical"
    assert world.rights(ana).allows(P.CATALOGUE_MANAGE, "acme")
    for caller in (world.caller(root), world.caller(ana), OPERATOR):
        assert [each.id for each in world.grants.open_glass(caller)] == [glass]
    assert world.grants.open_glass(world.caller(world.person("bo"))) == []
    world.clock.advance(3600)
    assert not world.rights(ana).anywhere(P.CATALOGUE_MANAGE)
    assert world.grants.open_glass(OPERATOR) == []


@pytest.mark.parametrize("minutes", [-1, 0, 61, 10_000])
def test_an_emergency_lasts_at_most_an_hour(world: World, minutes: int) -> None:
    root = world.caller(world.first())
    with pytest.raises(GrantTermsInvalidError):
        world.grants.break_glass(root, role="viewer", scope="", reason="fire", minutes=minutes)


def test_an_emergency_gives_nothing_that_outlasts_it(world: World) -> None:
    ana = world.person("ana")
    world.give(ana, "analyst")
    world.grants.break_glass(world.caller(ana), role="administrator", scope="", reason="fire", minutes=60)
    lasting = {P.GRANTS_APPROVE, P.ROLES_MANAGE, P.PEOPLE_MANAGE, P.TOKENS_MANAGE, P.SETTINGS_MANAGE}
    assert not lasting & set(world.rights(ana).scopes_of)
    assert world.rights(ana).anywhere(P.LOG_READ)


@pytest.mark.parametrize("role", ["security-lead", "compliance-manager"])
def test_an_emergency_lets_nobody_decide_what_others_proposed(world: World, role: str) -> None:
    ana = world.person("ana")
    world.give(ana, "analyst")
    world.grants.break_glass(world.caller(ana), role=role, scope="", reason="fire", minutes=60)
    deciding = {permission for permission in P if permission.endswith(".approve")} | {P.REVIEWS_SIGN}
    assert len(deciding) > 5
    assert not deciding & set(world.rights(ana).scopes_of)
    assert world.rights(ana).anywhere(P.RETENTION_MANAGE)


def test_the_glass_breaks_only_where_one_may_break_it_and_with_a_reason(world: World) -> None:
    ana = world.person("ana")
    world.give(ana, "analyst", "acme")
    caller = world.caller(ana)
    with pytest.raises(PermissionMissingError):
        world.grants.break_glass(caller, role="viewer", scope="", reason="fire", minutes=5)
    with pytest.raises(GrantTermsInvalidError):
        world.grants.break_glass(caller, role="viewer", scope="acme", reason=" ", minutes=5)


def test_the_first_administrator_reads_by_a_grant_of_her_own_that_can_be_revoked(world: World) -> None:
    root = world.first()
    grants = {grant.terms.role: grant for grant in world.grants.list(world.caller(root))}
    assert {(grant.ground, grant.terms.until_us) for grant in grants.values()} == {(Ground.SETUP, None)}
    assert world.rights(root).allows(P.EVENTS_READ, "")
    world.grants.revoke(world.caller(root), grants["analyst"].id, reason="others read now")
    assert world.rights(root).allows(P.GRANTS_APPROVE, "")
    assert not world.rights(root).anywhere(P.EVENTS_READ)


def test_the_same_rights_come_as_the_same_object_until_something_changes(world: World) -> None:
    ana = world.person("ana")
    world.give(ana, "viewer")
    before = world.rights(ana, "x")
    world.person("bo")  # other rooms' events make nothing anew
    assert world.rights(ana, "x") is before
    world.give(ana, "auditor")
    assert world.rights(ana, "x") is not before


def test_a_group_gives_its_members_what_it_holds(world: World) -> None:
    ana = world.person("ana", "staff")
    world.give("staff", "viewer", "acme", group=True)
    assert world.rights(ana, "staff").allows(P.EVENTS_READ, "acme")
    assert world.rights(ana) == NOTHING


def test_replaying_the_log_gives_the_same_tables_and_without_personal_parts_the_same_rights(world: World) -> None:
    root, ana = world.first(), world.person("ana", "staff")
    world.roles.define(world.caller(root), "reader", "Reader", "Reads", [P.EVENTS_READ_PERSONAL])
    old = world.give(ana, "reader", "acme")
    world.grants.revoke(OPERATOR, old, reason="done")
    world.give("staff", "viewer", group=True)
    world.grants.break_glass(world.caller(root), role="viewer", scope="", reason="fire", minutes=5)
    before, rights = rows_of(world.projection.engine), world.rights(ana, "staff")
    world.projection.rebuild()
    assert rows_of(world.projection.engine) == before
    world.projection._read = lambda first: world.read(first, erased=True)
    world.projection.rebuild()
    assert world.rights(ana, "staff") == rights
    assert world.grants.get(OPERATOR, old).reason is None


def test_every_refusal_leaves_the_log_as_it_was(world: World) -> None:
    ana = world.person("ana")
    asked = world.ask(OPERATOR, ana, "viewer")
    size = len(world.parts)
    for verb in (
        lambda: world.grants.approve(world.caller(ana, EVERYTHING), asked),
        lambda: world.ask(OPERATOR, "p-nobody", "viewer"),
        lambda: world.roles.define(world.caller(ana), "x1", "X", "", [P.EVENTS_READ]),
    ):
        with pytest.raises(TallystickError):
            verb()
    assert len(world.parts) == size
