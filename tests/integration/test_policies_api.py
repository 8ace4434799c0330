"""The register of security policies through the API: what it takes, what it answers, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.installation import Installation, installation
from tests.permission_rows import bearer
from tests.policy_world import Register, Repository, approval, policies

from tallystick.access.operator import OPERATOR
from tallystick.access.permissions import Permission

ONE = policies(approval("One"))
ROUTE = "/api/v1/policies"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("house")) as house:
        yield house
        Register(house).retire_all()


@pytest.fixture(scope="module")
def headers(house: Installation) -> dict[str, str]:
    return bearer(house, [Permission.POLICIES_MANAGE, Permission.EVENTS_READ_PERSONAL])


def send(house: Installation, headers: dict[str, str], path: str, body: Any, method: str = "POST") -> httpx.Response:
    return house.http.request(method, path, json=body, headers=headers)


def made(house: Installation, headers: dict[str, str], title: str, **more: Any) -> str:
    body = {"title": title, "scope": "acme/security", "governed": ["acme/payments", "/"], "kept": "here", **more}
    answer = send(house, headers, ROUTE, body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["project"])


def test_a_project_is_registered_shown_changed_and_retired(house: Installation, headers: dict[str, str]) -> None:
    project = made(house, headers, "a life")
    shown = house.get(f"{ROUTE}/{project}", headers).json()["project"]
    assert (shown["title"], shown["governed"], shown["state"], shown["whole"]) == (
        "a life",
        ["/", "acme/payments"],
        "in-step",
        True,
    )
    changed = send(house, headers, f"{ROUTE}/{project}", {"governed": ["acme/web"]}, "PATCH").json()
    assert (changed["title"], changed["governed"]) == ("a life", ["acme/web"])
    retired = send(house, headers, f"{ROUTE}/{project}/retire", None)
    assert retired.json()["state"] == "retired"
    listed = house.get(ROUTE, headers).json()["projects"]
    assert [each["state"] for each in listed if each["project"] == project] == ["retired"]


def test_an_edit_answers_with_what_it_changed_and_the_digest_to_go_on_from(
    house: Installation, headers: dict[str, str]
) -> None:
    project = made(house, headers, "edited")
    first = send(house, headers, f"{ROUTE}/{project}/versions", {"text": ONE}).json()
    assert [(each["action"], each["name"]) for each in first["changes"]] == [("security_policy.created", "One")]
    text = policies(approval("One", needed=4))
    second = send(house, headers, f"{ROUTE}/{project}/versions", {"text": text, "based_on": first["digest"]}).json()
    assert second["changes"][0]["changes"] == [{"field": "/actions/0/approvals_required", "old": 1, "new": 4}]
    late = send(house, headers, f"{ROUTE}/{project}/versions", {"text": ONE, "based_on": first["digest"]})
    assert (late.status_code, late.json()["code"]) == (409, "policy-edit-conflict")
    assert house.get(f"{ROUTE}/{project}", headers).json()["text"] == text


def test_a_text_that_cannot_be_accepted_is_answered_with_line_and_column(
    house: Installation, headers: dict[str, str]
) -> None:
    project = made(house, headers, "refused")
    wrong = ONE + "- name: Two\n  enabled: maybe\n"
    for path, body in (
        (f"{ROUTE}/{project}/versions", {"text": wrong}),
        ("/api/v1/policy-checks", {"text": wrong}),
    ):
        answer = send(house, headers, path, body)
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["line"], problem["column"]) == (422, "policy-text", 12, 3)


def test_a_check_keeps_and_records_nothing(house: Installation, headers: dict[str, str]) -> None:
    size = house.instance.ledger.status().acknowledged.size
    answer = send(house, headers, "/api/v1/policy-checks", {"text": ONE})
    assert answer.json() == {"policies": [{"kind": "approval", "name": "One", "enabled": True}]}
    assert house.instance.ledger.status().acknowledged.size == size


def test_a_program_never_decides_about_a_proposal(house: Installation, headers: dict[str, str]) -> None:
    project = made(house, headers, "approved", approval=True)
    service = house.instance.services.policies.service
    proposal = service.propose(OPERATOR, project, ONE, None, "a start")
    [kept] = house.get(f"{ROUTE}/{project}", headers).json()["proposals"]
    assert (kept["proposal"], kept["state"], kept["text"]) == (proposal, "open", ONE)
    other = bearer(house, [Permission.POLICIES_APPROVE])
    answer = send(house, other, f"{ROUTE}/{project}/proposals/{proposal}/approve", {"digest": kept["digest"]})
    assert (answer.status_code, answer.json()["code"]) == (403, "own-policy-proposal")


def test_a_push_is_read_at_once_with_its_pusher(house: Installation, headers: dict[str, str], tmp_path: Path) -> None:
    repository = Repository.make(tmp_path / "repository", ONE)
    project = made(
        house, headers, "pushed", kept="git", repository=str(repository.path), branch="main", governed=["acme/web"]
    )
    commit = repository.commit(policies())
    answer = send(house, headers, f"{ROUTE}/{project}/sync", {"pusher": "ana", "commit": commit})
    assert (answer.status_code, answer.json()["state"], answer.json()["commit"]) == (200, "in-step", commit)
    history = house.get(f"{ROUTE}/{project}/history", headers, limit=200).json()["events"]
    pushed = [each for each in history if each["action"] == "policy_project.pushed"]
    assert [(each["pusher"], each["facts"]["commit"]) for each in pushed] == [("ana", commit)]
    for body in ({"pusher": "ana"}, {"commit": commit}, {"pusher": "ana", "commit": "HEAD"}):
        assert send(house, headers, f"{ROUTE}/{project}/sync", body).status_code == 422


def test_history_comes_in_pages_and_by_policy(house: Installation, headers: dict[str, str]) -> None:
    project = made(house, headers, "paged")
    done = send(house, headers, f"{ROUTE}/{project}/versions", {"text": ONE}).json()
    text = policies(approval("One", needed=2), approval("Two"))
    send(house, headers, f"{ROUTE}/{project}/versions", {"text": text, "based_on": done["digest"]})
    whole = house.get(f"{ROUTE}/{project}/history", headers).json()["events"]
    seen: list[int] = []
    before: dict[str, int] = {}
    while True:
        page = house.get(f"{ROUTE}/{project}/history", headers, limit=2, **before).json()
        seen += [each["index"] for each in page["events"]]
        if page["before"] is None:
            break
        before = {"before": page["before"]}
    assert seen == [each["index"] for each in whole]
    policy = next(each["policy"] for each in whole if each["name"] == "One")
    only = house.get(f"{ROUTE}/{project}/history", headers, policy=policy).json()["events"]
    assert [each["action"] for each in only] == ["security_policy.updated", "security_policy.created"]


def test_a_scope_answers_with_what_governs_it(house: Installation, headers: dict[str, str]) -> None:
    project = made(house, headers, "governing", governed=["acme/governed"])
    send(house, headers, f"{ROUTE}/{project}/versions", {"text": policies(approval("Only there"))})
    found = house.get("/api/v1/policy-scopes", headers, scope="acme/governed/deep").json()
    assert "Only there" in [each["name"] for each in found["policies"]]
    assert "Only there" in [each["name"] for each in found["events"]]
    elsewhere = house.get("/api/v1/policy-scopes", headers, scope="other").json()
    assert "Only there" not in [each["name"] for each in elsewhere["policies"]]


def test_the_figures_tell_how_syncing_goes(house: Installation, headers: dict[str, str]) -> None:
    send(house, headers, f"{ROUTE}/{made(house, headers, 'counted')}/versions", {"text": ONE})
    text = house.get("/metrics", headers).text
    assert 'tallystick_policy_events_total{action="security_policy.created"}' in text
    assert 'tallystick_policy_projects{state="in-step"}' in text
    assert "tallystick_policy_sync_seconds_count" in text


@pytest.mark.parametrize(
    ("value", "kept"),
    [("on", "on"), ("off", "off"), (["acme/web", "acme/payments"], ["acme/payments", "acme/web"])],
)
def test_events_are_switched_on_off_or_on_for_scopes_and_each_switch_is_an_event(
    house: Installation, value: object, kept: object
) -> None:
    manager = bearer(house, [Permission.SETTINGS_MANAGE])
    before = house.actions().count("setting.changed")
    send(house, manager, "/api/v1/settings", {"values": {"security_policy_events": "on"}}, "PATCH")
    settings = send(house, manager, "/api/v1/settings", {"values": {"security_policy_events": value}}, "PATCH").json()
    [found] = [each for each in settings["settings"] if each["name"] == "security_policy_events"]
    assert found["value"] == kept
    send(house, manager, "/api/v1/settings", {"values": {"security_policy_events": "on"}}, "PATCH")
    assert house.actions().count("setting.changed") == before + (0 if value == "on" else 2)


@pytest.mark.parametrize("value", ["", "maybe", [], ["a b"], [""], 7, True])
def test_a_reach_that_cannot_be_is_refused(house: Installation, value: object) -> None:
    manager = bearer(house, [Permission.SETTINGS_MANAGE])
    answer = send(house, manager, "/api/v1/settings", {"values": {"security_policy_events": value}}, "PATCH")
    assert (answer.status_code, answer.json()["code"]) == (422, "setting-value-invalid")
