"""Signing in with a password: who comes in, and that a refusal tells nobody anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pyotp
import pytest
from tests.people_home import HOME_VISIT, PASSWORD, Home, people_home

from tallystick.access.people.errors import (
    LinkInvalidError,
    PasswordWeakError,
    SessionInvalidError,
    SetupDoneError,
    SignInRefusedError,
    SignInSlowedError,
)
from tallystick.access.people.model import Profile, SignedIn, Visit
from tallystick.access.permissions import Permission
from tallystick.errors import PermissionMissingError
from tallystick.store.secrets import Secret

STRANGER = Visit("203.0.113.9", "curl/8")
TYPED = "what somebody typed by mistake"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with people_home(tmp_path) as opened:
        yield opened


def second_factor(home: Home, signed_in: SignedIn) -> tuple[str, list[str]]:
    """Switch the second factor on and return its seed and recovery codes."""
    caller, account = home.caller(signed_in), home.services.account
    seed = account.start_totp(caller)
    return seed.text, account.confirm_totp(caller, seed.name, code(home, seed.text))


def guess_on(home: Home, visit: Visit) -> None:
    """Try a wrong password ten times."""
    for _ in range(10):
        with suppress(SignInRefusedError):
            home.services.signin.password("ana", TYPED, visit)


def code(home: Home, seed: str) -> str:
    return pyotp.TOTP(seed).at(home.clock.now_us() // 1_000_000)


def test_the_setup_link_makes_the_first_administrator_and_signs_her_in(home: Home) -> None:
    caller = home.caller(home.set_up())
    assert caller.aliases == {caller.id, "ana", "ana@example.org"}
    assert caller.rights.allows(Permission.PEOPLE_MANAGE, "")
    assert caller.rights.allows(Permission.EVENTS_READ, "")


def test_a_setup_link_opens_once_not_after_a_day_and_not_after_a_newer_one(home: Home) -> None:
    setup = home.services.setup
    old = setup.make().token
    newer = setup.make()
    for dead in (old, newer.token[:-1] + ("A" if newer.token[-1] != "A" else "B"), "", "tsl_"):
        with pytest.raises(LinkInvalidError):
            setup.check(dead)
    home.clock.advance(24 * 3600)
    with pytest.raises(LinkInvalidError):
        setup.check(newer.token)
    home.set_up()
    with pytest.raises(SetupDoneError):
        setup.make()


def test_a_wrong_unknown_or_disabled_sign_in_is_refused_alike(home: Home) -> None:
    ana = home.set_up()
    bo = home.join(home.caller(ana), "bo")
    home.services.people.disable(home.caller(ana), bo.person)
    said = set()
    for handle, password in (("ana", TYPED), ("nobody", TYPED), ("bo", PASSWORD)):
        with pytest.raises(SignInRefusedError) as refused:
            home.services.signin.password(handle, password, STRANGER)
        said.add((refused.value.message, refused.value.advice))
    assert len(said) == 1


def test_failures_of_one_origin_are_one_event_at_once_and_one_with_their_number(home: Home) -> None:
    home.set_up()
    for _ in range(4):
        with pytest.raises(SignInRefusedError):
            home.services.signin.password(TYPED, TYPED, STRANGER)
    assert [event.metadata["count"] for event in home.events("access.sign_in_failed")] == [1]
    home.clock.advance(601)
    with pytest.raises(SignInRefusedError):
        home.services.signin.password("ana", TYPED, STRANGER)
    assert [event.metadata["count"] for event in home.events("access.sign_in_failed")] == [1, 3, 1]


def test_guessing_is_slowed_and_does_not_lock_out_a_device_that_has_signed_in_before(home: Home) -> None:
    ana = home.set_up()
    known = replace(HOME_VISIT, address="198.51.100.4", device=ana.device)
    with pytest.raises(SignInSlowedError) as slowed:
        guess_on(home, STRANGER)
    assert slowed.value.retry_after_s >= 1
    with pytest.raises(SignInSlowedError):
        home.services.signin.password("ana", PASSWORD, STRANGER)
    assert home.sign_in(visit=known).person == ana.person
    assert home.sign_in().person == ana.person


def test_a_device_cookie_of_another_person_or_a_forged_one_is_no_known_device(home: Home) -> None:
    ana = home.set_up()
    bo = home.join(home.caller(ana), "bo")
    for device in (bo.device, ana.device[:-1] + "x", "x.y"):
        visit = Visit("203.0.113.9", "", device)
        with pytest.raises(SignInSlowedError):
            guess_on(home, visit)
        home.clock.advance(3601)


def test_a_cookie_opens_only_as_it_was_given_until_it_is_idle_over_or_ended(home: Home) -> None:
    ana = home.set_up()
    sessions = home.services.sessions
    for wrong in (None, "", "s-aaaaaaaaaa." + "a" * 43, ana.cookie[:-1], ana.cookie + "a"):
        with pytest.raises(SessionInvalidError):
            sessions.authenticate(wrong, "192.0.2.1")
    home.clock.advance(29 * 60)
    home.caller(ana)
    home.clock.advance(30 * 60)
    with pytest.raises(SessionInvalidError):
        home.caller(ana)
    again = home.sign_in()
    for _ in range(12 * 3):
        home.caller(again)
        home.clock.advance(20 * 60)
    with pytest.raises(SessionInvalidError):
        home.caller(again)


def test_a_clock_that_is_set_back_revives_no_session(home: Home) -> None:
    ana = home.set_up()
    home.clock.advance(13 * 3600)
    home.sign_in()
    home.clock.step(-13 * 3600)
    with pytest.raises(SessionInvalidError):
        home.caller(ana)


@pytest.mark.parametrize("kind", ["password", "session"])
def test_a_record_that_was_swapped_in_the_secrets_opens_nothing(home: Home, kind: str) -> None:
    ana = home.set_up()
    secrets = home.services.sessions._book.secrets
    bo = home.join(home.caller(ana), "bo")
    of_ana, of_bo = sorted(secrets.all(kind).values(), key=lambda each: each.name)[:2]
    for one, other in ((of_ana, of_bo), (of_bo, of_ana)):
        secrets.save(Secret(kind, one.name, one.nonce, other.record))
    home.services.setup.is_needed()
    home.instance.note("server.started")
    home.instance.projection.catch_up()
    for handle, signed_in in (("ana", ana), ("bo", bo)):
        if kind == "password":
            with pytest.raises(SignInRefusedError):
                home.services.signin.password(handle, PASSWORD, HOME_VISIT)
        else:
            with pytest.raises(SessionInvalidError):
                home.caller(signed_in)


def test_a_second_factor_is_asked_for_and_its_code_counts_once(home: Home) -> None:
    seed, _ = second_factor(home, home.set_up())
    home.clock.advance(30)
    shown = code(home, seed)
    step = home.services.signin.password("ana", PASSWORD, HOME_VISIT)
    assert (step.kind, step.signed_in) == ("totp", None)
    assert home.services.signin.totp(step.ticket, shown, HOME_VISIT).kind == "done"
    step = home.services.signin.password("ana", PASSWORD, HOME_VISIT)
    with pytest.raises(SignInRefusedError):
        home.services.signin.totp(step.ticket, shown, HOME_VISIT)


def test_a_seed_that_vanished_does_not_switch_the_second_factor_off(home: Home) -> None:
    second_factor(home, home.set_up())
    secrets = home.services.sessions._book.secrets
    for name in secrets.all("totp"):
        secrets.delete("totp", name)
    assert home.services.signin.password("ana", PASSWORD, HOME_VISIT).kind == "totp"


def test_a_recovery_code_stands_in_for_the_second_factor_once(home: Home) -> None:
    _, codes = second_factor(home, home.set_up())
    signin = home.services.signin
    ticket = signin.password("ana", PASSWORD, HOME_VISIT).ticket
    assert signin.recovery(ticket, codes[3].upper(), HOME_VISIT).kind == "done"
    ticket = signin.password("ana", PASSWORD, HOME_VISIT).ticket
    with pytest.raises(SignInRefusedError):
        signin.recovery(ticket, codes[3], HOME_VISIT)
    assert home.metadata("access.recovery_code_used")["number"] == 3


def test_a_leaver_loses_sessions_grants_and_the_invitation_in_one_batch(home: Home) -> None:
    ana = home.caller(home.set_up())
    bo = home.join(ana, "bo")
    link = home.services.people.invite_again(ana, bo.person)
    home.services.people.disable(ana, bo.person, reason="left")
    actions = [event.action for event in home.events("access.")]
    assert actions[-2:] == ["access.person_disabled", "access.session_revoked"]
    with pytest.raises(SessionInvalidError):
        home.caller(bo)
    with pytest.raises(LinkInvalidError):
        home.services.people.accept(link.token, PASSWORD, HOME_VISIT)
    home.services.people.enable(ana, bo.person)
    assert home.sign_in("bo").person == bo.person


def test_managing_people_is_refused_without_the_permission(home: Home) -> None:
    bo = home.caller(home.join(home.caller(home.set_up()), "bo"))
    people = home.services.people
    for refused in (
        lambda: people.list(bo),
        lambda: people.get(bo, "p-aaaaaaaaaa"),
        lambda: people.sessions_of(bo, bo.id),
        lambda: people.invite(bo, Profile("eve", "Eve")),
        lambda: people.invite_again(bo, bo.id),
        lambda: people.change(bo, bo.id, Profile("root", "Bo")),
        lambda: people.disable(bo, bo.id),
        lambda: people.enable(bo, bo.id),
        lambda: people.reset_second_factor(bo, bo.id, reason="x"),
        lambda: people.revoke_sessions(bo, bo.id),
    ):
        with pytest.raises(PermissionMissingError):
            refused()


@pytest.mark.parametrize(
    "weak",
    ["short", "passwordpassword", "P4ssw0rd2026!!", "qwertyuiop12", "aaaaaaaaaaaaa", "ana-is-the-best", "x" * 1025],
)
def test_a_weak_password_is_refused(home: Home, weak: str) -> None:
    link = home.services.setup.make().token
    with pytest.raises(PasswordWeakError):
        home.services.setup.complete(link, Profile("ana", "Ana", "ana@example.org"), weak, HOME_VISIT)


def test_no_secret_reaches_the_log_or_the_tables(tmp_path: Path) -> None:
    with people_home(tmp_path) as home:
        ana = home.set_up()
        seed, codes = second_factor(home, ana)
        with pytest.raises(SignInRefusedError):
            home.services.signin.password(TYPED, TYPED, STRANGER)
        _, link = home.services.people.invite(home.caller(ana), Profile("bo", "Bo"))
        secrets = [PASSWORD, TYPED, seed, ana.cookie, ana.cookie[13:], ana.device, link.token, *codes]
    stored = b"".join(
        path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and "secrets.db" not in path.name
    )
    assert ana.person.encode() in stored
    assert [each for each in secrets if each.encode() in stored] == []


def test_replaying_the_log_makes_people_and_sessions_again(home: Home) -> None:
    ana = home.set_up()
    bo = home.join(home.caller(ana), "bo")
    before = home.services.people.list(home.caller(ana))
    home.instance.projection.rebuild()
    assert home.services.people.list(home.caller(ana)) == before
    assert home.caller(bo).id == bo.person
