"""Tokens as a way to more than one has: for longer than one has it, or under another's name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.installation import Installation, installation, sample
from tests.people_world import ADDRESS, LONG_US, People, settle

from tallystick.access.model import Caller
from tallystick.access.operator import OPERATOR
from tallystick.access.permissions import Permission, close
from tallystick.access.sources.errors import SourceNameInvalidError, TokenExceedsError
from tallystick.access.sources.model import CreatedToken, Owner, OwnerKind, SourceSettings, TokenSettings
from tallystick.search.model import Search
from tallystick.work.model import Question

P = Permission
DAY_US = 86_400 * 1_000_000


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path) as opened:
        yield opened


@pytest.fixture
def people(house: Installation) -> People:
    return settle(house.instance)


def make(
    people: People, by: Caller, *permissions: Permission, days: int | None, kind: OwnerKind = OwnerKind.SERVICE
) -> CreatedToken:
    services = people.instance.services
    expires_at = None if days is None else services.ledger.status().now + days * DAY_US
    name = by.id if kind is OwnerKind.PERSON else "collector"
    return services.tokens.create(by, Owner(kind, name), TokenSettings(close(permissions), ("",), expires_at))


def come_in(people: People, made: CreatedToken) -> Caller:
    return people.instance.services.tokens.authenticate(f"Bearer {made.secret}", address=ADDRESS, via="api")


@pytest.mark.parametrize("days", [None, LONG_US // DAY_US + 1])
@pytest.mark.parametrize("kind", [OwnerKind.SERVICE, OwnerKind.SOURCE])
def test_no_token_lasts_longer_than_the_access_it_was_made_by(
    people: People, kind: OwnerKind, days: int | None
) -> None:
    people.instance.services.sources.register(OPERATOR, "collector", SourceSettings(scopes=("",)))
    owner = people.caller(people.join("olga", ("owner", "")))
    with pytest.raises(TokenExceedsError, match="shorter time"):
        make(people, owner, P.EVENTS_READ, days=days, kind=kind)
    assert come_in(people, make(people, owner, P.EVENTS_READ, days=1, kind=kind)).read_scopes == ("",)


def test_nor_does_its_successor(people: People) -> None:
    owner = people.caller(people.join("olga", ("owner", "")))
    long = make(people, OPERATOR, P.EVENTS_READ, days=None)
    with pytest.raises(TokenExceedsError, match="shorter time"):
        people.instance.services.tokens.rotate(owner, long.token)


def test_nor_does_a_token_that_a_token_makes(people: People) -> None:
    robot = come_in(people, make(people, OPERATOR, P.EVENTS_READ, P.TOKENS_MANAGE, days=2))
    with pytest.raises(TokenExceedsError, match="shorter time"):
        make(people, robot, P.EVENTS_READ, days=3)
    assert come_in(people, make(people, robot, P.EVENTS_READ, days=1)).read_scopes == ("",)


def test_sending_is_given_for_as_long_as_one_likes(people: People) -> None:
    people.instance.services.sources.register(OPERATOR, "collector", SourceSettings(scopes=("",)))
    owner = people.caller(people.join("olga", ("owner", "")))
    assert come_in(people, make(people, owner, P.EVENTS_RECORD, days=None, kind=OwnerKind.SOURCE)).write is not None


def test_the_token_of_a_person_may_last_since_it_follows_her(people: People) -> None:
    owner = people.join("olga", ("owner", ""))
    made = make(people, people.caller(owner), P.EVENTS_READ, days=None, kind=OwnerKind.PERSON)
    assert come_in(people, made).read_scopes == ("",)
    services = people.instance.services
    services.people.disable(OPERATOR, owner.id)
    services.people.enable(OPERATOR, owner.id)
    assert all(token.revoked for token in services.tokens.list(OPERATOR) if token.token == made.token)


def test_a_service_that_is_named_like_another_does_not_read_its_events(house: Installation, people: People) -> None:
    house.post([sample(actor={"id": "gitlab", "type": "service", "name": "GitLab"}, reason="told nobody")])
    role = people.role({P.EVENTS_READ_OWN, P.TOKENS_MANAGE})
    ana = people.join("ana", (role, ""))
    services = people.instance.services
    wanted = TokenSettings(frozenset({P.EVENTS_READ_OWN}), ("",), services.ledger.status().now + DAY_US)
    made = services.tokens.create(people.caller(ana), Owner(OwnerKind.SERVICE, "gitlab"), wanted)
    found = services.search.search(Search(), come_in(people, made))
    assert not found.rows


@pytest.mark.parametrize("kind", [OwnerKind.SERVICE, OwnerKind.SOURCE])
def test_no_service_is_named_like_a_person_or_the_operator_and_sees_what_is_theirs(
    people: People, kind: OwnerKind
) -> None:
    services = people.instance.services
    ana = people.join("ana", ("analyst", ""))
    services.views.save(people.caller(ana), "mine alone", Question(text="action:user.signed_in"))
    wanted = TokenSettings(close({P.SOURCES_READ}), ("",), services.ledger.status().now + DAY_US)
    manager = people.caller(people.join("mo", ("administrator", "")))

    def name_it(name: str) -> object:
        if kind is OwnerKind.SOURCE:
            return services.sources.register(manager, name, SourceSettings(scopes=("",)))
        return services.tokens.create(manager, Owner(kind, name), wanted)

    for name in (ana.id, OPERATOR.id):
        with pytest.raises(SourceNameInvalidError):
            name_it(name)
    assert name_it("p-collector") is not None
