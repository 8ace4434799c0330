"""Settings about ways in and about exports: each acts at once, each change is an event, and none locks everybody out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.installation import Installation, installation, sample
from tests.oidc_world import SECRET, Hostile, at_hash, hostile_provider
from tests.people_world import ADDRESS, PASSWORD, settle
from tests.web_pages import HTML, parse

from tallystick.access.operator import OPERATOR
from tallystick.access.people.errors import DomainRefusedError, LocalSignInOffError
from tallystick.access.people.model import Profile, SignedIn, Visit
from tallystick.config import OidcSetting
from tallystick.settings import SettingValueError
from tallystick.testing import ManualClock
from tallystick.work.model import Question, State

HERE = "http://127.0.0.1:8400"
VISIT = Visit(ADDRESS, "tests")
LOCAL = "sign_in.local"
DEADLINE_S = 60.0


@contextmanager
def house_with_provider(root: Path, issuer: str = "http://127.0.0.1:9") -> Iterator[Installation]:
    told = OidcSetting(issuer=issuer, client_id="tallystick", client_secret=SECRET, name="Example SSO")
    with installation(root, oidc=told, public_url=HERE) as house:
        yield house


def change(house: Installation, name: str, value: object) -> None:
    house.instance.services.settings.change(OPERATOR, {name: value})


def sign_in(house: Installation, handle: str = "ada") -> SignedIn | None:
    return house.instance.services.signin.password(handle, PASSWORD, VISIT).signed_in


def test_passwords_cannot_be_switched_off_without_a_provider_by_any_way(tmp_path: Path) -> None:
    with installation(tmp_path) as house:
        ada = settle(house.instance).first
        with pytest.raises(SettingValueError, match="no identity provider"):
            change(house, LOCAL, False)
        headers = {**HTML, **ada.headers, "sec-fetch-site": "same-origin"}
        page = house.http.post("/settings", data={"setting": LOCAL, "value": "off"}, headers=headers)
        assert page.status_code == 422
        assert "no identity provider is configured" in page.text
        assert "setting.changed" not in house.actions()
        assert sign_in(house)


def test_without_passwords_neither_sign_in_nor_invitation_open_an_account_and_sessions_stay(tmp_path: Path) -> None:
    with house_with_provider(tmp_path) as house:
        services = house.instance.services
        ada = settle(house.instance).first
        _, link = services.people.invite(OPERATOR, Profile("bo", "Bo Lind"))
        change(house, LOCAL, False)
        assert house.actions()[-1] == "setting.changed"
        with pytest.raises(LocalSignInOffError):
            sign_in(house)
        with pytest.raises(LocalSignInOffError):
            services.people.accept(link.token, PASSWORD, VISIT)
        assert services.sessions.authenticate(ada.cookie, ADDRESS).id == ada.id
        change(house, LOCAL, True)
        assert sign_in(house)
        assert services.people.accept(link.token, PASSWORD, VISIT)


def test_the_sign_in_page_offers_the_provider_alone_then_and_refuses_a_password_that_is_sent(tmp_path: Path) -> None:
    with house_with_provider(tmp_path) as house:
        http = house.http
        settle(house.instance)
        assert parse(http.get("/sign-in", headers=HTML)).all("input", type="password")
        change(house, LOCAL, False)
        page = parse(http.get("/sign-in", headers=HTML))
        assert not page.all("input", type="password")
        assert any("/sign-in/provider" in href for href in page.hrefs())
        fields = {"handle": "ada", "password": PASSWORD, "next": "/"}
        answer = http.post("/sign-in", data=fields, headers={**HTML, "sec-fetch-site": "same-origin"})
        assert (answer.status_code, "local-sign-in-off" in answer.text) == (403, True)
        assert "set-cookie" not in answer.headers


def test_the_setup_link_of_a_new_installation_works_without_passwords(tmp_path: Path) -> None:
    with house_with_provider(tmp_path) as house:
        change(house, LOCAL, False)
        ada = settle(house.instance).first
        assert house.instance.services.sessions.authenticate(ada.cookie, ADDRESS).id == ada.id


def test_passwords_count_again_once_the_provider_is_taken_away(tmp_path: Path) -> None:
    with house_with_provider(tmp_path) as house:
        settle(house.instance)
        change(house, LOCAL, False)
    with installation(tmp_path, public_url=HERE) as house:
        assert sign_in(house)


def come(house: Installation, hostile: Hostile, subject: str, **claims: object) -> str:
    """Return who came in through the provider, which says this of her."""
    oidc = house.instance.services.oidc
    assert oidc is not None
    started = oidc.start("/")
    (nonce,) = parse_qs(urlsplit(started.url).query)["nonce"]
    now = house.instance.services.ledger.status().now // 1_000_000
    hostile.claims = {"iss": hostile.issuer, "aud": "tallystick", "sub": subject, "nonce": nonce, "iat": now}
    hostile.claims |= {"exp": now + 300, "at_hash": at_hash("access"), **claims}
    return oidc.finish({"code": "c", "state": started.state}, started.state, VISIT)[0].person


def test_accounts_are_made_on_the_way_for_verified_addresses_of_the_listed_domains_alone(tmp_path: Path) -> None:
    with hostile_provider() as hostile, house_with_provider(tmp_path, hostile.issuer) as house:
        settle(house.instance)
        before = come(house, hostile, "old", email="old@elsewhere.example", email_verified=True)
        change(house, "sign_in.domains", ["example.org"])
        for claims in (
            {"email": "eve@elsewhere.example", "email_verified": True},
            {"email": "eve@sub.example.org", "email_verified": True},
            {"email": "eve@example.org", "email_verified": False},
            {"email": "eve@example.org"},
            {"email": "eve@example.org@elsewhere.example", "email_verified": True},
            {"email": ["eve@example.org"], "email_verified": True},
            {},
        ):
            with pytest.raises(DomainRefusedError):
                come(house, hostile, "eve", **claims)
        people = house.instance.services.people
        assert len(people.list(OPERATOR)) == 2
        assert come(house, hostile, "new", email="new@EXAMPLE.org", email_verified=True)
        assert come(house, hostile, "old", email="old@elsewhere.example", email_verified=True) == before
        change(house, "sign_in.domains", [])
        assert come(house, hostile, "eve", email="eve@elsewhere.example", email_verified=True)


def test_finished_exports_are_kept_for_as_many_days_as_the_setting_says_now(tmp_path: Path) -> None:
    clock = ManualClock()
    with installation(tmp_path, clock=clock) as house:
        house.post([sample()])
        exports = house.instance.services.exports
        export = exports.request(OPERATOR, Question(), "jsonl")
        start = time.monotonic()
        while exports.get(OPERATOR, export).state is not State.FINISHED:
            assert time.monotonic() - start < DEADLINE_S
            time.sleep(0.02)

        def days_kept() -> float:
            found = exports.get(OPERATOR, export)
            assert found.ended_at is not None
            assert found.expires_at is not None
            return (found.expires_at - found.ended_at) / 86_400 / 1_000_000

        assert days_kept() == 7
        change(house, "exports.kept_days", 30)
        assert days_kept() == 30
        change(house, "exports.kept_days", 2)
        assert days_kept() == 2
        clock.advance(2 * 86_400 - 60)
        exports.open(OPERATOR, export).file.close()
        for days in (0, 91):
            with pytest.raises(SettingValueError):
                change(house, "exports.kept_days", days)
