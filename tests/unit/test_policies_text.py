"""What a policy.yml may hold, and where it is wrong when it holds something else."""

from __future__ import annotations

from typing import Any

import pytest
from tests.policy_world import approval, policies

from tallystick.event.canonical import canonical_json
from tallystick.policies.document import parse_policies
from tallystick.policies.errors import PolicyTextError
from tallystick.policies.keys import ARRAYS, POLICY_KEYS, ROOT
from tallystick.policies.model import Kind

SCAN = """\
scan_execution_policy:
- name: Scan every night
  description: Secrets and dependencies, on every protected branch.
  enabled: true
  policy_scope:
    projects:
      excluding: [{id: 7}, {id: acme/web}]
    compliance_frameworks: [{id: 3}]
  rules:
  - type: schedule
    branch_type: protected
    branch_exceptions: [legacy, {name: old, full_path: acme/web}]
    cadence: "0 2 * * *"
    timezone: Europe/Berlin
    time_window: {distribution: random, value: 3600}
  - type: pipeline
    branches: [main, release/*]
  actions:
  - scan: secret_detection
    tags: [docker]
    variables: {SECURE_LOG_LEVEL: debug, RETRIES: 3, STRICT: true}
  - scan: custom
    ci_configuration_path: {project: acme/ci, file: scan.yml, ref: main}
  skip_ci: {allowed: false, allowlist: {users: [{id: 12}]}}
  metadata: {owner: appsec}
"""
APPROVE = """\
scan_result_policy:
- name: No new critical findings
  enabled: false
  rules:
  - type: scan_finding
    branches: []
    scanners: [sast, dependency_scanning]
    vulnerabilities_allowed: 0
    severity_levels: [critical, high]
    vulnerability_states: [new_needs_triage]
    vulnerability_attributes: {false_positive: false, fix_available: true}
    vulnerability_age: {operator: greater_than, value: 30, interval: day}
  - type: license_finding
    branch_type: protected
    license_states: [newly_detected]
    licenses:
      denied: [{name: AGPL-3.0, packages: {excluding: {purls: ["pkg:pypi/x"]}}}]
  actions:
  - type: require_approval
    approvals_required: 1
    group_approvers: [acme/security]
  - type: send_bot_message
    enabled: false
  approval_settings:
    prevent_approval_by_author: true
    block_group_branch_modification: {enabled: true, exceptions: [{id: 9}]}
  fallback_behavior: {fail: closed}
  policy_tuning: {unblock_rules_using_execution_policies: false}
"""
RUN = """\
pipeline_execution_policy:
- name: Common jobs
  enabled: true
  pipeline_config_strategy: inject_policy
  suffix: on_conflict
  content:
    include: [{project: acme/ci, file: jobs.yml}]
  variables_override: {allowed: false, exceptions: [DEBUG]}
vulnerability_management_policy:
- name: Resolve what is gone
  enabled: true
  rules:
  - type: no_longer_detected
    scanners: [sast]
    severity_levels: [low]
  actions:
  - type: auto_resolve
"""


def parsed(text: str) -> dict[tuple[Kind, str], Any]:
    return dict(parse_policies(text.encode()))


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (SCAN, [Kind.SCAN_EXECUTION]),
        (APPROVE, [Kind.APPROVAL]),
        (RUN, [Kind.PIPELINE_EXECUTION, Kind.VULNERABILITY_MANAGEMENT]),
        ("approval_policy: []\n", []),
    ],
)
def test_the_published_form_is_read_whole(text: str, kinds: list[Kind]) -> None:
    found = parsed(text)
    assert [kind for kind, _ in found] == kinds
    for policy in found.values():
        canonical_json(policy.content)


def test_a_policy_says_whether_it_is_enabled() -> None:
    [policy] = parsed(APPROVE).values()
    assert policy.enabled is False


def test_the_same_name_may_stand_in_two_kinds() -> None:
    text = policies(approval("Same")) + RUN.replace("Common jobs", "Same")
    assert [name for _, name in parsed(text)].count("Same") == 2


def test_the_former_name_of_a_kind_shares_its_names() -> None:
    with pytest.raises(PolicyTextError) as refused:
        parsed(policies(approval("Same")) + APPROVE.replace("No new critical findings", "Same"))
    assert "twice" in refused.value.message


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        (SCAN.replace("cadence:", "cadenza:"), 13, 5, "cadenza"),
        (SCAN.replace("enabled: true", "enabled: yes please"), 4, 3, "true or false"),
        (SCAN.replace("value: 3600", "value: 1"), 15, 41, "3600"),
        (SCAN.replace("scan: custom", "scan: magic"), 22, 5, "magic"),
        (
            SCAN.replace("  - type: pipeline\n    branches: [main, release/*]\n", "  - type: pipeline\n"),
            16,
            5,
            "missing",
        ),
        (SCAN.replace("branches: [main, release/*]", "branches: [main]\n    branch_type: all"), 18, 5, "exclude"),
        (SCAN.replace("description: Secrets", "description: &x Secrets"), 3, 16, "aliases"),
        (SCAN.replace("name: Scan every night", "name: 7"), 2, 3, "text"),
        (SCAN.replace("name: Scan every night", 'name: ""'), 2, 3, "0 characters"),
        (SCAN.replace("name: Scan every night", 'name: "a\\u202eb"'), 2, 3, "U+202E"),
        (APPROVE.replace("No new critical findings", "License-Check"), 2, 3, "reserved"),
        (APPROVE.replace("approvals_required: 1", "approvals_required: 101"), 20, 5, "100"),
        (APPROVE.replace("fail: closed", "fail: maybe"), 27, 23, "maybe"),
        (RUN.replace("content:", "contents:"), 6, 3, "contents"),
        ("approval_policy:\n", 1, 1, "no value"),
        ("other_policy: []\n", 1, 1, "other_policy"),
        ("- approval_policy\n", 1, 1, "mapping"),
        ("experiments: {}\n", 1, 1, "missing"),
        ("approval_policy: []\napproval_policy: []\n", 2, 1, "twice"),
        ("approval_policy: 2026-01-01\n", 1, 18, "date"),
        ("approval_policy: [\n", 2, 1, "not YAML"),
        ("a: b: c\n", 1, 5, "not YAML"),
    ],
)
def test_what_is_wrong_is_told_with_line_and_column(text: str, line: int, column: int, said: str) -> None:
    with pytest.raises(PolicyTextError) as refused:
        parsed(text)
    assert (refused.value.line, refused.value.column) == (line, column), refused.value.message
    assert said in refused.value.message


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xfe", b"a: \x00", b"approval_policy: !!python/object/apply:os.system [id]", b"x" * 2_000_000],
)
def test_bytes_that_are_no_text_are_refused(data: bytes) -> None:
    with pytest.raises(PolicyTextError):
        parse_policies(data)


def test_a_bomb_of_aliases_is_refused_before_anything_is_built() -> None:
    lines = ['a: &a ["x","x","x","x"]'] + [
        f"{b}: &{b} [*{a},*{a},*{a},*{a}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    with pytest.raises(PolicyTextError) as refused:
        parsed("\n".join(lines))
    assert "aliases" in refused.value.message


def test_every_kind_has_its_keys_and_every_array_its_kind() -> None:
    assert set(ARRAYS.values()) == set(POLICY_KEYS) == set(Kind)
    assert set(ARRAYS) < set(ROOT.known)
