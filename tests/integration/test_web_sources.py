"""Pages of senders and tokens: what they show, what a form does, and what nobody is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest
from tests.installation import Installation, installation, make_token, sample

from tallystick.access.operator import OPERATOR
from tallystick.access.permissions import Permission
from tallystick.access.sources.model import Owner, OwnerKind, TokenSettings

P = Permission
FORM = {"name": "payments", "scopes": "acme/payments", "owner": "team-payments", "silence_hours": "2"}
FORM |= {"actor_ids": "opaque", "kind": "api"}
SECRET = re.compile(r"tsk_[0-9a-f]{12}_[A-Za-z0-9_-]{43}")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path) as opened:
        yield opened


def holder(home: Installation, *permissions: Permission) -> dict[str, str]:
    """Return the headers of a service that holds these permissions."""
    wanted = frozenset(permissions or (P.SOURCES_MANAGE, P.TOKENS_MANAGE, P.EVENTS_READ))
    owner = Owner(OwnerKind.SERVICE, "admin")
    secret = home.instance.services.tokens.create(OPERATOR, owner, TokenSettings(wanted, ("",))).secret
    return {"authorization": f"Bearer {secret}"}


def send(home: Installation, path: str, headers: dict[str, str], **fields: str) -> httpx.Response:
    answer: httpx.Response = home.http.post(path, data=fields, headers=headers, follow_redirects=False)
    return answer


def test_registering_leads_to_a_token_whose_command_sends_the_first_event(home: Installation) -> None:
    headers = holder(home)
    done = send(home, "/sources", headers, **FORM)
    assert (done.status_code, done.headers["location"]) == (303, "/sources/payments")
    waiting = home.get("/sources/payments", headers).text
    assert "Waiting for the first event" in waiting
    made = unescape(send(home, "/sources/payments/token", headers, days="30").text)
    secret = SECRET.findall(made)[0]
    event = re.findall(r"-d '(\{.*?\})'", made)[0]
    sent = home.http.post("/api/v1/events", content=event, headers={"authorization": f"Bearer {secret}"})
    assert sent.status_code == 201, sent.text
    arrived = home.get("/sources/payments/arrival", {**headers, "hx-request": "true"}).text
    assert "The first event came" in arrived
    assert "hx-trigger" not in arrived
    assert not SECRET.search(home.get("/sources/payments", headers).text)


def test_what_the_form_cannot_hold_is_said_above_it_and_kept_in_it(home: Installation) -> None:
    headers = holder(home)
    for fields, code in (
        ({**FORM, "name": "a b"}, "source-name-invalid"),
        ({**FORM, "scopes": "/acme"}, "scope-invalid"),
        ({**FORM, "silence_hours": "soon"}, "source-settings-invalid"),
        ({**FORM, "actor_ids": "x"}, "source-settings-invalid"),
    ):
        refused = send(home, "/sources", headers, **fields)
        assert refused.status_code == 422
        assert code in refused.text
        assert "team-payments" in refused.text
    assert home.instance.services.sources.list(OPERATOR) == []


def test_a_page_and_its_twin_say_the_same_and_show_no_secret(home: Installation) -> None:
    headers = holder(home)
    made = make_token(home.instance, "write", "acme", "app")
    home.post(sample(scope="acme", sequence={"stream": "a", "number": 1}), {"authorization": f"Bearer {made.secret}"})
    home.post(sample(scope="acme", sequence={"stream": "a", "number": 5}), {"authorization": f"Bearer {made.secret}"})
    twin = home.get("/sources/app.json", headers)
    assert twin.json()["source"]["figures"]["gaps"] == [{"stream": "a", "first": 2, "last": 4}]
    assert [each["token"] for each in twin.json()["tokens"]] == [made.token]
    for path in ("/sources", "/sources/app", "/tokens", "/sources.json", "/sources/app.json", "/tokens.json"):
        answer = home.get(path, headers)
        assert answer.status_code == 200
        assert made.secret not in answer.text
        assert "app" in answer.text


def test_tokens_are_rotated_and_revoked_from_pages(home: Installation) -> None:
    headers = holder(home)
    made = make_token(home.instance, "write", "acme", "app")
    shown = send(home, f"/tokens/{made.token}/rotate", headers, overlap_hours="1")
    assert len(set(SECRET.findall(shown.text))) == 1
    again = send(home, f"/tokens/{made.token}/rotate", headers, overlap_hours="1")
    assert "token-rotating" in again.text
    gone = send(home, f"/tokens/{made.token}/revoke", headers)
    assert (gone.status_code, gone.headers["location"]) == (303, "/sources/app")
    assert home.post(sample(scope="acme"), {"authorization": f"Bearer {made.secret}"}).status_code == 401


def test_a_service_gets_its_token_from_the_page_and_never_more_than_its_maker_holds(home: Installation) -> None:
    headers = holder(home)
    fields = {"service": "dashboard", "scopes": "acme", "days": "30", "addresses": "10.0.0.0/8", "label": "wall"}
    made = send(home, "/tokens", headers, permissions="events.read", **fields)
    assert len(set(SECRET.findall(made.text))) == 1
    beyond = send(home, "/tokens", headers, permissions="events.read_personal", **fields)
    assert "token-exceeds-rights" in beyond.text
    assert not SECRET.search(beyond.text)


def test_changing_and_retiring_from_the_page_bind_at_once(home: Installation) -> None:
    headers = holder(home)
    sender = {"authorization": f"Bearer {make_token(home.instance, 'write', 'acme', 'app').secret}"}
    fields = {**FORM, "scopes": "acme/x"}
    del fields["name"]
    assert send(home, "/sources/app/change", headers, **fields).status_code == 303
    assert home.post(sample(scope="acme/y"), sender).json()["code"] == "scope-not-allowed"
    assert send(home, "/sources/app/retire", headers).status_code == 303
    assert home.post(sample(scope="acme/x"), sender).status_code == 401


def test_nothing_of_it_is_there_without_the_permission(home: Installation) -> None:
    token = make_token(home.instance, "write", "acme", "app").token
    reader, watcher = holder(home, P.EVENTS_READ), holder(home, P.SOURCES_READ)
    assert home.get("/sources", reader).status_code == 403
    assert home.get("/sources/app", reader).status_code == 403
    assert "app" not in str(home.get("/tokens.json", reader).json()["tokens"])
    page = home.get("/sources/app", watcher).text
    assert "Retire" not in page
    assert "Rotate" not in page
    for path in ("/sources/app/retire", "/sources/app/token", f"/tokens/{token}/revoke"):
        assert send(home, path, watcher).status_code == 403
    assert send(home, "/sources", watcher, **FORM).status_code == 403
    assert home.http.get("/sources", follow_redirects=False).status_code in {303, 401}
