"""Signing in through an identity provider: against a certified one, and against one that lies in every way we know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import OctKey, RSAKey
from tests.oidc_world import (
    REDIRECT,
    SECRET,
    Hostile,
    at_hash,
    browse,
    certified_provider,
    hostile_provider,
    missing,
    settings_of,
)
from tests.people_home import HOME_VISIT, Home, people_home

from tallystick.access.people.book import Book
from tallystick.access.people.errors import ProviderUnreachableError, SignInRefusedError
from tallystick.access.people.failures import FailureLog
from tallystick.access.people.model import SignedIn
from tallystick.access.people.oidc import OidcService
from tallystick.access.people.oidc_provider import Provider
from tallystick.access.people.policy import SignInPolicy
from tallystick.clock import SystemClock
from tallystick.testing import ManualClock

certified = pytest.mark.skipif(missing() is not None, reason=missing() or "")


_open: list[Provider] = []


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    # The certified provider goes by the machine's clock.
    with people_home(tmp_path, ManualClock(SystemClock().now_us())) as opened:
        yield opened
    while _open:
        _open.pop().close()


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with certified_provider() as running:
        yield running


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    with hostile_provider() as running:
        yield running


def service(home: Home, issuer: str, policy: SignInPolicy | None = None) -> OidcService:
    book: Book = home.services.sessions._book
    provider = Provider(settings_of(issuer), home.clock)
    _open.append(provider)
    return OidcService(book, provider, REDIRECT, home.services.sessions, FailureLog(book), policy or SignInPolicy())


def come_in(oidc: OidcService, subject: str, *, again: bool = False) -> SignedIn:
    started = oidc.start("/events", hint=subject, again=again)
    signed_in, following = oidc.finish(browse(started.url), started.state, HOME_VISIT)
    assert following == "/events"
    return signed_in


@certified
def test_the_first_sign_in_makes_an_account_with_the_groups_of_the_provider(home: Home, issuer: str) -> None:
    home.set_up()
    signed_in = come_in(service(home, issuer), "sub-mira")
    mira = next(each for each in home.services.people.list(home.caller(home.sign_in())) if each.id == signed_in.person)
    assert (mira.handle, mira.name, mira.email) == ("mira", "Mira Okafor", "mira@example.org")
    assert (mira.groups, mira.external, mira.has_password) == (("auditors", "staff"), True, False)


@certified
def test_the_same_subject_comes_back_to_the_same_account_and_changed_groups_are_an_event(
    home: Home, issuer: str
) -> None:
    home.set_up()
    oidc = service(home, issuer)
    first = come_in(oidc, "sub-mira")
    httpx.put(f"{issuer}/test-groups/sub-mira", json=["staff"]).raise_for_status()
    try:
        again = come_in(oidc, "sub-mira")
    finally:
        httpx.put(f"{issuer}/test-groups/sub-mira", json=["auditors", "staff"]).raise_for_status()
    assert again.person == first.person
    assert home.metadata("access.groups_changed")["groups"] == ["staff"]


@certified
def test_an_e_mail_address_and_a_handle_that_somebody_has_already_give_nobody_her_account(
    home: Home, issuer: str
) -> None:
    ana = home.set_up()
    eve = come_in(service(home, issuer), "sub-eve")
    assert eve.person != ana.person
    assert home.caller(eve).aliases == {eve.person, "ana-2"}, "the provider does not vouch for the address"
    assert home.caller(eve).rights.pairs() == ()


@certified
def test_a_code_that_was_used_opens_nothing_a_second_time(home: Home, issuer: str) -> None:
    home.set_up()
    oidc = service(home, issuer)
    started = oidc.start("/events", hint="sub-tom")
    answer = browse(started.url)
    oidc.finish(answer, started.state, HOME_VISIT)
    with pytest.raises(SignInRefusedError):
        oidc.finish(answer, started.state, HOME_VISIT)
    other = oidc.start("/events", hint="sub-tom")
    with pytest.raises(SignInRefusedError):
        oidc.finish({**answer, "state": other.state}, other.state, HOME_VISIT)


@certified
def test_an_answer_to_another_browsers_start_opens_nothing(home: Home, issuer: str) -> None:
    home.set_up()
    oidc = service(home, issuer)
    started = oidc.start("/events", hint="sub-tom")
    for kept in ("", oidc.start("/events").state):
        with pytest.raises(SignInRefusedError):
            oidc.finish(browse(started.url), kept, HOME_VISIT)


@certified
def test_an_answer_that_names_another_issuer_or_none_opens_nothing(home: Home, issuer: str) -> None:
    home.set_up()
    oidc = service(home, issuer)
    for named in ({"iss": "https://other.example"}, {}):
        started = oidc.start("/events", hint="sub-tom")
        answer = {name: value for name, value in browse(started.url).items() if name != "iss"}
        with pytest.raises(SignInRefusedError):
            oidc.finish({**answer, **named}, started.state, HOME_VISIT)


@certified
def test_a_disabled_person_does_not_come_in_through_the_provider(home: Home, issuer: str) -> None:
    ana = home.set_up()
    oidc = service(home, issuer)
    tom = come_in(oidc, "sub-tom")
    home.services.people.disable(home.caller(ana), tom.person)
    with pytest.raises(SignInRefusedError):
        come_in(oidc, "sub-tom")


@certified
def test_nobody_comes_in_through_the_provider_before_the_installation_is_set_up(home: Home, issuer: str) -> None:
    with pytest.raises(SignInRefusedError):
        come_in(service(home, issuer), "sub-tom")
    assert home.services.setup.is_needed()


def try_token(home: Home, hostile: Hostile, change: Callable[[Hostile], object]) -> SignedIn:
    """Begin at the hostile provider, and come back with a token that a test changed."""
    oidc = service(home, hostile.issuer)
    started = oidc.start("/")
    (nonce,) = parse_qs(urlsplit(started.url).query)["nonce"]
    now = home.clock.now_us() // 1_000_000
    hostile.claims = {
        "iss": hostile.issuer,
        "aud": "tallystick",
        "sub": "somebody",
        "nonce": nonce,
        "iat": now,
        "exp": now + 300,
        "at_hash": at_hash("access"),
        "preferred_username": "somebody",
    }
    change(hostile)
    return oidc.finish({"code": "c", "state": started.state}, started.state, HOME_VISIT)[0]


def test_a_sound_token_of_the_same_provider_does_open(home: Home, hostile: Hostile) -> None:
    home.set_up()
    assert home.caller(try_token(home, hostile, lambda _: None)).name == "somebody"


def _claim(name: str, value: Any) -> Callable[[Hostile], object]:
    return lambda hostile: hostile.claims.update({name: value})


def _late(seconds: int) -> Callable[[Hostile], object]:
    return lambda hostile: hostile.claims.update(exp=hostile.claims["iat"] - seconds)


def _unsigned(hostile: Hostile) -> None:
    hostile.raw = hostile.unsigned()


def _signed_by_another(hostile: Hostile) -> None:
    hostile.signer = RSAKey.generate_key(2048, {"kid": "one"})


def _signed_with_our_secret(hostile: Hostile) -> None:
    hostile.algorithm, hostile.signer = "HS256", OctKey.import_key(SECRET)


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(_claim("nonce", "another"), id="wrong nonce"),
        pytest.param(_claim("nonce", None), id="no nonce"),
        pytest.param(_claim("aud", "another"), id="other audience"),
        pytest.param(_claim("aud", ["tallystick", "another"]), id="several audiences without azp"),
        pytest.param(_claim("azp", "another"), id="meant for another party"),
        pytest.param(_claim("iss", "https://other.example"), id="other issuer"),
        pytest.param(_claim("at_hash", at_hash("another")), id="other access token"),
        pytest.param(_claim("sub", ""), id="no subject"),
        pytest.param(_claim("exp", "tomorrow"), id="expiry that is no number"),
        pytest.param(_late(61), id="expired"),
        pytest.param(_unsigned, id="alg none"),
        pytest.param(_signed_by_another, id="another key"),
        pytest.param(_signed_with_our_secret, id="signed with the client's secret"),
    ],
)
def test_a_token_that_lies_opens_nothing(home: Home, hostile: Hostile, lie: Callable[[Hostile], object]) -> None:
    home.set_up()
    with pytest.raises(SignInRefusedError):
        try_token(home, hostile, lie)
    assert home.metadata("access.sign_in_failed")["method"] == "oidc"


def test_a_clock_that_is_a_minute_off_is_borne_with(home: Home, hostile: Hostile) -> None:
    home.set_up()
    assert try_token(home, hostile, _late(30)).person


@pytest.mark.parametrize(
    "said",
    [{"issuer": "https://other.example"}, {"token_endpoint": "file:///etc/passwd"}, {"jwks_uri": None}],
)
def test_a_provider_that_says_something_else_of_itself_is_not_used(
    home: Home, hostile: Hostile, said: dict[str, Any]
) -> None:
    hostile.metadata = said
    with pytest.raises(ProviderUnreachableError):
        service(home, hostile.issuer).start("/")


def test_a_provider_that_answers_without_end_is_cut_off(home: Home, hostile: Hostile) -> None:
    hostile.metadata = {"padding": "x" * (1 << 20)}
    with pytest.raises(ProviderUnreachableError):
        service(home, hostile.issuer).start("/")
