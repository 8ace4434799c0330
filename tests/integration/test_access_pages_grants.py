"""The pages of access: what each shows and refuses, with its JSON twin, and that forms do what the service does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar.testing import TestClient
from tests.installation import site_of
from tests.people_home import Home, people_home

from tallystick.access.operator import OPERATOR


@dataclass
class House:
    home: Home
    http: TestClient[Any]
    cookies: dict[str, str]
    people: dict[str, str]

    def get(self, who: str, path: str, **params: str) -> httpx.Response:
        return self.http.get(path, params=params, headers=self._cookie(who), follow_redirects=False)

    def post(self, who: str, path: str, **fields: Any) -> httpx.Response:
        return self.http.post(path, data=fields, headers=self._cookie(who), follow_redirects=False)

    def _cookie(self, who: str) -> dict[str, str]:
        self.http.cookies.clear()
        return {"cookie": f"tallystick={self.cookies[who]}"}

    def request(self, who: str, **fields: str) -> httpx.Response:
        usual = {"kind": "person", "subject": "bo", "role": "viewer", "scope": "acme", "until": "now+5d"}
        return self.post(who, "/access/request", **{**usual, "reason": "work", **fields})

    def ask(self, who: str, subject: str, role: str = "viewer", scope: str = "acme") -> str:
        answer = self.request(who, subject=self.people[subject], role=role, scope=scope)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"].rsplit("/", 1)[1]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An administrator ana, a security lead leo, and bo who may nothing yet."""
    with (
        people_home(tmp_path) as home,
        site_of(home.services) as site,
        TestClient(site, raise_server_exceptions=False) as http,
    ):
        ana = home.set_up()
        made = House(home, http, {"ana": ana.cookie}, {"ana": ana.person})
        for name in ("leo", "bo"):
            joined = home.join(home.caller(ana), name)
            made.cookies[name], made.people[name] = joined.cookie, joined.person
        grant = made.ask("ana", "leo", "security-lead", "/")
        home.services.grants.approve(OPERATOR, grant)
        yield made


def test_what_was_asked_for_is_spelled_out_decided_and_told(house: House) -> None:
    grant = house.ask("ana", "bo")
    page = house.get("leo", f"/access/grants/{grant}")
    assert page.status_code == 200
    assert "Search and read the facts of events." in page.text
    assert "/approve" in page.text
    done = house.post("leo", f"/access/grants/{grant}/approve", reason="fine")
    assert (done.status_code, done.headers["location"]) == (303, f"/access/grants/{grant}")
    twin = house.get("leo", f"/access/grants/{grant}.json").json()
    assert twin["grant"]["state"] == "active"
    assert [step["step"] for step in twin["grant"]["steps"]] == ["requested", "approved"]
    assert twin["grant"]["decided_by"]["name"] == "Leo"
    revoked = house.post("leo", f"/access/grants/{grant}/revoke", reason="over")
    assert revoked.status_code == 303
    assert house.get("bo", f"/access/grants/{grant}.json").json()["grant"]["state"] == "revoked"


def test_who_asked_is_offered_no_decision_and_is_refused_one(house: House) -> None:
    grant = house.ask("ana", "bo")
    assert "/approve" not in house.get("ana", f"/access/grants/{grant}").text
    refused = house.post("ana", f"/access/grants/{grant}/approve")
    assert refused.status_code == 403
    assert "own-decision" in refused.text


def test_a_stranger_is_led_to_sign_in_and_who_may_nothing_sees_nothing(house: House) -> None:
    house.http.cookies.clear()
    for path in ("/access", "/access/roles", "/access/request", "/access/break-glass", "/access/who"):
        away = house.http.get(path, headers={"accept": "text/html"}, follow_redirects=False)
        assert away.status_code == 303
        assert away.headers["location"].startswith("/sign-in")
    grant = house.ask("ana", "leo")
    assert house.get("bo", f"/access/grants/{grant}").status_code == 404
    assert house.get("bo", "/access.json").json()["grants"] == []
    for path in ("/access/who", "/access/roles", "/access/request", "/access/break-glass"):
        assert house.get("bo", path).status_code == 403, path


def test_a_form_that_is_refused_keeps_what_was_typed(house: House) -> None:
    answer = house.post(
        "ana",
        "/access/request",
        kind="person",
        subject=house.people["bo"],
        role="viewer",
        scope="/acme/",
        until="now+5d",
        reason='because "<script>"',
    )
    assert answer.status_code == 422
    assert "scope-invalid" in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "<script>&" not in answer.text
    assert 'value="/acme/"' in answer.text


def test_access_is_asked_for_by_handle_and_given_to_the_person(house: House) -> None:
    done = house.request("ana", subject="bo")
    assert done.status_code == 303, done.text
    asked = house.get("leo", f"{done.headers['location']}.json").json()["grant"]
    assert asked["subject"]["id"] == house.people["bo"]


def test_the_page_of_a_person_leads_to_a_request_for_her(house: House) -> None:
    bo = house.people["bo"]
    assert f'href="/access/request?subject={bo}"' in house.get("ana", f"/access/people/{bo}").text
    assert house.get("ana", "/access/request.json", subject=bo).json()["subject"] == bo
    assert house.get("ana", "/access/request.json").json()["subject"] == house.people["ana"]


def test_what_was_typed_is_quoted_as_it_was_typed(house: House) -> None:
    page = house.request("ana", scope="acme//x").text
    assert "<b>&#39;acme//x&#39; is not a scope</b>" in page


def test_commands_in_advice_are_set_as_code(house: House) -> None:
    page = house.request("ana", until="yesterday").text
    assert "<code>tallystick access roles</code>" in page
    assert "`" not in page


def test_a_field_that_no_form_has_is_refused(house: House) -> None:
    grant = house.ask("ana", "bo")
    assert house.post("leo", f"/access/grants/{grant}/approve", permissions="settings.manage").status_code == 422


def test_the_list_is_filtered_by_state(house: House) -> None:
    house.ask("ana", "bo")
    assert [each["state"] for each in house.get("leo", "/access.json", state="requested").json()["grants"]] == [
        "requested"
    ]
    assert "to decide" in house.get("leo", "/access").text
    assert house.get("leo", "/access", state="nonsense").status_code == 422


def test_the_list_offers_a_decision_to_whoever_may_take_it_and_to_nobody_who_asked(house: House) -> None:
    grant = house.ask("ana", "bo")
    assert house.get("leo", "/access.json").json()["to_decide"] == [grant]
    page = house.get("leo", "/access", state="requested").text
    assert f'action="/access/grants/{grant}/approve"' in page
    assert f'href="/access/grants/{grant}#decide"' in page
    assert house.get("ana", "/access.json").json()["to_decide"] == []
    assert "/approve" not in house.get("ana", "/access").text
    house.post("leo", f"/access/grants/{grant}/approve")
    assert house.get("leo", "/access.json").json()["to_decide"] == []


def test_a_custom_role_is_made_changed_and_retired_on_pages(house: House) -> None:
    made = house.post("ana", "/access/roles", name="reader", title="Reader", permission=["events.read_personal"])
    assert made.status_code == 303
    page = house.get("ana", "/access/roles.json").json()
    reader = next(role for role in page["roles"] if role["name"] == "reader")
    assert reader["permissions"] == ["events.read", "events.read_personal"]
    changed = house.post("ana", "/access/roles/reader", title="Reader", permission=["events.read"])
    assert changed.status_code == 303
    assert "stays as it is" in house.get("ana", "/access/roles/viewer").text
    assert house.post("ana", "/access/roles/viewer", title="V", permission=["log.read"]).status_code == 409
    assert house.post("ana", "/access/roles/reader/retire").status_code == 303
    assert house.post("leo", "/access/roles", name="own", title="Own", permission=["events.read"]).status_code == 403


def test_a_broken_glass_stands_on_every_page_of_those_who_decide(house: House) -> None:
    quiet = house.get("leo", "/access").text
    assert "broke the glass" not in quiet
    done = house.post("ana", "/access/break-glass", role="auditor", scope="/", minutes="30", reason="the pager rings")
    assert done.status_code == 303
    for who in ("leo", "ana"):
        assert "Ana Silva broke the glass" in house.get(who, "/access/roles").text
    house.home.clock.advance(1800)
    assert "broke the glass" not in house.get("leo", "/access").text


def test_an_emergency_of_too_many_minutes_is_refused_in_place(house: House) -> None:
    for minutes in ("0", "61", "many", ""):
        answer = house.post("ana", "/access/break-glass", role="viewer", scope="/", minutes=minutes, reason="x")
        assert answer.status_code == 422, minutes


def test_giving_access_needs_a_fresh_proof_of_who_is_there(house: House) -> None:
    grant = house.ask("ana", "bo")
    house.home.clock.advance(1000)
    house.post("leo", f"/access/grants/{grant}/approve")
    assert house.get("leo", f"/access/grants/{grant}.json").json()["grant"]["state"] == "requested"


def test_who_could_is_answered_as_of_the_time_asked_about(house: House) -> None:
    grant = house.ask("ana", "bo")
    house.home.clock.advance(60)
    house.post("leo", f"/access/grants/{grant}/approve")
    house.home.clock.advance(60)

    def names(at: str) -> set[str]:
        answer = house.get("leo", "/access/who.json", permission="events.read", scope="acme", at=at)
        assert answer.status_code == 200
        return {each["who"]["name"] for each in answer.json()["holders"]}

    assert names("now") == {"Ana Silva", "Leo", "Bo"}
    assert names("now-90s") == {"Ana Silva", "Leo"}
    page = house.get("leo", "/access/who", permission="events.read", scope="acme")
    assert grant in page.text
    assert house.get("leo", "/access/who", at="yesterday").status_code == 422
