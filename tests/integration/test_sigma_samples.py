"""Rules over recorded events: attacks on a cloud account, and what many vendors send."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.paths import shared

from tallystick.sigma import EventView, Rule, compile_rules, escape, load
from tallystick.sigma.compiling import compile_rule

ATTACKS: dict[str, str] = {
    "defense-evasion.cloudtrail-stop": "s: {eventSource: cloudtrail.amazonaws.com, eventName: StopLogging}",
    "defense-evasion.cloudtrail-delete": "s: {eventName: [DeleteTrail, DeleteEventDataStore]}",
    "defense-evasion.vpc-remove-flow-logs": "s: {eventName|startswith: Delete, eventName|endswith: FlowLogs}",
    "defense-evasion.organizations-leave": "s: {eventName|contains|all: [leave, organization]}",
    "exfiltration.ec2-security-group-open-port-22-ingress": (
        "s: {responseElements.securityGroupRuleSet.items.cidrIpv4|endswith: /0}\n"
        "  p: {requestParameters.fromPort|lte: 22, requestParameters.toPort|gte: 22}"
    ),
    "exfiltration.ec2-share-ami": "s: {requestParameters.launchPermission.add.items.userId|re: '^[0-9]{12}$'}",
    "exfiltration.rds-share-snapshot": "s: {requestParameters.valuesToAdd|exists: true, eventName: ModifyDBSnapshotAttribute}",
    "initial-access.console-login-without-mfa": (
        "s: {eventName: ConsoleLogin, additionalEventData.MFAUsed: NO, responseElements.ConsoleLogin: success}"
    ),
    "persistence.iam-create-admin-user": "s: {requestParameters.policyArn: 'arn:aws:iam::*:policy/AdministratorAccess'}",
    "persistence.lambda-overwrite-code": "s: {eventName|re: '^UpdateFunctionCode[0-9]{8}v[0-9]$'}",
    "persistence.sts-federation-token": "s: {eventName: Get*Token, userIdentity.type: IAMUser}",
}
HARMLESS = "discovery.ec2-download-user-data"


def attack(name: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = json.loads(shared(f"data/cloudtrail-stratus/aws.{name}.json").read_bytes())
    return events


def attack_rule(searches: str) -> Rule:
    condition = "all of them"
    text = f"title: t\nlogsource: {{product: aws, service: cloudtrail}}\ndetection:\n  {searches}\n  condition: {condition}\n"
    [rule] = load(text.encode())
    assert isinstance(rule, Rule)
    return rule


@pytest.mark.parametrize("name", ATTACKS)
def test_a_recorded_attack_is_found(name: str) -> None:
    rules = compile_rules({each: attack_rule(searches) for each, searches in ATTACKS.items()})
    found = [key for event in attack(name) for key in rules.match(EventView(event))]
    assert name in found
    assert not [key for event in attack(HARMLESS) for key in rules.match(EventView(event))]


def vendors() -> Iterator[tuple[Path, list[dict[str, Any]]]]:
    for file in sorted(shared("data/vendor-events").glob("*.jsonl")):
        yield file, [json.loads(line) for line in file.read_bytes().splitlines() if line.strip()]


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, member in value.items():
            if "|" not in key and key.strip() == key and key:
                yield from leaves(member, (*path, key))
    elif isinstance(value, list):
        for member in value:
            yield from leaves(member, path)
    elif value is not None:
        yield ".".join(path), value


def rule_from(event: dict[str, Any]) -> Rule:
    """Return the rule that names every field of an event, in turn whole, at its ends and within."""
    items: dict[str, Any] = {}
    for number, (path, value) in enumerate(leaves(event)):
        text = value if isinstance(value, str) else json.dumps(value)
        key, part = [("", text), ("|startswith", text[:9]), ("|endswith", text[-9:]), ("|contains", text[1:9])][
            number % 4
        ]
        if path and "[" not in path and not (isinstance(value, float) and key):
            items.setdefault(path + key, escape(part) if isinstance(value, str) else value if not key else part)
    body = {"title": "t", "logsource": {"product": "any"}, "detection": {"s": items, "condition": "s"}}
    [rule] = load(json.dumps(body).encode())
    assert isinstance(rule, Rule)
    return rule


def test_a_rule_made_of_a_vendors_event_finds_it_and_the_index_changes_no_answer() -> None:
    seen = 0
    for file, events in vendors():
        sample = events[:12]
        rules = {f"{number}": rule_from(event) for number, event in enumerate(sample) if isinstance(event, dict)}
        together = compile_rules(rules)
        alone = {key: compile_rule(rule) for key, rule in rules.items()}
        for number, event in enumerate(sample):
            view = EventView(event)
            matched = together.match(view)
            assert f"{number}" in matched, (file.name, number)
            assert matched == tuple(key for key, rule in alone.items() if rule.holds(EventView(event))), file.name
            seen += 1
    assert seen > 100


def test_rules_for_a_cloud_run_over_every_vendors_events_without_a_crash() -> None:
    rules = compile_rules({each: attack_rule(searches) for each, searches in ATTACKS.items()})
    keywords = compile_rules({"k": attack_rule("s: [accessdenied, 'denied*policy', 404]")})
    found = 0
    for _, events in vendors():
        for event in events:
            found += len(rules.match(EventView(event))) + len(keywords.match(EventView(event)))
    assert found
