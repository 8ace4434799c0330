"""People over HTTP and from the command line: who may look after them, and what a leaver loses, all of it at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.installation import Installation, installation, sample
from tests.people_world import PASSWORD, Member, People, settle
from tests.web_pages import HTML

from tallystick.access.permissions import Permission
from tallystick.access.sources.model import Owner, OwnerKind, TokenSettings
from tallystick.follow.product_log import product_events
from tallystick.server import segments_of

P = Permission
PUBLIC = "https://audit.example.org"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path) as made:
        yield made


def own_token(people: People, member: Member, *permissions: Permission) -> dict[str, str]:
    """Return the headers of a token that a member made for herself."""
    settings = TokenSettings(frozenset(permissions), ("",))
    owner = Owner(OwnerKind.PERSON, member.id)
    made = people.instance.services.tokens.create(people.caller(member), owner, settings)
    return {"authorization": f"Bearer {made.secret}"}


def ask(house: Installation, headers: dict[str, str], method: str, path: str, body: Any = None) -> httpx.Response:
    return house.http.request(method, f"/api/v1/people{path}", json=body, headers=headers)


def test_people_are_invited_listed_shown_disabled_and_enabled_over_http(house: Installation) -> None:
    people = settle(house.instance)
    ada = own_token(people, people.first, P.PEOPLE_MANAGE, P.ACCESS_READ)
    made = ask(house, ada, "POST", "", {"handle": "bo", "name": "Bo Lind", "email": "bo@example.org"})
    assert made.status_code == 201
    bo = made.json()["person"]["id"]
    assert made.json()["url"] is None
    assert made.json()["path"].startswith("/invitation?link=tsl_")
    states = {each["id"]: each["state"] for each in ask(house, ada, "GET", "").json()["people"]}
    assert states == {people.first.id: "enabled", bo: "invited"}
    assert ask(house, ada, "GET", f"/{bo}").json() == made.json()["person"]
    assert ask(house, ada, "POST", f"/{bo}/disable", {"reason": "left"}).json()["state"] == "disabled"
    assert house.http.get(made.json()["path"], headers=HTML).status_code == 403
    assert ask(house, ada, "POST", f"/{bo}/enable").json()["state"] in {"enabled", "invited"}


def test_an_invitation_holds_the_whole_address_where_the_server_was_told_its_own(tmp_path: Path) -> None:
    with installation(tmp_path, public_url=PUBLIC) as house:
        people = settle(house.instance)
        ada = own_token(people, people.first, P.PEOPLE_MANAGE)
        made = ask(house, ada, "POST", "", {"handle": "bo", "name": "Bo"}).json()
        assert made["url"] == f"{PUBLIC}{made['path']}"
        headers = {**HTML, **people.first.headers, "sec-fetch-site": "same-origin"}
        page = house.http.post("/access/people", data={"handle": "cy", "name": "Cy"}, headers=headers)
        assert f"{PUBLIC}/invitation?link=tsl_" in page.text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("GET", "/ID", None),
        ("POST", "", {"handle": "eve", "name": "Eve"}),
        ("POST", "/ID/disable", {}),
        ("POST", "/ID/enable", None),
    ],
)
def test_people_are_hidden_from_and_closed_to_who_does_not_look_after_them(
    house: Installation, method: str, path: str, body: Any
) -> None:
    people = settle(house.instance)
    bo = people.join("bo", ("viewer", ""))
    reader = own_token(people, people.first, P.EVENTS_READ, P.SOURCES_READ)
    before = house.actions()
    path = path.replace("ID", bo.id)
    answer = ask(house, reader, method, path, body)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission-missing")
    assert ask(house, {}, method, path, body).status_code == 401
    assert house.actions() == before


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("", {"handle": "ada", "name": "Another"}, 409, "handle-taken"),
        ("", {"handle": "Not One", "name": "Another"}, 422, "person-invalid"),
        ("", {"handle": "bo", "name": "Bo", "role": "administrator"}, 400, "parameter-invalid"),
        ("/p-0000000000/disable", {}, 404, "person-unknown"),
        ("/p-0000000000/enable", None, 404, "person-unknown"),
    ],
)
def test_a_mistake_about_a_person_is_refused_by_its_name(
    house: Installation, path: str, body: Any, status: int, code: str
) -> None:
    people = settle(house.instance)
    ada = own_token(people, people.first, P.PEOPLE_MANAGE, P.ACCESS_READ)
    answer = ask(house, ada, "POST", path, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_leaver_loses_session_token_and_grant_in_one_batch_and_none_comes_back(house: Installation) -> None:
    house.post([sample()])
    people = settle(house.instance)
    bo = people.join("bo", ("analyst", ""))
    token = own_token(people, bo, P.EVENTS_READ)
    services = house.instance.services

    def ways_in() -> tuple[int, int, int]:
        """Return how her session, her token, and her session where it needs the grant are answered."""
        page = house.http.get("/account", headers={**HTML, **bo.headers}, follow_redirects=False)
        api = house.http.get("/api/v1/events", headers=token)
        rights = services.grants.rights_of(bo.id, (), services.ledger.status().now)
        return page.status_code, api.status_code, len(rights.pairs())

    session, api, rights = ways_in()
    assert (session, api) == (200, 200)
    assert rights > 0
    ada = own_token(people, people.first, P.PEOPLE_MANAGE, P.ACCESS_READ)
    frames = len(house.instance.ledger.snapshot().frames)
    assert ask(house, ada, "POST", f"/{bo.id}/disable", {"reason": "left"}).status_code == 201
    assert ways_in() == (303, 401, 0)
    instance = house.instance
    found = list(product_events(instance.ledger.snapshot(), segments_of(instance.settings), 0))
    ended = {"access.person_disabled", "access.session_revoked", "token.revoked", "access.revoked"}
    batch = [each for each in found if each.action in ended]
    assert {each.action for each in batch} == ended
    # One write of the log: no crash, and no reader, finds her half gone.
    written = [ref.read() for ref in instance.ledger.snapshot().frames[frames:]]
    actions = [[json.loads(frame.facts_at(at))["action"] for at in range(frame.count)] for frame in written]
    assert [each.action for each in batch] in actions
    assert len({each.received_at for each in batch}) == 1
    assert ask(house, ada, "POST", f"/{bo.id}/enable").status_code == 201
    assert ways_in() == (303, 401, 0)
    again = house.http.post(
        "/sign-in",
        data={"handle": "bo", "password": PASSWORD, "next": "/account"},
        headers={**HTML, "sec-fetch-site": "same-origin"},
        follow_redirects=False,
    )
    assert again.headers["location"] == "/account"
    assert ways_in()[1:] == (401, 0)
