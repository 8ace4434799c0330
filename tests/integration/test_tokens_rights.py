"""What a token can be: never more than its maker, from where, until when, and in whose place."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from tests.installation import Installation, installation, make_token

from tallystick.access.errors import TokenInvalidError
from tallystick.access.model import Caller
from tallystick.access.operator import OPERATOR
from tallystick.access.permissions import Permission
from tallystick.access.rights import Rights
from tallystick.access.sources.errors import (
    SourceConflictError,
    SourceUnknownError,
    TokenEndedError,
    TokenExceedsError,
    TokenRotatingError,
    TokenSettingsError,
    TokenUnknownError,
)
from tallystick.access.sources.limits import NOT_FOR_TOKENS
from tallystick.access.sources.model import CreatedToken, Owner, OwnerKind, SourceSettings, TokenSettings
from tallystick.access.sources.ports import Standing
from tallystick.access.sources.tokens import OVERLAP_S_MAX, TokenService
from tallystick.errors import PermissionMissingError
from tallystick.store.secrets import Secrets
from tallystick.testing import ManualClock

P = Permission
HOUR_S = 3600
US = 1_000_000
SERVICE = Owner(OwnerKind.SERVICE, "dashboard")
ANA = Owner(OwnerKind.PERSON, "p-ana")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def home(tmp_path: Path, clock: ManualClock) -> Iterator[Installation]:
    with installation(tmp_path, clock=clock) as opened:
        yield opened


def caller(*pairs: tuple[Permission, str], id: str = "p-ana") -> Caller:  # noqa: A002
    return Caller(id, "user", "Ana", Rights.of(pairs), "192.0.2.1", "page")


def program(*pairs: tuple[Permission, str]) -> Caller:
    """Return a service, whose rights come from its token alone: those of a person come from grants."""
    return Caller("deploy", "service", "deploy", Rights.of(pairs), "192.0.2.1", "api")


def opens(home: Installation, created: CreatedToken, address: str = "10.0.0.1") -> Caller:
    return home.instance.services.tokens.authenticate(f"Bearer {created.secret}", address=address, via="api")


def settings(*permissions: Permission, scope: str = "acme", **more: object) -> TokenSettings:
    return TokenSettings(frozenset(permissions), (scope,), **more)  # type: ignore[arg-type]


def test_a_token_never_holds_what_its_maker_does_not(home: Installation) -> None:
    maker = program((P.TOKENS_MANAGE, ""), (P.EVENTS_READ, "acme"))
    tokens = home.instance.services.tokens
    assert opens(home, tokens.create(maker, SERVICE, settings(P.EVENTS_READ))).read_scopes == ("acme",)
    for wanted in (
        settings(P.EVENTS_READ, scope=""),
        settings(P.EVENTS_READ, scope="other"),
        settings(P.EVENTS_READ_PERSONAL),
        settings(P.GRANTS_REVOKE),
    ):
        with pytest.raises(TokenExceedsError):
            tokens.create(maker, SERVICE, wanted)


def test_who_manages_a_source_gives_sending_without_being_able_to_send_or_read(home: Installation) -> None:
    home.instance.services.sources.ensure(OPERATOR, "app", SourceSettings(scopes=("acme",)))
    source, maker = Owner(OwnerKind.SOURCE, "app"), program((P.SOURCES_MANAGE, "acme"), (P.SOURCES_READ, "acme"))
    tokens = home.instance.services.tokens
    write = opens(home, tokens.create(maker, source, settings(P.EVENTS_RECORD, scope="acme/x"))).write
    assert write is not None
    assert write.scopes == ("acme/x",)
    with pytest.raises(TokenExceedsError):
        tokens.create(maker, source, settings(P.EVENTS_RECORD, P.EVENTS_READ))
    with pytest.raises(PermissionMissingError):
        tokens.create(program((P.SOURCES_READ, "acme")), source, settings(P.EVENTS_RECORD))
    with pytest.raises(SourceUnknownError):
        tokens.create(program((P.SOURCES_MANAGE, "other")), source, settings(P.EVENTS_RECORD, scope="other"))
    with pytest.raises(SourceConflictError):
        tokens.create(OPERATOR, source, settings(P.EVENTS_RECORD, scope="other"))


@pytest.mark.parametrize("permission", sorted(NOT_FOR_TOKENS))
def test_what_only_a_person_may_do_is_in_no_token(home: Installation, permission: Permission) -> None:
    with pytest.raises(TokenSettingsError, match=permission):
        home.instance.services.tokens.create(OPERATOR, SERVICE, settings(permission))


def test_tokens_that_make_no_sense_are_refused(home: Installation, clock: ManualClock) -> None:
    tokens = home.instance.services.tokens
    for owner, wanted in (
        (SERVICE, settings()),
        (SERVICE, settings(P.EVENTS_RECORD)),
        (SERVICE, TokenSettings(frozenset({P.EVENTS_READ}), ())),
        (SERVICE, settings(P.EVENTS_READ, expires_at=clock.now_us())),
        (SERVICE, settings(P.EVENTS_READ, expires_at=2**62)),
        (SERVICE, settings(P.EVENTS_READ, label="a\u202eb")),
    ):
        with pytest.raises(TokenSettingsError):
            tokens.create(OPERATOR, owner, wanted)
    assert tokens.list(OPERATOR) == []


def test_only_a_person_makes_and_sees_the_tokens_of_that_person(home: Installation) -> None:
    tokens = home.instance.services.tokens
    ana = caller((P.TOKENS_CREATE_OWN, ""), (P.EVENTS_READ, "acme"))
    bo = caller((P.TOKENS_CREATE_OWN, ""), (P.EVENTS_READ, "acme"), id="p-bo")
    made = tokens.create(ana, ANA, settings(P.EVENTS_READ, label="notebook"))
    assert [(each.token, each.settings.label) for each in tokens.list(ana)] == [(made.token, "notebook")]
    assert tokens.list(bo) == []
    for stranger in (bo, OPERATOR):
        with pytest.raises(PermissionMissingError):
            tokens.create(stranger, ANA, settings(P.EVENTS_READ))
    for verb in (tokens.revoke, tokens.rotate, tokens.get):
        with pytest.raises(TokenUnknownError):
            verb(bo, made.token)
    with pytest.raises(PermissionMissingError):
        tokens.create(caller((P.EVENTS_READ, "acme")), ANA, settings(P.EVENTS_READ))


class People:
    """Says what people may do; what it says is changed by the test."""

    def __init__(self) -> None:
        self.standing: Standing | None = Standing("Ana", Rights.of([(P.EVENTS_READ, "acme")]), frozenset({"ana"}))

    def __call__(self, _person: str, _now_us: int, /) -> Standing | None:
        return self.standing


def test_a_persons_token_follows_what_the_person_may_do_now(home: Installation) -> None:
    instance, people = home.instance, People()
    made = instance.services.tokens.create(
        caller((P.TOKENS_CREATE_OWN, ""), (P.EVENTS_READ, ""), (P.PROOFS_READ, "")),
        ANA,
        settings(P.EVENTS_READ, P.PROOFS_READ, scope=""),
    )
    keys = _secrets(instance.services.tokens)
    bound = TokenService(
        instance.projection, instance.commands, keys, lambda: 0, people, lambda _, who, _until=None: who.rights
    )

    def enter() -> Caller:
        return bound.authenticate(f"Bearer {made.secret}", address="10.0.0.1", via="api")

    found = enter()
    assert (found.id, found.type, found.name, found.aliases) == ("p-ana", "user", "Ana", frozenset({"ana"}))
    assert found.rights == Rights.of([(P.EVENTS_READ, "acme")])
    people.standing = Standing("Ana", Rights.of([(P.PROOFS_READ, "acme/x"), (P.SETTINGS_MANAGE, "")]))
    assert enter().rights == Rights.of([(P.PROOFS_READ, "acme/x")])
    people.standing = None
    with pytest.raises(TokenInvalidError):
        enter()


def _secrets(tokens: TokenService) -> Secrets:
    return tokens._secrets


def test_every_token_of_a_leaver_ends_in_one_decision(home: Installation) -> None:
    services, commands = home.instance.services, home.instance.commands
    ana = caller((P.TOKENS_CREATE_OWN, ""), (P.EVENTS_READ, "acme"))
    for _ in range(2):
        services.tokens.create(ana, ANA, settings(P.EVENTS_READ))
    kept = services.tokens.create(OPERATOR, SERVICE, settings(P.EVENTS_READ))
    commands.run(lambda connection: services.tokens.revocations(connection, OPERATOR, "p-ana", 0))
    assert [each.revoked for each in services.tokens.list(ana)] == [True, True]
    assert opens(home, kept).id == "dashboard"


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("10.1.2.3", True),
        ("11.0.0.1", False),
        ("2001:db8::7", True),
        ("2001:db9::7", False),
        ("::ffff:10.1.2.3", True),
        ("::ffff:11.1.2.3", False),
        ("local", False),
        ("", False),
    ],
)
def test_a_token_opens_from_its_own_networks_only(home: Installation, address: str, inside: bool) -> None:
    networks = (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))
    wanted = settings(P.EVENTS_READ, addresses=networks)
    made = home.instance.services.tokens.create(OPERATOR, SERVICE, wanted)
    if inside:
        assert opens(home, made, address).address == address
        return
    with pytest.raises(TokenInvalidError) as refused:
        opens(home, made, address)
    with pytest.raises(TokenInvalidError) as unknown:
        opens(home, CreatedToken("0" * 12, "tsk_" + "0" * 12 + "_" + "a" * 43), address)
    assert refused.value.message == unknown.value.message


def test_a_rotated_token_and_its_successor_are_both_valid_until_the_overlap_ends(
    home: Installation, clock: ManualClock
) -> None:
    tokens = home.instance.services.tokens
    old = make_token(home.instance, "read", "acme", "app")
    new = tokens.rotate(OPERATOR, old.token, HOUR_S)
    assert opens(home, old).rights == opens(home, new).rights
    assert [each.state(clock.now_us()) for each in tokens.list(OPERATOR)] == ["rotating", "active"]
    clock.advance(HOUR_S + 1)
    with pytest.raises(TokenInvalidError):
        opens(home, old)
    assert opens(home, new).read_scopes == ("acme",)
    assert [each.state(clock.now_us()) for each in tokens.list(OPERATOR)] == ["replaced", "active"]


def test_at_most_two_tokens_of_a_line_are_valid(home: Installation, clock: ManualClock) -> None:
    tokens = home.instance.services.tokens
    first = make_token(home.instance, "read", "acme", "app")
    second = tokens.rotate(OPERATOR, first.token, HOUR_S)
    for token in (first, second):
        with pytest.raises(TokenRotatingError):
            tokens.rotate(OPERATOR, token.token)
    clock.advance(HOUR_S + 1)
    third = tokens.rotate(OPERATOR, second.token)
    assert opens(home, third).id == "app"
    with pytest.raises(TokenEndedError):
        tokens.rotate(OPERATOR, first.token)


def test_revoking_the_old_one_lets_a_rotation_be_followed_by_another(home: Installation) -> None:
    tokens = home.instance.services.tokens
    first = make_token(home.instance, "read", "acme", "app")
    second = tokens.rotate(OPERATOR, first.token)
    tokens.revoke(OPERATOR, first.token)
    tokens.rotate(OPERATOR, second.token, 0)
    with pytest.raises(TokenInvalidError):
        opens(home, second)


def test_a_successor_lives_as_long_as_its_predecessor_was_made_to(home: Installation, clock: ManualClock) -> None:
    tokens = home.instance.services.tokens
    start = clock.now_us()
    made = tokens.create(OPERATOR, SERVICE, settings(P.EVENTS_READ, expires_at=start + 10 * HOUR_S * US))
    clock.advance(6 * HOUR_S)
    new = tokens.rotate(OPERATOR, made.token)
    ends = tokens.get(OPERATOR, new.token).settings.expires_at
    assert ends is not None
    assert abs(ends - (start + 16 * HOUR_S * US)) < HOUR_S * US // 100


def test_rotating_gives_nobody_a_token_that_exceeds_them(home: Installation) -> None:
    tokens = home.instance.services.tokens
    reader = make_token(home.instance, "read", "acme", "app")
    administrator = program((P.SOURCES_MANAGE, ""), (P.SOURCES_READ, ""), (P.TOKENS_MANAGE, ""))
    with pytest.raises(TokenExceedsError):
        tokens.rotate(administrator, reader.token)
    assert len(tokens.list(OPERATOR)) == 1
    tokens.revoke(administrator, reader.token)


@pytest.mark.parametrize("overlap", [-1, OVERLAP_S_MAX + 1])
def test_an_overlap_is_bounded(home: Installation, overlap: int) -> None:
    made = make_token(home.instance, "read", "acme", "app")
    with pytest.raises(TokenSettingsError):
        home.instance.services.tokens.rotate(OPERATOR, made.token, overlap)
