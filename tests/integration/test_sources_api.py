"""Sources and tokens over HTTP: what is answered, what is refused, and what of it is an event."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.installation import Installation, installation, make_token, sample

from tallystick.access.operator import OPERATOR
from tallystick.access.permissions import Permission
from tallystick.access.sources.model import Owner, OwnerKind, TokenSettings

P = Permission
NEW = {"name": "payments", "scopes": ["acme/payments"], "owner": "team-payments", "silence_s": 3600}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path) as opened:
        yield opened


def manager(home: Installation, *permissions: Permission, scope: str = "") -> dict[str, str]:
    """Return the headers of a service that holds these permissions."""
    settings = TokenSettings(frozenset(permissions or (P.SOURCES_MANAGE, P.TOKENS_MANAGE)), (scope,))
    secret = home.instance.services.tokens.create(OPERATOR, Owner(OwnerKind.SERVICE, "admin"), settings).secret
    return {"authorization": f"Bearer {secret}"}


def ask(
    home: Installation, method: str, path: str, headers: dict[str, str], body: Any = None
) -> tuple[int, dict[str, Any]]:
    answer: httpx.Response = home.http.request(method, f"/api/v1{path}", headers=headers, json=body)
    return answer.status_code, answer.json()


def test_a_registered_source_gets_a_token_that_sends_into_its_scope_only(home: Installation) -> None:
    headers = manager(home)
    status, made = ask(home, "POST", "/sources", headers, NEW)
    assert (status, made["number"], made["owner"], made["silence_s"]) == (201, 1, "team-payments", 3600)
    token = {"owner_kind": "source", "owner": "payments", "permissions": ["events.record"], "scopes": ["acme/payments"]}
    status, created = ask(home, "POST", "/tokens", headers, token)
    assert status == 201
    sender = {"authorization": f"Bearer {created['secret']}"}
    assert home.post(sample(scope="acme/payments/api"), sender).status_code == 201
    assert home.post(sample(scope="acme/other"), sender).json()["code"] == "scope-not-allowed"
    assert created["secret"] not in json.dumps(ask(home, "GET", "/tokens", headers)[1])


def test_several_scopes_of_a_source_are_all_open_and_nothing_beside_them(home: Installation) -> None:
    headers = manager(home)
    ask(home, "POST", "/sources", headers, {**NEW, "scopes": ["acme/payments", "acme/billing"]})
    token = {"owner_kind": "source", "owner": "payments", "permissions": ["events.record"]}
    created = ask(home, "POST", "/tokens", headers, {**token, "scopes": ["acme/payments", "acme/billing"]})[1]
    sender = {"authorization": f"Bearer {created['secret']}"}
    codes = [
        home.post(sample(scope=scope), sender).status_code for scope in ("acme/payments/x", "acme/billing", "acme")
    ]
    assert codes == [201, 201, 422]


def test_a_change_says_from_what_to_what_and_narrowing_binds_tokens_at_once(home: Installation) -> None:
    headers = manager(home)
    sender = {"authorization": f"Bearer {make_token(home.instance, 'write', 'acme', 'payments').secret}"}
    assert home.post(sample(scope="acme/billing"), sender).status_code == 201
    status, changed = ask(home, "PATCH", "/sources/payments", headers, {"scopes": ["acme/payments"], "strict": True})
    assert (status, changed["scopes"], changed["strict"]) == (200, ["acme/payments"], True)
    event = home.get("/api/v1/events", query="action:source.changed").json()["events"][0]["event"]
    assert event["changes"] == [
        {"field": "scopes", "old": ["acme"], "new": ["acme/payments"]},
        {"field": "strict", "old": False, "new": True},
    ]
    assert home.post(sample(scope="acme/billing"), sender).json()["code"] == "scope-not-allowed"


def test_changing_nothing_is_no_event(home: Installation) -> None:
    headers = manager(home)
    ask(home, "POST", "/sources", headers, NEW)
    assert ask(home, "PATCH", "/sources/payments", headers, {"silence_s": 3600})[0] == 200
    assert "source.changed" not in home.actions()


def test_a_retired_source_is_refused_at_once_and_its_name_is_never_given_again(home: Installation) -> None:
    headers = manager(home)
    sender = {"authorization": f"Bearer {make_token(home.instance, 'write', 'acme', 'payments').secret}"}
    assert ask(home, "POST", "/sources/payments/retire", headers)[1]["state"] == "retired"
    assert home.post(sample(scope="acme"), sender).status_code == 401
    endings = {"source.retired", "token.revoked"}
    assert [action for action in home.actions() if action in endings] == ["source.retired", "token.revoked"]
    assert ask(home, "POST", "/sources", headers, NEW)[1]["code"] == "source-conflict"
    assert ask(home, "PATCH", "/sources/payments", headers, {"strict": True})[1]["code"] == "source-conflict"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({**NEW, "name": "a b"}, "source-name-invalid"),
        ({**NEW, "name": "tallystick"}, "source-name-invalid"),
        ({**NEW, "scopes": []}, "parameter-invalid"),
        ({**NEW, "scopes": ["/acme"]}, "scope-invalid"),
        ({**NEW, "owner": "ana@example.org"}, "source-settings-invalid"),
        ({**NEW, "silence_s": 0}, "source-settings-invalid"),
        ({**NEW, "kind": "a b"}, "source-settings-invalid"),
        ({**NEW, "number": 7}, "parameter-invalid"),
        ({**NEW, "actor_ids": "none"}, "parameter-invalid"),
    ],
)
def test_what_cannot_be_registered_is_refused_by_name(home: Installation, body: dict[str, Any], code: str) -> None:
    assert ask(home, "POST", "/sources", manager(home), body)[1]["code"] == code
    assert home.instance.services.sources.list(OPERATOR) == []


def test_sources_outside_the_callers_scopes_are_answered_like_none(home: Installation) -> None:
    everywhere, narrow = manager(home), manager(home, P.SOURCES_MANAGE, scope="acme")
    ask(home, "POST", "/sources", everywhere, {"name": "other", "scopes": ["other"]})
    ask(home, "POST", "/sources", everywhere, {"name": "both", "scopes": ["acme/x", "other"]})
    assert ask(home, "POST", "/sources", narrow, {"name": "mine", "scopes": ["acme/x"]})[0] == 201
    assert [each["name"] for each in ask(home, "GET", "/sources", narrow)[1]["sources"]] == ["mine"]
    for name in ("other", "both", "nobody"):
        for method, path, body in (("GET", "", None), ("PATCH", "", {"strict": True}), ("POST", "/retire", None)):
            status, answer = ask(home, method, f"/sources/{name}{path}", narrow, body)
            assert (status, answer["detail"]) == (404, f"there is no source {name!r}")
    for scopes in (["/"], ["other"], ["acme", "other"]):
        assert ask(home, "POST", "/sources", narrow, {"name": "x", "scopes": scopes})[1]["code"] == "permission-missing"
        assert ask(home, "PATCH", "/sources/mine", narrow, {"scopes": scopes})[1]["code"] == "permission-missing"


def test_without_the_permission_nothing_of_sources_and_tokens_is_answered(home: Installation) -> None:
    ask(home, "POST", "/sources", manager(home), NEW)
    token = make_token(home.instance, "write", "acme/payments", "payments").token
    stranger = manager(home, P.EVENTS_READ)
    assert ask(home, "GET", "/sources", stranger)[0] == 403
    assert ask(home, "GET", "/sources/payments", stranger)[0] == 403
    assert ask(home, "POST", "/sources", stranger, {**NEW, "name": "mine"})[0] == 403
    assert ask(home, "GET", "/tokens", stranger)[1] == {"tokens": []}
    for verb in ("rotate", "revoke"):
        assert ask(home, "POST", f"/tokens/{token}/{verb}", stranger, {})[1]["code"] == "token-unknown"
    watcher = manager(home, P.SOURCES_READ)
    assert [each["token"] for each in ask(home, "GET", "/tokens", watcher)[1]["tokens"]] == [token]
    for verb in ("rotate", "revoke"):
        assert ask(home, "POST", f"/tokens/{token}/{verb}", watcher, {})[1]["code"] == "permission-missing"


def test_a_body_larger_than_any_command_is_refused_and_a_strangers_is_not_read(home: Installation) -> None:
    body = b'{"name":"' + b"x" * (1 << 20) + b'"}'
    assert home.http.post("/api/v1/sources", content=body, headers=manager(home)).status_code == 413
    assert home.http.post("/api/v1/sources", content=body).status_code == 401
