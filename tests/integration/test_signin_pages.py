"""Signing in on the pages: the journey from the setup link to signing out, without a script."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pytest
from litestar.testing import TestClient
from tests.installation import site_of
from tests.people_home import PASSWORD, Home, people_home

from tallystick.access.operator import OPERATOR
from tallystick.access.sources.model import SourceSettings

SAME = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with people_home(tmp_path) as opened:
        yield opened


@pytest.fixture
def http(home: Home) -> Iterator[httpx.Client]:
    with (
        site_of(home.services) as site,
        TestClient(site, base_url="http://127.0.0.1:8400", raise_server_exceptions=False) as client,
    ):
        client.follow_redirects = False
        client.headers["accept"] = "text/html"
        yield client


def post(http: httpx.Client, path: str, **fields: str) -> httpx.Response:
    return http.post(path, data=fields, headers=SAME)


def set_up(home: Home, http: httpx.Client) -> httpx.Response:
    link = home.services.setup.make().token
    assert http.get("/setup", params={"link": link}).status_code == 200
    return post(http, "/setup", link=link, handle="ana", name="Ana Silva", email="", password=PASSWORD, again=PASSWORD)


def test_the_setup_page_makes_an_account_and_leads_to_the_events(home: Home, http: httpx.Client) -> None:
    answer = set_up(home, http)
    assert (answer.status_code, answer.headers["location"]) == (303, "/events")
    assert http.get("/account").status_code == 200


def test_a_session_cookie_is_out_of_the_reach_of_scripts_and_other_sites(home: Home, http: httpx.Client) -> None:
    cookies = [value for name, value in set_up(home, http).headers.multi_items() if name == "set-cookie"]
    session = next(value for value in cookies if value.startswith("tallystick="))
    assert "HttpOnly" in session
    assert "samesite=lax" in session.lower()
    assert "Domain" not in session


def test_signing_in_replaces_a_cookie_that_somebody_else_planted(home: Home, http: httpx.Client) -> None:
    set_up(home, http)
    post(http, "/sign-out")
    planted = "s-aaaaaaaaaa." + "a" * 43
    http.cookies.set("tallystick", planted, domain="127.0.0.1")
    answer = post(http, "/sign-in", handle="ana", password=PASSWORD, next="/account")
    assert answer.headers["location"] == "/account"
    assert planted not in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_never_leads_to_another_site(home: Home, http: httpx.Client, elsewhere: str) -> None:
    set_up(home, http)
    post(http, "/sign-out")
    answer = post(http, "/sign-in", handle="ana", password=PASSWORD, next=elsewhere)
    assert answer.headers["location"] == "/events"


def test_another_site_cannot_sign_anybody_in(home: Home, http: httpx.Client) -> None:
    set_up(home, http)
    post(http, "/sign-out")
    fields = {"handle": "ana", "password": PASSWORD, "next": "/"}
    answer = http.post("/sign-in", data=fields, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert "tallystick=" not in answer.headers.get("set-cookie", "")


def test_a_wrong_password_and_an_unknown_handle_get_the_same_page(home: Home, http: httpx.Client) -> None:
    set_up(home, http)
    post(http, "/sign-out")
    http.get("/sign-in")  # says that one is signed out
    wrong = post(http, "/sign-in", handle="ana", password="wrong but long enough", next="/")
    unknown = post(http, "/sign-in", handle="bob", password="wrong but long enough", next="/")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace("ana", "bob") == unknown.text


def test_signing_out_ends_the_session_on_the_server_too(home: Home, http: httpx.Client) -> None:
    set_up(home, http)
    stolen = http.cookies["tallystick"]
    assert post(http, "/sign-out").headers["location"] == "/sign-in"
    http.cookies.clear()
    http.cookies.set("tallystick", stolen)
    assert http.get("/account").headers["location"].startswith("/sign-in")


def test_the_second_factor_is_switched_on_asked_for_and_confirmed_on_the_pages(home: Home, http: httpx.Client) -> None:
    set_up(home, http)
    page = post(http, "/account/second-factor").text
    name = re.search(r'name="name" value="(c-[a-z0-9]+)"', page)
    seed = re.search(r"<code>([A-Z2-7]{32})</code>", page)
    assert name is not None
    assert seed is not None
    code = pyotp.TOTP(seed[1]).at(home.clock.now_us() // 1_000_000)
    codes = post(http, "/account/second-factor/confirm", name=name[1], code=code).text
    assert len(re.findall(r"<code>[a-z2-9-]{19}</code>", codes)) == 10
    post(http, "/sign-out")
    answer = post(http, "/sign-in", handle="ana", password=PASSWORD, next="/account")
    assert answer.headers["location"].startswith("/sign-in/code")
    assert http.get("/account").status_code == 303
    home.clock.advance(30)
    code = pyotp.TOTP(seed[1]).at(home.clock.now_us() // 1_000_000)
    assert post(http, "/sign-in/code", code=code, next="/account").headers["location"] == "/account"
    assert http.get("/account").status_code == 200


def test_a_dangerous_act_leads_to_the_confirmation_once_the_sign_in_is_old(home: Home, http: httpx.Client) -> None:
    set_up(home, http)
    home.clock.advance(601)
    fields = {"password": "another four word phrase", "again": "another four word phrase"}
    assert post(http, "/account/password", **fields).headers["location"].startswith("/confirm")
    assert post(http, "/confirm", password=PASSWORD, next="/account").headers["location"] == "/account"
    assert post(http, "/account/password", **fields).headers["location"] == "/account"


@pytest.mark.parametrize(
    ("path", "fields", "back"),
    [
        ("/sources/till/retire", {}, "/sources/till"),
        ("/sources/till/token", {"days": "30"}, "/sources/till"),
        ("/tokens", {"permissions": "grants.request", "scopes": "/", "days": "9"}, "/tokens"),
        ("/settings", {"setting": "session.idle_minutes", "value": "20"}, "/settings"),
        ("/access/break-glass", {"role": "viewer", "scope": "/", "minutes": "5", "reason": "x"}, "/access/break-glass"),
        ("/access/grants/g-a%20b/approve", {}, "/access/grants/g-a%20b"),
        ("/account/second-factor", {}, "/account"),
    ],
)
def test_every_form_that_needs_a_proof_leads_to_the_confirmation_and_back_to_its_page(
    home: Home, http: httpx.Client, path: str, fields: dict[str, str], back: str
) -> None:
    set_up(home, http)
    home.services.sources.register(OPERATOR, "till", SourceSettings(scopes=("acme",)))
    home.clock.advance(601)
    answer = post(http, path, **fields)
    place = urlsplit(answer.headers["location"])
    assert (answer.status_code, place.path, parse_qs(place.query)) == (303, "/confirm", {"next": [back]})
    assert "Confirm that it is you, and do it again." in http.get(answer.headers["location"]).text
    assert post(http, "/confirm", password=PASSWORD, next=back).headers["location"] == back
    again = post(http, path, **fields)
    assert not again.headers.get("location", "").startswith("/confirm")


def test_a_script_is_led_to_the_confirmation_and_back_to_the_page_that_is_open(home: Home, http: httpx.Client) -> None:
    set_up(home, http)
    home.clock.advance(601)
    fields = {"setting": "session.idle_minutes", "value": "20"}
    for shown, back in (("/settings?a=b", "/settings?a=b"), ("//evil.example", "/events")):
        headers = {**SAME, "hx-request": "true", "hx-current-url": f"http://127.0.0.1:8400{shown}"}
        answer = http.post("/settings", data=fields, headers=headers)
        assert parse_qs(urlsplit(answer.headers["hx-redirect"]).query) == {"next": [back]}


def test_a_program_that_has_to_prove_who_it_is_is_told_so(home: Home, http: httpx.Client) -> None:
    set_up(home, http)
    home.clock.advance(601)
    fields = {"setting": "session.idle_minutes", "value": "20"}
    answer = http.post("/settings.json", data=fields, headers=SAME)
    assert (answer.status_code, answer.json()["code"]) == (403, "reauthentication-needed")


def test_an_invited_person_sets_a_password_and_is_signed_in(home: Home, http: httpx.Client) -> None:
    set_up(home, http)
    page = post(http, "/access/people", handle="bo", name="Bo Lind", email="").text
    link = re.search(r"/invitation\?link=(tsl_[A-Za-z0-9_-]+)", page)
    assert link is not None
    assert f"<code>{str(http.base_url).rstrip('/')}/invitation?" in page, "what is passed on is a whole address"
    post(http, "/sign-out")
    assert "Bo Lind" in http.get("/invitation", params={"link": link[1]}).text
    answer = post(http, "/invitation", link=link[1], password=PASSWORD, again=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert http.get("/").headers["location"] == "/account", "nothing else is open yet"
    account = json.loads(http.get("/account.json").content)
    assert (account["handle"], account["rights"]) == ("bo", [])
    assert http.get("/invitation", params={"link": link[1]}).status_code == 403


def test_an_administrator_disables_somebody_on_the_pages(home: Home, http: httpx.Client) -> None:
    set_up(home, http)
    bo = home.join(home.caller(home.sign_in()), "bo")
    assert post(http, f"/access/people/{bo.person}/disable", reason="left").status_code == 303
    assert "disabled" in http.get(f"/access/people/{bo.person}").text
    assert post(http, f"/access/people/{bo.person}/enable").status_code == 303
    assert json.loads(http.get(f"/access/people/{bo.person}.json").content)["person"]["state"] == "enabled"


def test_a_person_without_permission_sees_no_people(home: Home, http: httpx.Client) -> None:
    set_up(home, http)
    home.join(home.caller(home.sign_in()), "bo")
    post(http, "/sign-out")
    post(http, "/sign-in", handle="bo", password=PASSWORD, next="/")
    assert http.get("/access/people").status_code == 403
    assert post(http, "/access/people", handle="eve", name="Eve", email="").status_code == 403


def test_a_field_that_no_page_offers_is_refused(home: Home, http: httpx.Client) -> None:
    set_up(home, http)
    answer = post(http, "/account/name", name="Ana", handle="root")
    assert answer.status_code == 422
