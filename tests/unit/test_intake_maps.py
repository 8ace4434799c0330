"""The shipped maps: what they say about records of each vendor."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import pytest
from tests.paths import ROOT

from tallystick.event.catalogue import load_shipped, render_message
from tallystick.event.located_yaml import parse_yaml
from tallystick.intake.json_text import parse_whole
from tallystick.intake.mapping import Mapped
from tallystick.intake.mapping_parse import UnknownMapError, load_map, shipped_maps

VENDOR_MAPS = ("cloudtrail", "github", "gitlab", "okta")
GITLAB = ROOT / "tests/fixtures/gitlab"


def mapped(name: str, record: Any, *, scope: str = "", source: str = "s") -> Mapped:
    text = record if isinstance(record, str) else json.dumps(record)
    found = load_map(name).apply(parse_whole(text, exact=True), text.encode(), source=source, scope=scope)
    assert found is not None
    return found


def gitlab_rows() -> dict[str, dict[str, Any]]:
    streamed = [json.loads(line) for line in (GITLAB / "streamed.jsonl").read_text().splitlines()]
    rows = streamed + json.loads((GITLAB / "api.json").read_text())
    return {str(row["id"]): row for row in rows}


def table_actions(value: Any) -> list[str]:
    """Return every action that a table can give."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict) and "cases" in value:
        return [case["is"] for case in value["cases"]] + [value["otherwise"]]
    return [value["default"]] if isinstance(value, dict) else []


def test_each_vendor_of_the_plan_has_a_map() -> None:
    assert shipped_maps() == tuple(sorted((*VENDOR_MAPS, "native")))
    with pytest.raises(UnknownMapError, match="nowhere"):
        load_map("nowhere")


@pytest.mark.parametrize("name", VENDOR_MAPS)
def test_every_action_a_map_can_give_is_catalogued_or_the_vendors_own(name: str) -> None:
    data = resources.files("tallystick.intake").joinpath("maps", f"{name}.yaml").read_bytes()
    tables = parse_yaml(data, name).value["tables"]
    actions = [action for value in tables["actions"].values() for action in table_actions(value)]
    for extra in ("signed_in", "factor", "evaluated"):
        actions += tables.get(extra, {}).values()
    unknown = [action for action in actions if load_shipped().get(action) is None]
    assert [action for action in unknown if not action.startswith(f"vendor.{name}.")] == []
    assert len(set(actions)) > 30
    assert not [action for action in actions if (kind := load_shipped().get(action)) and kind.origin == "product"]


CLOUDTRAIL: dict[str, Any] = {
    "eventVersion": "1.11",
    "eventTime": "2026-03-01T12:00:00Z",
    "eventSource": "iam.amazonaws.com",
    "eventName": "CreateUser",
    "awsRegion": "eu-north-1",
    "sourceIPAddress": "192.0.2.9",
    "userAgent": "aws-cli/2",
    "requestID": "req-1",
    "eventID": "11112222-3333-4444-5555-666677778888",
    "recipientAccountId": "123456789012",
    "requestParameters": {"userName": "new-user"},
    "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/ana", "userName": "ana"},
}


def test_cloudtrail_becomes_an_event_with_everything_kept() -> None:
    event = mapped("cloudtrail", CLOUDTRAIL).event
    assert event["action"] == "account.created"
    assert event["actor"] == {"id": "arn:aws:iam::123456789012:user/ana", "type": "user", "name": "ana"}
    assert event["targets"] == [{"id": "new-user", "type": "user", "name": "new-user"}]
    assert event["scope"] == "aws/123456789012/eu-north-1"
    assert event["occurred_at"] == "2026-03-01T12:00:00.000000Z"
    assert event["context"]["ip"] == "192.0.2.9"
    assert event["raw"] == CLOUDTRAIL
    assert mapped("cloudtrail", CLOUDTRAIL).gaps == ()


def test_cloudtrail_in_envelopes_and_in_lower_case_is_the_same_event() -> None:
    bridge = {"detail-type": "AWS API Call via CloudTrail", "source": "aws.iam", "detail": CLOUDTRAIL}
    lookup = {"EventId": "x", "CloudTrailEvent": json.dumps(CLOUDTRAIL)}
    plain = mapped("cloudtrail", CLOUDTRAIL).event
    for envelope in (bridge, lookup):
        assert mapped("cloudtrail", envelope).event == plain
    folded = {key.lower(): value for key, value in CLOUDTRAIL.items()}
    assert {**mapped("cloudtrail", folded).event, "raw": None} == {**plain, "raw": None}


@pytest.mark.parametrize(
    ("changes", "action", "outcome"),
    [
        ({"errorCode": "AccessDenied"}, "account.created", "denied"),
        ({"errorCode": "EntityAlreadyExists"}, "account.created", "failure"),
        ({"eventName": "DescribeTrails", "eventSource": "cloudtrail.amazonaws.com"}, "resource.viewed", "success"),
        ({"eventName": "StopLogging", "eventSource": "cloudtrail.amazonaws.com"}, "audit_logging.disabled", "success"),
        ({"eventName": "Decrypt", "eventSource": "kms.amazonaws.com"}, "vendor.cloudtrail.kms.decrypt", "success"),
        (
            {"eventName": "ConsoleLogin", "eventSource": "signin.amazonaws.com",
             "responseElements": {"ConsoleLogin": "Failure"}}, "user.sign_in_failed", "failure",
        ),
        (
            {"eventName": "ConsoleLogin", "eventSource": "signin.amazonaws.com",
             "responseElements": {"ConsoleLogin": "Success"}}, "user.signed_in", "success",
        ),
    ],
)  # fmt: skip
def test_cloudtrail_actions_and_outcomes(changes: dict[str, Any], action: str, outcome: str) -> None:
    event = mapped("cloudtrail", {**CLOUDTRAIL, **changes}).event
    assert (event["action"], event["outcome"]) == (action, outcome)


def test_an_action_without_a_word_of_ours_is_kept_and_counted() -> None:
    found = mapped("cloudtrail", {**CLOUDTRAIL, "eventName": "InvokeModel", "eventSource": "bedrock.amazonaws.com"})
    assert found.event["action"] == "vendor.cloudtrail.bedrock.invoke_model"
    assert found.gaps == (("action", "bedrock:InvokeModel"),)


GITHUB: dict[str, Any] = {
    "@timestamp": 1_740_000_000_123,
    "_document_id": "abc",
    "action": "protected_branch.destroy",
    "actor": "ana",
    "actor_id": 7,
    "actor_ip": "192.0.2.9",
    "org": "acme",
    "repo": "acme/api",
    "name": "main",
}


def test_github_becomes_an_event() -> None:
    event = mapped("github", GITHUB).event
    assert event["action"] == "branch_protection.removed"
    assert event["targets"][0] == {"id": "acme/api@main", "type": "branch", "name": "main"}
    assert event["scope"] == "github/acme/api"
    assert event["occurred_at"] == "2025-02-19T21:20:00.123000Z"


@pytest.mark.parametrize(
    ("record", "action"),
    [
        ({"action": "org.add_member", "user": "bo"}, "member.added"),
        (
            {"action": "repo.access", "visibility": "public", "previous_visibility": "private"},
            "project.visibility_changed",
        ),
        ({"action": "secret_scanning.disable"}, "security_control.disabled"),
        ({"action": "git.clone"}, "repository.download_started"),
        ({"action": "release.published"}, "release.created"),
        ({"action": "brand_new.thing"}, "vendor.github.brand_new.thing"),
    ],
)
def test_github_actions(record: dict[str, Any], action: str) -> None:
    assert mapped("github", {**GITHUB, **record}).event["action"] == action


def test_github_tells_old_and_new_visibility_apart() -> None:
    record = {**GITHUB, "action": "repo.access", "visibility": "public", "previous_visibility": "private"}
    assert mapped("github", record).event["changes"] == [{"field": "visibility", "old": "private", "new": "public"}]


OKTA: dict[str, Any] = {
    "uuid": "u-1",
    "published": "2026-03-01T12:00:00.123Z",
    "eventType": "user.session.start",
    "displayMessage": "User login to Okta",
    "severity": "INFO",
    "outcome": {"result": "SUCCESS"},
    "actor": {"id": "00u1", "type": "User", "alternateId": "ana@acme.example", "displayName": "Ana"},
    "client": {"ipAddress": "192.0.2.9", "geographicalContext": {"geolocation": {"lat": 60.39, "lon": 5.32}}},
    "target": [{"id": "0oa1", "type": "AppInstance", "displayName": "Payroll"}],
}


@pytest.mark.parametrize(
    ("kind", "result", "action", "outcome"),
    [
        ("user.session.start", "SUCCESS", "user.signed_in", "success"),
        ("user.session.start", "FAILURE", "user.sign_in_failed", "failure"),
        ("user.authentication.auth_via_mfa", "FAILURE", "mfa.challenge_failed", "failure"),
        ("policy.evaluate_sign_on", "DENY", "access.denied", "denied"),
        ("policy.evaluate_sign_on", "CHALLENGE", "vendor.okta.policy.evaluate_sign_on", "unknown"),
        ("system.log_stream.lifecycle.deactivate", "SUCCESS", "audit_logging.disabled", "success"),
        ("user.lifecycle.create", "SUCCESS", "account.created", "success"),
        ("user.new.thing", "SUCCESS", "vendor.okta.user.new.thing", "success"),
    ],
)
def test_okta_actions_and_outcomes(kind: str, result: str, action: str, outcome: str) -> None:
    event = mapped("okta", {**OKTA, "eventType": kind, "outcome": {"result": result}}).event
    assert (event["action"], event["outcome"]) == (action, outcome)


def test_numbers_that_could_lose_digits_become_text_and_are_listed() -> None:
    event = mapped("okta", {**OKTA, "big": 2**53, "small": 2**53 - 1}).event
    assert event["raw"]["client"]["geographicalContext"]["geolocation"]["lat"] == "60.39"
    assert (event["raw"]["big"], event["raw"]["small"]) == ("9007199254740992", 2**53 - 1)
    assert event["metadata"]["numbers_as_text"] == [
        "/raw/client/geographicalContext/geolocation/lat",
        "/raw/client/geographicalContext/geolocation/lon",
        "/raw/big",
    ]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("102", "Created Release v2.1 with milestones M1, M2"),
        ("103", "Created Release v2.1.1"),
        ("104", "Updated Release v2.1.1"),
        ("105", "Milestones associated with release changed to M1, M2, M3"),
        ("106", "Milestones associated with release changed to (none)"),
        ("107", "Deleted Release v2.1.1"),
        ("101", "Repository Download Started"),
        ("108", 'Created security policy "Scan every merge" (scan_execution)'),
        ("109", 'Deleted security policy "Scan every merge" (approval)'),
        ("110", "Changed membership of Ilya Brandt: access_level from Developer to Owner"),
        ("111", "Switched off audit logging https://siem.example.test/hook"),
        ("201", "Added member Ilya Brandt as Developer"),
        ("203", "Removed member Ilya Brandt"),
        ("205", "Created Release v2.0 with milestones M1"),
        ("208", "Changed visibility of harbour/payments from Private to Public"),
        ("114", "Something new"),
    ],
)
def test_gitlab_events_read_as_ours(row: str, text: str) -> None:
    event = mapped("gitlab", gitlab_rows()[row]).event
    assert render_message(load_shipped().get(event["action"]), event) == text


def test_gitlab_keeps_its_own_name_for_every_event_and_its_scope() -> None:
    event = mapped("gitlab", gitlab_rows()["102"]).event
    assert event["metadata"]["operation"] == "release_created"
    assert event["scope"] == "gitlab/harbour/payments"
    assert event["actor"] == {"id": "7", "type": "user", "name": "Noor Haddad"}


@pytest.mark.parametrize(
    ("row", "kind"), [("101", "service"), ("112", "anonymous"), ("109", "unknown"), ("102", "user")]
)
def test_gitlab_authors_that_are_no_users_are_told_apart(row: str, kind: str) -> None:
    assert mapped("gitlab", gitlab_rows()[row]).event["actor"]["type"] == kind


def test_a_gitlab_message_never_becomes_part_of_an_action() -> None:
    found = mapped("gitlab", gitlab_rows()["206"])
    assert found.event["action"] == "vendor.gitlab.unnamed"
    assert found.gaps == (("action", "message:Did something nobody knows"),)


def test_native_events_are_left_as_they_are() -> None:
    event = {"action": "a.b", "id": "11112222-3333-4444-5555-666677778888", "metadata": {"x": 1.5}}
    found = load_map("native").apply(event, b"{}", source="s", scope="acme")
    assert found is not None
    assert found.event == {**event, "scope": "acme"}
    assert found.content_id is None


def test_native_events_without_an_id_get_one_that_stays_the_same() -> None:
    first, again = (load_map("native").apply({"action": "a.b"}, b"x", source="s", scope="") for _ in range(2))
    assert first == again
    assert first is not None
    assert first.event["id"] == first.content_id
