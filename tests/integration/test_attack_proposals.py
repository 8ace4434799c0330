"""Somebody tries to put her own proposal of policies in force: with a second account, or with a program's token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.installation import Installation, installation
from tests.people_world import ADDRESS, PASSWORD, Member, People, settle
from tests.permission_rows import bearer
from tests.policy_world import Register, approval, policies

from tallystick.access.operator import OPERATOR
from tallystick.access.people.model import Profile, Visit
from tallystick.access.permissions import Permission
from tallystick.access.sources.model import Owner, OwnerKind, TokenSettings
from tallystick.policies.errors import OwnPolicyProposalError
from tallystick.policies.model import digest_of

ONE = policies(approval("One"))
LEAD = "security-lead"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path) as house:
        yield house


@pytest.fixture
def people(house: Installation) -> People:
    return settle(house.instance)


@pytest.fixture
def register(house: Installation) -> Register:
    return Register(house)


def invited_by(people: People, admin: Member, handle: str) -> Member:
    """Return an account whose link somebody made and opened herself."""
    services = people.instance.services
    _, link = services.people.invite(people.caller(admin), Profile(handle, handle.title()))
    signed_in = services.people.accept(link.token, PASSWORD, Visit(ADDRESS, "tests"))
    assert signed_in is not None
    return Member(signed_in.person, handle, signed_in.cookie, signed_in.session)


def give(people: People, member: Member, role: str, *, decides: Member) -> None:
    """Give somebody a role that one person decides about."""
    grant = people.ask(member, role)
    people.instance.services.grants.approve(people.caller(decides), grant)


def decide(register: Register, people: People, by: Member, project: str, proposal: str) -> None:
    register.room.service.approve(people.caller(by), project, proposal, digest_of(ONE.encode()))


def test_an_account_that_the_proposer_made_does_not_approve_for_her(register: Register, people: People) -> None:
    eve = people.join("eve", ("administrator", ""), (LEAD, ""))
    puppet = invited_by(people, eve, "puppet")
    give(people, puppet, LEAD, decides=eve)
    project = register.here(approval=True)
    proposal = register.room.service.propose(people.caller(eve), project, ONE, None, "trust me")
    with pytest.raises(OwnPolicyProposalError):
        decide(register, people, puppet, project, proposal)
    with pytest.raises(OwnPolicyProposalError):
        register.room.service.decline(people.caller(puppet), project, proposal, "no")
    assert register.names(project) == {}


def test_nobody_approves_what_an_account_of_her_making_proposed(register: Register, people: People) -> None:
    eve = people.join("eve", ("administrator", ""), (LEAD, ""))
    puppet = invited_by(people, eve, "puppet")
    give(people, puppet, LEAD, decides=people.first)
    project = register.here(approval=True)
    proposal = register.room.service.propose(people.caller(puppet), project, ONE, None, "trust me")
    with pytest.raises(OwnPolicyProposalError):
        decide(register, people, eve, project, proposal)
    assert register.names(project) == {}


def test_whom_the_proposer_invited_approves_once_somebody_else_said_that_she_may(
    register: Register, people: People
) -> None:
    eve = people.join("eve", ("administrator", ""), (LEAD, ""))
    mia = invited_by(people, eve, "mia")
    give(people, mia, LEAD, decides=people.first)
    project = register.here(approval=True)
    proposal = register.room.service.propose(people.caller(eve), project, ONE, None, "for a start")
    decide(register, people, mia, project, proposal)
    assert register.names(project) == {"One": True}


def test_a_program_proposes_nothing_that_whoever_made_its_token_could_approve(
    house: Installation, register: Register
) -> None:
    project = register.here(approval=True)
    headers = bearer(house, [Permission.POLICIES_MANAGE])
    body = {"text": ONE, "reason": "a start"}
    answer = house.http.post(f"/api/v1/policies/{project}/proposals", json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "own-policy-proposal")
    assert register.room.reading.proposals(OPERATOR, project) == []


def test_a_persons_token_approves_nothing(house: Installation, register: Register, people: People) -> None:
    lea, pia = people.join("lea", (LEAD, "")), people.join("pia", (LEAD, ""))
    services = people.instance.services
    project = register.here(approval=True)
    proposal = register.room.service.propose(people.caller(lea), project, ONE, None, "for a start")
    wanted = frozenset({Permission.POLICIES_APPROVE, Permission.POLICIES_READ, Permission.EVENTS_READ})
    settings = TokenSettings(wanted, ("",))
    made = services.tokens.create(people.caller(pia), Owner(OwnerKind.PERSON, pia.id), settings)
    answer = house.http.post(
        f"/api/v1/policies/{project}/proposals/{proposal}/approve",
        json={"digest": digest_of(ONE.encode())},
        headers={"authorization": f"Bearer {made.secret}"},
    )
    assert answer.status_code == 403
    assert register.names(project) == {}
