"""Signing in to the pages through the certified provider, with nothing but the cookies that a browser keeps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from litestar.testing import TestClient
from tests.installation import settings, site_of
from tests.oidc_world import REDIRECT, SECRET, browse, certified_provider, missing
from tests.people_home import PASSWORD, Home
from tests.web_pages import parse

from tallystick.clock import SystemClock
from tallystick.config import OidcSetting
from tallystick.server import open_instance
from tallystick.testing import ManualClock

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")
HERE = REDIRECT.removesuffix("/sign-in/provider/back")


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with certified_provider() as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, issuer: str) -> Iterator[Home]:
    told = OidcSetting(issuer=issuer, client_id="tallystick", client_secret=SECRET, name="Example SSO")
    clock = ManualClock(SystemClock().now_us())  # the certified provider goes by the machine's clock
    with open_instance(settings(tmp_path, oidc=told, public_url=HERE), clock=clock) as instance:
        opened = Home(instance, clock)
        opened.set_up()
        yield opened


@pytest.fixture
def browser(home: Home) -> Iterator[httpx.Client]:
    with opened_browser(home) as client:
        yield client


@contextmanager
def opened_browser(home: Home) -> Iterator[TestClient[Any]]:
    """Yield a browser without cookies; two at a time need two applications."""
    with (
        site_of(home.services) as site,
        TestClient(site, base_url=HERE, raise_server_exceptions=False) as client,
    ):
        client.follow_redirects = False
        client.headers["accept"] = "text/html"
        yield client


def go(browser: httpx.Client, following: str = "/account", subject: str = "sub-mira", **more: str) -> dict[str, str]:
    """Press the button, go to the provider and through it, and return what it sends back."""
    answer = browser.get("/sign-in/provider", params={"next": following, **more})
    assert answer.status_code == 303
    return browse(f"{answer.headers['location']}&login_hint={subject}")


def come_back(browser: httpx.Client, brought: dict[str, str]) -> httpx.Response:
    return browser.get("/sign-in/provider/back", params=brought)


def refused(browser: httpx.Client, brought: dict[str, str]) -> bool:
    """Return whether what was brought back opens nothing: no session, and the sign-in page with a refusal."""
    answer = come_back(browser, brought)
    opened = [value for name, value in answer.headers.multi_items() if name == "set-cookie" and "tallystick=" in value]
    return answer.status_code == 401 and "sign-in-refused" in answer.text and not opened


def test_a_page_is_opened_through_the_provider_and_says_who_came(browser: httpx.Client) -> None:
    led = browser.get("/account")
    assert led.headers["location"] == "/sign-in?next=%2Faccount"
    assert "Example SSO" in browser.get(led.headers["location"]).text
    answer = come_back(browser, go(browser))
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    page = browser.get("/account")
    assert page.status_code == 200
    assert "Mira Okafor" in page.text
    assert browser.get("/account.json").json()["groups"] == ["auditors", "staff"]


def test_what_the_browser_keeps_meanwhile_is_out_of_the_reach_of_scripts_and_ends_with_the_sign_in(
    browser: httpx.Client,
) -> None:
    started = browser.get("/sign-in/provider", params={"next": "/account"})
    cookie = started.headers["set-cookie"]
    assert cookie.startswith("tallystick-ticket=")
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    come_back(browser, browse(f"{started.headers['location']}&login_hint=sub-mira"))
    assert "tallystick-ticket" not in browser.cookies


def test_an_answer_of_the_provider_is_taken_once(home: Home, browser: httpx.Client) -> None:
    brought = go(browser)
    ticket = browser.cookies["tallystick-ticket"]
    assert come_back(browser, brought).status_code == 303
    with opened_browser(home) as another:
        another.cookies.set("tallystick-ticket", ticket)
        assert refused(another, brought)
        assert another.get("/account").status_code == 303


def test_an_answer_to_what_another_browser_began_is_refused(home: Home, browser: httpx.Client) -> None:
    brought = go(browser)
    with opened_browser(home) as another:
        assert refused(another, brought)  # it keeps nothing
    brought = go(browser)
    with opened_browser(home) as another:
        another.get("/sign-in/provider")  # it keeps the state of its own beginning
        assert refused(another, brought)
    assert browser.get("/account").status_code == 303


@pytest.mark.parametrize("change", [{"state": "x"}, {"code": "x"}, {"iss": "https://other.example"}, {"error": "no"}])
def test_an_answer_that_was_changed_on_the_way_is_refused(browser: httpx.Client, change: dict[str, str]) -> None:
    assert refused(browser, {**go(browser), **change})


def test_the_way_back_never_leads_to_another_site(browser: httpx.Client) -> None:
    assert come_back(browser, go(browser, "//evil.example")).headers["location"] == "/events"


def test_a_dangerous_act_is_confirmed_at_the_provider(home: Home, browser: httpx.Client) -> None:
    come_back(browser, go(browser))
    home.clock.advance(601)
    same = {"sec-fetch-site": "same-origin"}
    led = browser.post("/account/second-factor", data={}, headers=same)
    assert led.headers["location"] == "/confirm?next=%2Faccount"
    page = parse(browser.get(led.headers["location"]))
    assert any(href.startswith("/sign-in/provider?again=yes&next=") for href in page.hrefs())
    asked = browser.get("/sign-in/provider", params={"again": "yes", "next": "/account"}).headers["location"]
    assert parse_qs(urlsplit(asked).query)["prompt"] == ["login"]


def test_the_password_of_who_has_one_still_opens_the_pages(browser: httpx.Client) -> None:
    same = {"sec-fetch-site": "same-origin"}
    fields = {"handle": "ana", "password": PASSWORD, "next": "/account"}
    assert browser.post("/sign-in", data=fields, headers=same).headers["location"] == "/account"
