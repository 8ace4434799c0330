"""Whoever manages accounts tries to gain by them: with accounts of her own making, and with those of others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pyotp
import pytest
from tests.installation import installation
from tests.people_world import ADDRESS, LONG_US, PASSWORD, Member, People, settle

from tallystick.access.grants.errors import OwnDecisionError
from tallystick.access.grants.model import Subject
from tallystick.access.model import Caller
from tallystick.access.operator import OPERATOR
from tallystick.access.people.errors import NotAPersonError, PersonStateError
from tallystick.access.people.model import Profile, Visit
from tallystick.access.permissions import Permission, close
from tallystick.access.sources.model import Owner, OwnerKind, TokenSettings
from tallystick.testing import ManualClock

P = Permission
VISIT = Visit(ADDRESS, "tests")
OTHER_PASSWORD = "nine purple kettles sing"


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    with installation(tmp_path) as house:
        yield settle(house.instance)


def administrator(people: People, handle: str = "eve") -> Member:
    """Return somebody who runs the installation and reads no events."""
    return people.join(handle, ("administrator", ""))


def invited_by(people: People, admin: Member, handle: str) -> Member:
    """Return an account whose link an administrator made and opened herself."""
    services = people.instance.services
    _, link = services.people.invite(people.caller(admin), Profile(handle, handle.title()))
    return opened(people, handle, link.token)


def opened(people: People, handle: str, token: str) -> Member:
    signed_in = people.instance.services.people.accept(token, OTHER_PASSWORD, VISIT)
    assert signed_in is not None
    return Member(signed_in.person, handle, signed_in.cookie, signed_in.session)


def linked_again(people: People, admin: Caller, member: Member) -> Member:
    """Return somebody's account as whoever made a new link for it has it."""
    link = people.instance.services.people.invite_again(admin, member.id)
    return opened(people, member.handle, link.token)


def ask(people: People, by: Member, subject: Member, role: str = "analyst") -> str:
    services = people.instance.services
    until = services.ledger.status().now + LONG_US
    return services.grants.request(
        people.caller(by), subject=Subject("person", subject.id), role=role, scope="", reason="work", until_us=until
    )


def approve(people: People, by: Member, grant: str) -> None:
    people.instance.services.grants.approve(people.caller(by), grant)


def give(people: People, admin: Member, member: Member, role: str, *, decides: Caller) -> None:
    """Let an administrator ask for somebody else, and another decide."""
    people.instance.services.grants.approve(decides, ask(people, admin, member, role))


def rights(people: People, member: Member) -> set[Permission]:
    return set(people.caller(member).rights.scopes_of)


def with_second_factor(people: People, member: Member) -> str:
    """Switch somebody's second factor on and return its seed."""
    account = people.instance.services.account
    seed = account.start_totp(people.caller(member))
    account.confirm_totp(people.caller(member), seed.name, pyotp.TOTP(seed.text).now())
    return seed.text


def test_an_account_that_the_requester_invited_does_not_decide_for_her(people: People) -> None:
    eve = administrator(people)
    puppet = invited_by(people, eve, "puppet")
    people.grant(puppet, "administrator")
    again = linked_again(people, people.caller(eve), puppet)
    with pytest.raises(OwnDecisionError):
        approve(people, again, ask(people, eve, eve))
    assert P.EVENTS_READ not in rights(people, eve)


def test_an_approver_whose_password_the_requester_set_since_does_not_decide_for_her(people: People) -> None:
    eve, bo = administrator(people), administrator(people, "bo")
    bo = linked_again(people, people.caller(eve), bo)
    with pytest.raises(OwnDecisionError):
        approve(people, bo, ask(people, eve, eve))


def test_nor_one_whose_second_factor_she_switched_off(people: People) -> None:
    eve, bo = administrator(people), administrator(people, "bo")
    with_second_factor(people, bo)
    people.instance.services.people.reset_second_factor(people.caller(eve), bo.id, reason="lost")
    step = people.instance.services.signin.password("bo", PASSWORD, VISIT)
    assert step.signed_in is not None
    bo = Member(bo.id, "bo", step.signed_in.cookie, step.signed_in.session)
    with pytest.raises(OwnDecisionError):
        approve(people, bo, ask(people, eve, eve))


def test_nor_an_account_of_an_account_of_hers(people: People) -> None:
    eve, bo, cy = administrator(people), administrator(people, "bo"), administrator(people, "cy")
    bo = linked_again(people, people.caller(eve), bo)
    cy = linked_again(people, people.caller(bo), cy)
    with pytest.raises(OwnDecisionError):
        approve(people, cy, ask(people, eve, eve))


def test_nor_does_she_decide_what_an_account_of_hers_asks_for(people: People) -> None:
    eve = administrator(people)
    puppet = invited_by(people, eve, "puppet")
    people.grant(puppet, "viewer")
    with pytest.raises(OwnDecisionError):
        approve(people, eve, ask(people, puppet, puppet))
    assert P.EVENTS_READ_PERSONAL not in rights(people, puppet)


def test_what_another_person_asks_for_an_account_of_hers_she_decides(people: People) -> None:
    eve, mia = administrator(people), people.join("mia", ("viewer", ""))
    newcomer = invited_by(people, eve, "newcomer")
    approve(people, eve, ask(people, mia, newcomer, "viewer"))
    assert P.EVENTS_READ in rights(people, newcomer)


@pytest.mark.parametrize("decides", ["the operator", "the first"])
def test_an_approver_whom_another_person_made_one_since_then_decides(people: People, decides: str) -> None:
    eve = administrator(people)
    bo = invited_by(people, eve, "bo")
    by = OPERATOR if decides == "the operator" else people.caller(people.first)
    give(people, eve, bo, "administrator", decides=by)
    approve(people, bo, ask(people, eve, eve))
    assert P.EVENTS_READ in rights(people, eve)


def test_a_link_of_somebody_else_gives_an_account_back_to_its_owner(people: People) -> None:
    eve, bo = administrator(people), administrator(people, "bo")
    bo = linked_again(people, people.caller(eve), bo)
    bo = linked_again(people, OPERATOR, bo)
    approve(people, bo, ask(people, eve, eve))
    assert P.EVENTS_READ in rights(people, eve)


def test_a_link_into_an_account_that_may_do_more_does_not_give_that_to_who_made_it(people: People) -> None:
    eve, reader = administrator(people), people.join("reader", ("analyst", ""))
    taken = linked_again(people, people.caller(eve), reader)
    assert P.EVENTS_READ not in rights(people, taken)


def test_what_the_maker_of_a_link_may_do_herself_stays(people: People) -> None:
    eve, both = administrator(people), people.join("both", ("analyst", ""), ("administrator", ""))
    taken = linked_again(people, people.caller(eve), both)
    assert P.PEOPLE_MANAGE in rights(people, taken)
    assert P.EVENTS_READ not in rights(people, taken)


def test_a_link_of_the_operator_takes_nothing(people: People) -> None:
    reader = people.join("reader", ("analyst", ""))
    assert P.EVENTS_READ in rights(people, linked_again(people, OPERATOR, reader))


@pytest.mark.parametrize("first", ["link", "second factor"])
def test_link_and_second_factor_together_do_not_give_it_either(people: People, first: str) -> None:
    services = people.instance.services
    eve, reader = administrator(people), people.join("reader", ("analyst", ""))
    with_second_factor(people, reader)

    def link() -> None:
        token = services.people.invite_again(people.caller(eve), reader.id).token
        services.people.accept(token, OTHER_PASSWORD, VISIT)

    def factor() -> None:
        services.people.reset_second_factor(people.caller(eve), reader.id, reason="lost")

    for step in (link, factor) if first == "link" else (factor, link):
        step()
    step_in = services.signin.password("reader", OTHER_PASSWORD, VISIT)
    assert step_in.signed_in is not None
    taken = Member(reader.id, "reader", step_in.signed_in.cookie, step_in.signed_in.session)
    assert P.EVENTS_READ not in rights(people, taken)


def test_a_second_factor_keeps_the_access_of_who_forgot_her_password(people: People) -> None:
    services = people.instance.services
    eve, reader = administrator(people), people.join("reader", ("analyst", ""))
    seed = with_second_factor(people, reader)
    token = services.people.invite_again(people.caller(eve), reader.id).token
    assert services.people.accept(token, OTHER_PASSWORD, VISIT) is None
    ticket = services.signin.password("reader", OTHER_PASSWORD, VISIT).ticket
    soon = pyotp.TOTP(seed).at(services.ledger.status().now / 1e6 + 30)
    step = services.signin.totp(ticket, soon, VISIT)
    assert step.signed_in is not None
    back = Member(reader.id, "reader", step.signed_in.cookie, step.signed_in.session)
    assert P.EVENTS_READ in rights(people, back)


Act = Callable[[People, Caller, str], object]
ACTS: dict[str, Act] = {
    "invite": lambda people, by, _: people.instance.services.people.invite(by, Profile("puppet", "Puppet")),
    "invite again": lambda people, by, whom: people.instance.services.people.invite_again(by, whom),
    "enable": lambda people, by, whom: people.instance.services.people.enable(by, whom),
    "second factor": lambda people, by, whom: people.instance.services.people.reset_second_factor(
        by, whom, reason="lost"
    ),
}


@pytest.mark.parametrize("act", ACTS)
def test_no_service_stands_between_an_account_and_who_made_it(people: People, act: str) -> None:
    services = people.instance.services
    soon = services.ledger.status().now + 3_600_000_000
    settings = TokenSettings(close({P.PEOPLE_MANAGE}), ("",), soon)
    made = services.tokens.create(people.caller(administrator(people)), Owner(OwnerKind.SERVICE, "robot"), settings)
    robot = services.tokens.authenticate(f"Bearer {made.secret}", address=ADDRESS, via="api")
    with pytest.raises(NotAPersonError):
        ACTS[act](people, robot, people.join("bo").id)


def test_nobody_becomes_the_actor_of_others_events_by_changing_her_own_address(people: People) -> None:
    eve = administrator(people)
    with pytest.raises(PersonStateError):
        people.instance.services.people.change(people.caller(eve), eve.id, Profile("eve", "Eve", "victim@example.org"))


ENTRANCES = [
    ("/access/people", {"handle": "puppet", "name": "Puppet"}),
    ("/access/people/{person}/invite", {}),
    ("/access/people/{person}/enable", {}),
    ("/access/people/{person}/disable", {"reason": "gone"}),
    ("/access/people/{person}/second-factor-off", {"reason": "lost"}),
]


@pytest.mark.parametrize(("path", "form"), ENTRANCES, ids=lambda value: value if isinstance(value, str) else "")
def test_a_cookie_that_was_stolen_makes_no_way_into_an_account(tmp_path: Path, path: str, form: dict[str, str]) -> None:
    clock = ManualClock()
    with installation(tmp_path, clock=clock) as house:
        people = settle(house.instance)
        bo, size = people.join("bo"), len(house.actions())
        clock.advance(11 * 60)
        answer = house.http.post(
            path.format(person=bo.id), data=form, headers={**people.first.headers, "sec-fetch-site": "same-origin"}
        )
        assert (answer.status_code, "confirm" in answer.text.lower()) == (403, True)
        assert len(house.actions()) == size
