"""GitLab's audit event streaming, pasted as an HTTP destination: what it sends is recorded once, as ours."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.installation import Installation, installation

from tallystick.access.operator import OPERATOR
from tallystick.access.sources.model import SourceSettings

TOKEN = "Lq8sX2nWvR5tYb7K-u3e"
TYPES = {
    "release_created": "release.created",
    "release_updated": "release.updated",
    "release_milestones_updated": "release.milestones_changed",
    "release_deleted_audit_event": "release.deleted",
    "repository_download_operation": "repository.download_started",
    "security_policy_create": "security_policy.created",
    "security_policy_update": "security_policy.updated",
    "security_policy_delete": "security_policy.deleted",
    "security_policy_yaml_invalidated": "security_policy.rejected",
    "member_created": "member.added",
    "member_updated": "member.updated",
    "member_destroyed": "member.removed",
    "personal_access_token_created": "credential.created",
    "personal_access_token_revoked": "credential.revoked",
    "group_access_token_deleted": "credential.revoked",
    "created_group_audit_event_streaming_destination": "audit_logging.enabled",
    "updated_instance_audit_event_streaming_destination": "audit_logging.changed",
    "deleted_group_audit_event_streaming_destination": "audit_logging.disabled",
    "audit_events_streaming_headers_create": "audit_logging.changed",
    "event_type_filters_created": "audit_logging.changed",
    "created_group_namespace_filter": "audit_logging.changed",
}


def body(event_id: str = "1", kind: str = "release_created", **changes: Any) -> dict[str, Any]:
    """Return an event in GitLab's shape."""
    return {
        "id": event_id,
        "author_id": 42,
        "author_name": "Mia Berg",
        "entity_id": 7,
        "entity_type": "Project",
        "entity_path": "acme/web",
        "details": {"author_name": "Mia Berg", "custom_message": "Created release v0.3 with Milestones M1, M2"},
        "ip_address": "192.0.2.44",
        "target_id": 9,
        "target_type": "Release",
        "target_details": "New Release",
        "created_at": "2026-03-01T12:00:00.123Z",
        "event_type": kind,
        **changes,
    }


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("house")) as opened:
        opened.instance.services.sources.register(OPERATOR, "gitlab-acme", SourceSettings(scopes=("gitlab/acme",)))
        opened.instance.services.gitlab.set_token(OPERATOR, "gitlab-acme", TOKEN)
        yield opened


def send(house: Installation, sent: Any, token: str | None = TOKEN, source: str = "gitlab-acme") -> httpx.Response:
    """Send as GitLab does: JSON that says it is a form."""
    content = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    headers = {"content-type": "application/x-www-form-urlencoded", "x-gitlab-audit-event-type": "any"}
    if token is not None:
        headers["x-gitlab-event-streaming-token"] = token
    return house.http.post(f"/api/v1/gitlab/{source}", content=content, headers=headers)


def test_an_event_of_gitlabs_is_recorded_with_its_own_names_kept(house: Installation) -> None:
    answer = send(house, body("100"))
    assert answer.status_code == 201, answer.text
    event = house.get(f"/api/v1/events/{answer.json()['id']}").json()["event"]
    assert event["action"] == "release.created"
    assert event["actor"]["id"] == "42"
    assert event["actor"]["name"] == "Mia Berg"
    assert event["targets"] == [{"id": "9", "type": "release", "name": "New Release"}]
    assert event["metadata"]["tag"] == "v0.3"
    assert event["metadata"]["milestones"] == ["M1", "M2"]
    assert event["metadata"]["operation"] == "release_created"
    assert event["metadata"]["gitlab_id"] == "100"
    assert event["scope"] == "gitlab/acme/web"
    assert event["occurred_at"] == "2026-03-01T12:00:00.123000Z"
    assert event["raw"] == body("100")


def test_a_scope_outside_the_source_is_put_below_its_own(house: Installation) -> None:
    made = send(house, body("700", entity_path="elsewhere/app")).json()
    assert house.get(f"/api/v1/events/{made['id']}").json()["event"]["scope"] == "gitlab/acme/gitlab/elsewhere/app"


def test_a_repeat_is_known_by_its_id_and_recorded_once(house: Installation) -> None:
    first, again = send(house, body("200")).json(), send(house, body("200")).json()
    assert again == {**first, "repeated": True}
    found = house.get("/api/v1/events", query="metadata.gitlab_id:200").json()["events"]
    assert len(found) == 1


def test_another_event_under_a_used_id_is_recorded_too(house: Installation) -> None:
    first = send(house, body("300")).json()
    other = send(house, body("300", "release_updated")).json()
    assert other["id"] != first["id"]
    assert send(house, body("300", "release_updated")).json()["id"] == other["id"]
    assert len(house.get("/api/v1/events", query="metadata.gitlab_id:300").json()["events"]) == 2


@pytest.mark.parametrize(("kind", "action"), TYPES.items())
def test_gitlabs_types_have_our_actions(house: Installation, kind: str, action: str) -> None:
    made = send(house, body(f"type-{kind}", kind)).json()
    row = house.get(f"/api/v1/events/{made['id']}").json()
    assert row["event"]["action"] == action
    assert row["undeclared"] is False
    assert row["event"]["metadata"]["operation"] == kind


@pytest.mark.parametrize(
    ("token", "source"), [(None, "gitlab-acme"), ("", "gitlab-acme"), (TOKEN[:-1], "gitlab-acme"), (TOKEN, "nobody"), (TOKEN, "tester")]
)  # fmt: skip
def test_who_does_not_hold_the_token_is_refused_alike(house: Installation, token: str | None, source: str) -> None:
    house.token()
    size = house.instance.ledger.snapshot().size
    answer = send(house, body("400"), token, source)
    assert answer.status_code == 401
    assert answer.json()["code"] in {"gitlab-token-invalid", "token-missing"}
    assert house.instance.ledger.snapshot().size == size


@pytest.mark.parametrize("sent", [b"", b"[]", b"{", b"a=b&c=d", b'"text"', b"\xff\xfe", b'{"id":"1"}', b'{"a":' * 500])
def test_what_is_no_event_is_refused_with_a_reason(house: Installation, sent: bytes) -> None:
    answer = send(house, sent)
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] in {"gitlab-body-invalid", "unmappable"}


@pytest.mark.parametrize("field", ["id", "author_name", "entity_path", "target_details", "event_type"])
def test_half_a_character_is_refused_with_a_reason(house: Installation, field: str) -> None:
    answer = send(house, {**body("half"), field: "\ud800"})
    assert (answer.status_code, answer.json()["code"]) == (422, "gitlab-body-invalid")


def test_an_event_that_is_too_large_is_refused(house: Installation) -> None:
    assert send(house, body("500", details={"text": "x" * 400_000})).status_code == 413


def test_a_token_of_the_source_does_as_well_and_no_other_sources(house: Installation) -> None:
    own = house.token("write", "gitlab/acme", "gitlab-acme")
    other = house.token("write", "/", "somebody-else")
    for headers, status in ((own, 201), (other, 401)):
        answer = house.http.post("/api/v1/gitlab/gitlab-acme", content=json.dumps(body("600")), headers=headers)
        assert answer.status_code == status, answer.text


def test_a_token_is_never_kept_or_shown_and_a_removed_one_opens_nothing(tmp_path: Path) -> None:
    with installation(tmp_path) as house:
        services = house.instance.services
        services.sources.register(OPERATOR, "gitlab-acme", SourceSettings(scopes=("gitlab/acme",)))
        services.gitlab.set_token(OPERATOR, "gitlab-acme", TOKEN)
        assert send(house, body("1")).status_code == 201
        services.gitlab.set_token(OPERATOR, "gitlab-acme", TOKEN + "-new")
        assert send(house, body("2")).status_code == 401
        assert send(house, body("2"), TOKEN + "-new").status_code == 201
        services.gitlab.remove_token(OPERATOR, "gitlab-acme")
        assert send(house, body("4"), TOKEN + "-new").status_code == 401
        assert house.actions().count("gitlab_sender.set") == 2
    for place in tmp_path.rglob("*"):
        assert not place.is_file() or TOKEN.encode() not in place.read_bytes(), place


def test_of_tokens_set_at_once_one_is_kept_and_the_hashes_of_the_others_are_forgotten(tmp_path: Path) -> None:
    with installation(tmp_path) as house:
        services = house.instance.services
        services.sources.register(OPERATOR, "gitlab-acme", SourceSettings(scopes=("gitlab/acme",)))
        tokens = [f"{TOKEN}-{number}" for number in range(16)]
        with ThreadPoolExecutor(len(tokens)) as threads:
            list(threads.map(partial(services.gitlab.set_token, OPERATOR, "gitlab-acme"), tokens))
        good = [number for number, token in enumerate(tokens) if send(house, body(f"9{number}"), token).is_success]
        assert len(good) == 1
        with closing(sqlite3.connect(tmp_path / "data" / "secrets.db")) as secrets:
            kept = secrets.execute("select count(*) from secret where kind = 'gitlab'").fetchone()
        assert kept == (1,)
