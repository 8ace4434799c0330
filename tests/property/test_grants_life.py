"""Whatever people do to grants in whatever order: nobody ends up with access that nobody else decided about."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Connection
from tests.grants_world import OPERATOR, World, rows_of

from tallystick.access.grants.history import rights_from
from tallystick.access.grants.members import find_member, groups_of
from tallystick.access.grants.model import Subject
from tallystick.access.permissions import Permission
from tallystick.access.rights import NOTHING, Rights
from tallystick.access.roles import BUILT_IN
from tallystick.errors import TallystickError

PEOPLE = ("p-root", "p-ana", "p-bo", "p-cy")
GROUPS = ("x", "y")
SCOPES = ("", "acme", "acme/pay")
ROLES = ("viewer", "owner", "administrator", "custom")
SETS = (
    [Permission.EVENTS_READ],
    [Permission.GRANTS_APPROVE, Permission.GRANTS_REQUEST],
    [Permission.ROLES_MANAGE, Permission.EVENTS_EXPORT, Permission.GRANTS_BREAK_GLASS],
)
person = st.sampled_from(PEOPLE)
pick = st.integers(min_value=0, max_value=200)


class Lives(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.world = World()
        self.world.first("root")
        for name in PEOPLE[1:]:
            self.world.person(name.removeprefix("p-"))
        self.world.roles.define(self.world.caller("p-root"), "custom", "Custom", "", SETS[0])
        self.moments: list[tuple[int, dict[str, Rights]]] = []

    def _grant(self, number: int) -> str:
        grants = self.world.grants.list(OPERATOR)
        return grants[number % len(grants)].id

    @rule(
        by=person, subject=st.sampled_from(PEOPLE + GROUPS), role=st.sampled_from(ROLES), scope=st.sampled_from(SCOPES)
    )
    def ask(self, by: str, subject: str, role: str, scope: str) -> None:
        with suppress(TallystickError):
            self.world.ask(self.world.caller(by), subject, role, scope, days=2, group=subject in GROUPS)

    @rule(subject=st.sampled_from(PEOPLE[1:] + GROUPS), role=st.sampled_from(ROLES), scope=st.sampled_from(SCOPES))
    def ask_at_the_command_line(self, subject: str, role: str, scope: str) -> None:
        with suppress(TallystickError):
            self.world.ask(OPERATOR, subject, role, scope, days=2, group=subject in GROUPS)

    @rule(by=person, number=pick)
    def approve(self, by: str, number: int) -> None:
        grant = self.world.grants.get(OPERATOR, self._grant(number))
        try:
            self.world.grants.approve(self.world.caller(by), grant.id)
        except TallystickError:
            return
        assert by not in self._gain(grant.subject) | {grant.requester}

    @rule(by=person, number=pick)
    def reject(self, by: str, number: int) -> None:
        with suppress(TallystickError):
            self.world.grants.reject(self.world.caller(by), self._grant(number), reason="no")

    @rule(by=person, number=pick)
    def revoke(self, by: str, number: int) -> None:
        with suppress(TallystickError):
            self.world.grants.revoke(self.world.caller(by), self._grant(number), reason="enough")

    @rule(by=person, number=pick)
    def withdraw(self, by: str, number: int) -> None:
        with suppress(TallystickError):
            self.world.grants.withdraw(self.world.caller(by), self._grant(number))

    @rule(by=person, number=pick)
    def extend(self, by: str, number: int) -> None:
        until_us = self.world.now_us() + 3 * 86_400_000_000
        with suppress(TallystickError):
            self.world.grants.extend(self.world.caller(by), self._grant(number), until_us=until_us, reason="more")

    @rule(by=person, role=st.sampled_from(ROLES), scope=st.sampled_from(SCOPES))
    def break_glass(self, by: str, role: str, scope: str) -> None:
        with suppress(TallystickError):
            self.world.grants.break_glass(self.world.caller(by), role=role, scope=scope, reason="fire", minutes=30)

    @rule(by=person, permissions=st.sampled_from(SETS))
    def change_role(self, by: str, permissions: list[Permission]) -> None:
        with suppress(TallystickError):
            self.world.roles.change(self.world.caller(by), "custom", "Custom", "", permissions)

    @rule(who=person, groups=st.sets(st.sampled_from(GROUPS)))
    def change_groups(self, who: str, groups: set[str]) -> None:
        self.world.groups(who, *sorted(groups))

    @rule(hours=st.sampled_from([0.25, 1, 20, 60]))
    def wait(self, hours: float) -> None:
        self.world.clock.advance(hours * 3600)

    @rule()
    def notice(self) -> None:
        self.world.grants.notice_expired()

    @rule(who=st.sampled_from(PEOPLE[1:]))
    @precondition(lambda self: len(self.world.parts) > 30)
    def leave(self, who: str) -> None:
        self.world.disable(who)

    @invariant()
    def what_is_allowed_is_what_the_events_say(self) -> None:
        if not hasattr(self, "world"):
            return
        now_us = self.world.now_us()
        expected = {each: self._by_the_events(each, now_us) for each in PEOPLE}
        assert {each: self._rights(each, now_us) for each in PEOPLE} == expected
        self.moments.append((now_us, expected))

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        before = rows_of(self.world.projection.engine)
        self.world.projection.rebuild()
        assert rows_of(self.world.projection.engine) == before
        self._check_decisions()
        for at_us, expected in self.moments[-1::-3]:
            with self.world.grants._history.at(at_us) as connection:
                assert {each: rights_from(connection, each, at_us) for each in PEOPLE} == expected
        self._check_who_could(*self.moments[len(self.moments) // 2])

    def _rights(self, who: str, now_us: int) -> Rights:
        with self.world.projection.engine.connect() as connection:
            groups = groups_of(connection, who)
        return self.world.grants.rights_of(who, groups, now_us)

    def _gain(self, subject: Subject) -> set[str]:
        if subject.kind == "person":
            return {subject.id}
        with self.world.projection.engine.connect() as connection:
            return {each for each in PEOPLE if subject.id in groups_of(connection, each)}

    def _by_the_events(self, who: str, now_us: int) -> Rights:
        """Return what a plain reading of the log allows, without tables."""
        groups: set[str] = set()
        roles: dict[str, set[str]] = {name: set(role.permissions) for name, role in BUILT_IN.items()}
        asked: dict[str, dict[str, Any]] = {}
        active: set[str] = set()
        for event in self.world.read(0):
            said, grant = event.metadata, event.metadata.get("grant", "")
            match event.action:
                case "access.groups_changed" if said["person"] == who:
                    groups = set(said["groups"])
                case "access.role_defined" | "access.role_changed":
                    roles[said["role"]] = set(said["permissions"])
                case "access.requested":
                    asked[grant] = said
                case "access.set_up" | "access.glass_broken":
                    asked[grant] = said
                    active.add(grant)
                case "access.approved":
                    active.add(grant)
                case "access.revoked" | "access.extended":
                    active.discard(grant)
        held = [asked[grant] for grant in active]
        return Rights.of(
            (Permission(name), each["scope"])
            for each in held
            if (each["subject"] == who or (each["subject_kind"] == "group" and each["subject"] in groups))
            and (each["until"] is None or each["until"] > now_us)
            for name in set(each["permissions"]) & roles[each["role"]]
        )

    def _check_decisions(self) -> None:
        """Check that each approval rests on authority that does not come from who asked, or gets the access."""
        asked: dict[str, tuple[int, set[str]]] = {}
        decided: dict[str, tuple[int, str, list[str]]] = {}
        for event in self.world.read(0):
            said = event.metadata
            actor = event.event["actor"]["id"]
            if event.action == "access.requested":
                subject = {said["subject"]} if said["subject_kind"] == "person" else set()
                asked[said["grant"]] = (event.index, {actor} | subject)
            elif event.action == "access.approved":
                since, gain = asked[said["grant"]]
                assert actor not in gain
                sound = [each for each in said["authority"] if not _is_theirs(each, since, gain, decided)]
                assert sound == said["authority"] != []
                decided[said["grant"]] = (event.index, actor, said["authority"])

    def _check_who_could(self, at_us: int, expected: dict[str, Rights]) -> None:
        for permission in (Permission.EVENTS_READ, Permission.GRANTS_APPROVE):
            for scope in SCOPES:
                found = self.world.grants.who_could(OPERATOR, permission, scope, at_us)
                with self.world.grants._history.at(at_us) as connection:
                    left = set(PEOPLE) - _present(connection)
                whole = {each.person for each in found if each.whole}
                assert whole == {who for who in PEOPLE if expected[who].allows(permission, scope)} - left


def _present(connection: Connection) -> set[str]:
    return {who for who in PEOPLE if (member := find_member(connection, who)) and not member.disabled}


def _is_theirs(grant: str, since: int, gain: set[str], decided: dict[str, tuple[int, str, list[str]]]) -> bool:
    index, actor, authority = decided.get(grant, (-1, "", []))
    return index > since and (actor in gain or all(_is_theirs(each, since, gain, decided) for each in authority))


Lives.TestCase.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
TestNobodyDecidesForHerself = Lives.TestCase


def test_whoever_has_nothing_has_nothing() -> None:
    assert World().rights("p-nobody") == NOTHING
