"""The keys of `policy.yml` that are accepted: GitLab's published form, closed. The reference page is made from this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tallystick.policies.model import Kind
from tallystick.policies.shape import Count, Either, Flag, Keys, ListOf, Named, Shape, Text

POLICIES_MAX: Final = 2000
"""Of one kind in one text."""
ARRAYS: Final[Mapping[str, Kind]] = {
    "scan_execution_policy": Kind.SCAN_EXECUTION,
    "approval_policy": Kind.APPROVAL,
    "scan_result_policy": Kind.APPROVAL,
    "pipeline_execution_policy": Kind.PIPELINE_EXECUTION,
    "vulnerability_management_policy": Kind.VULNERABILITY_MANAGEMENT,
}
"""`scan_result_policy` is the former name of `approval_policy`."""

_LINE = Text(255, 1, line=True)
_ID = Either({int: Count(), str: _LINE})
_IDS = ListOf(Keys({"id": _ID}, ("id",)))
_SIDES = Keys({"including": _IDS, "excluding": _IDS})
_NAMES = ListOf(_LINE)
_SEVERITIES = ListOf(Text(among=("critical", "high", "medium", "low", "info", "unknown")))
_FILE = Keys({"project": _LINE, "file": _LINE, "ref": _LINE}, ("project", "file"))
_SKIP_CI = Keys({"allowed": Flag(), "allowlist": Keys({"users": _IDS})}, ("allowed",))
_EXCEPTIONS = ListOf(Either({str: _LINE, dict: Keys({"name": _LINE, "full_path": _LINE}, ("name",))}))
_BRANCHES: Mapping[str, Shape] = {"branches": _NAMES, "branch_exceptions": _EXCEPTIONS}
_COMMON: Mapping[str, Shape] = {
    "name": _LINE,
    "description": Text(),
    "enabled": Flag(),
    "policy_scope": Keys({"compliance_frameworks": _IDS, "projects": _SIDES, "groups": _SIDES}),
    "metadata": Named(),
}

_SCAN_RULE = Keys(
    {
        "type": Text(among=("pipeline", "schedule")),
        **_BRANCHES,
        "branch_type": Text(among=("default", "protected", "all")),
        "agents": Either({dict: Named()}),
        "cadence": _LINE,
        "timezone": _LINE,
        "time_window": Keys({"distribution": Text(among=("random",)), "value": Count(3600, 86400)}, ("value",)),
    },
    ("type",),
    one_of=(("branches", "branch_type", "agents"),),
    never_both=(("branches", "branch_type"), ("branches", "agents"), ("branch_type", "agents")),
)
_SCANS = (
    "sast",
    "sast_iac",
    "dast",
    "secret_detection",
    "container_scanning",
    "cluster_image_scanning",
    "dependency_scanning",
    "custom",
)
_SCAN_ACTION = Keys(
    {
        "scan": Text(among=_SCANS),
        "scanner_profile": _LINE,
        "site_profile": _LINE,
        "variables": Named(),
        "tags": _NAMES,
        "template": Text(among=("default", "latest")),
        "ci_configuration": Text(),
        "ci_configuration_path": _FILE,
        "scan_settings": Keys({"ignore_default_before_after_script": Flag()}),
    },
    ("scan",),
)
_AGE = Keys(
    {
        "operator": Text(among=("greater_than", "less_than")),
        "value": Count(0, 100_000),
        "interval": Text(among=("day", "week", "month", "year")),
    },
    ("operator", "value", "interval"),
)
_STATES = ("detected", "confirmed", "resolved", "dismissed", "new_needs_triage", "new_dismissed")
_LICENCES = ListOf(
    Keys({"name": _LINE, "packages": Keys({"excluding": Keys({"purls": _NAMES}, ("purls",))})}, ("name",))
)
_APPROVAL_RULE = Keys(
    {
        "type": Text(among=("scan_finding", "license_finding", "any_merge_request")),
        **_BRANCHES,
        "branch_type": Text(among=("default", "protected")),
        "scanners": _NAMES,
        "vulnerabilities_allowed": Count(0, 32767),
        "severity_levels": _SEVERITIES,
        "vulnerability_states": ListOf(Text(among=_STATES)),
        "vulnerability_attributes": Keys({"false_positive": Flag(), "fix_available": Flag()}),
        "vulnerability_age": _AGE,
        "license_states": ListOf(Text(among=("newly_detected", "detected"))),
        "match_on_inclusion_license": Flag(),
        "license_types": _NAMES,
        "licenses": Keys({"allowed": _LICENCES, "denied": _LICENCES}, never_both=(("allowed", "denied"),)),
        "commits": Text(among=("any", "unsigned")),
    },
    ("type",),
    never_both=(("branches", "branch_type"),),
)
_APPROVAL_ACTION = Keys(
    {
        "type": Text(among=("require_approval", "send_bot_message")),
        "approvals_required": Count(0, 100),
        "user_approvers": _NAMES,
        "user_approvers_ids": ListOf(Count()),
        "group_approvers": _NAMES,
        "group_approvers_ids": ListOf(Count()),
        "role_approvers": ListOf(_ID),
        "enabled": Flag(),
    },
    ("type",),
)
_BLOCK = Either({bool: Flag(), dict: Keys({"enabled": Flag(), "exceptions": _IDS}, ("enabled",))})
_APPROVAL_SETTINGS = Keys(
    {
        "prevent_approval_by_author": Flag(),
        "prevent_approval_by_commit_author": Flag(),
        "remove_approvals_with_new_commit": Flag(),
        "require_password_to_approve": Flag(),
        "block_branch_modification": Flag(),
        "block_group_branch_modification": _BLOCK,
        "prevent_pushing_and_force_pushing": Flag(),
    }
)
_BRANCH_PATTERN = Keys({"name": _LINE, "pattern": _LINE}, one_of=(("name", "pattern"),))
_BYPASS = Keys(
    {
        "access_tokens": _IDS,
        "service_accounts": _IDS,
        "users": _IDS,
        "groups": _IDS,
        "roles": _NAMES,
        "custom_roles": _IDS,
        "branches": ListOf(Keys({"source": _BRANCH_PATTERN, "target": _BRANCH_PATTERN}, ("source", "target"))),
    }
)

#: What one policy of each kind may hold.
POLICY_KEYS: Final[Mapping[Kind, Keys]] = {
    Kind.SCAN_EXECUTION: Keys(
        {**_COMMON, "rules": ListOf(_SCAN_RULE), "actions": ListOf(_SCAN_ACTION, 10), "skip_ci": _SKIP_CI},
        ("name", "enabled", "rules", "actions"),
    ),
    Kind.APPROVAL: Keys(
        {
            **_COMMON,
            "rules": ListOf(_APPROVAL_RULE),
            "actions": ListOf(_APPROVAL_ACTION, 10),
            "approval_settings": _APPROVAL_SETTINGS,
            "fallback_behavior": Keys({"fail": Text(among=("open", "closed"))}, ("fail",)),
            "policy_tuning": Keys({"unblock_rules_using_execution_policies": Flag()}),
            "enforcement_type": Text(among=("enforce", "warn")),
            "bypass_settings": _BYPASS,
        },
        ("name", "enabled", "rules"),
        one_of=(("actions", "approval_settings"),),
    ),
    Kind.PIPELINE_EXECUTION: Keys(
        {
            **_COMMON,
            "content": Keys({"include": ListOf(_FILE, 1, 1)}, ("include",)),
            "pipeline_config_strategy": Text(among=("inject_policy", "inject_ci", "override_project_ci")),
            "suffix": Text(among=("on_conflict", "never")),
            "skip_ci": _SKIP_CI,
            "variables_override": Keys({"allowed": Flag(), "exceptions": _NAMES}, ("allowed",)),
        },
        ("name", "enabled", "content"),
    ),
    Kind.VULNERABILITY_MANAGEMENT: Keys(
        {
            **_COMMON,
            "rules": ListOf(
                Keys(
                    {
                        "type": Text(among=("no_longer_detected",)),
                        "scanners": _NAMES,
                        "severity_levels": _SEVERITIES,
                    },
                    ("type",),
                )
            ),
            "actions": ListOf(Keys({"type": Text(among=("auto_resolve",))}, ("type",)), 1),
        },
        ("name", "enabled", "rules", "actions"),
    ),
}
RESERVED_NAMES: Final = frozenset({"License-Check", "Coverage-Check"})
"""Names that no approval policy may have."""
ROOT: Final = Keys(
    {
        **{array: ListOf(POLICY_KEYS[kind], POLICIES_MAX) for array, kind in ARRAYS.items()},
        "experiments": Either({dict: Named()}),
    },
    one_of=(tuple(ARRAYS),),
)
