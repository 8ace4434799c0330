"""Security policies from the command line, on a data directory of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.e2e.conftest import Run
from tests.policy_world import Repository, approval, policies


@pytest.fixture(scope="module")
def data(home: Path) -> Path:
    return home / "policies"


def test_a_file_is_checked_without_a_server_and_its_wrong_place_named(home: Path, tallystick: Run) -> None:
    good, wrong = home / "good.yml", home / "wrong.yml"
    good.write_text(policies(approval("One"), approval("Two", enabled=False)))
    wrong.write_text(policies(approval("One", more="  colour: blue\n")))
    done = tallystick("policies", "check", good)
    assert done.stdout.splitlines() == ["approval  One", "approval  Two  (not enabled)"]
    refused = tallystick("policies", "check", wrong, check=False)
    assert refused.returncode == 1
    assert "line 4, column 3" in refused.stderr


def test_policies_kept_here_are_edited_and_their_history_is_told(home: Path, data: Path, tallystick: Run) -> None:
    project = tallystick(
        *("policies", "create", "Kept here", "--scope", "acme/security", "--governs", "acme/payments", "--data", data)
    ).stdout.strip()
    file = home / "policy.yml"
    file.write_text(policies(approval("One")))
    tallystick("policies", "edit", project, file, "--data", data)
    edited = tallystick("policies", "edit", project, "-", "--data", data, stdin=policies(approval("One", needed=3)))
    assert edited.stdout.strip() == "updated  approval  One"
    told = tallystick("policies", "history", project, "--data", data, "--json").stdout.splitlines()
    events = [json.loads(line) for line in told]
    assert [each["action"] for each in events] == [
        "policy_project.edited",
        "security_policy.updated",
        "policy_project.edited",
        "security_policy.created",
        "policy_project.registered",
    ]
    assert events[1]["changes"] == [{"field": "/actions/0/approvals_required", "old": 1, "new": 3}]
    found = tallystick("policies", "governing", "acme/payments/api", "--data", data).stdout
    assert "One" in found
    proposal = tallystick("policies", "propose", project, file, "--reason", "as it was", "--data", data).stdout.strip()
    assert proposal in tallystick("policies", "show", project, "--data", data).stdout
    tallystick("policies", "retire", project, "--data", data)
    assert "retired" in tallystick("policies", "projects", "--data", data).stdout


def test_policies_in_git_are_read_on_demand(home: Path, data: Path, tallystick: Run) -> None:
    repository = Repository.make(home / "repository", policies(approval("In Git")))
    project = tallystick(
        *("policies", "create", "In Git", "--scope", "acme/security", "--governs", "acme/web", "--data", data),
        *("--repository", repository.path),
    ).stdout.strip()
    assert tallystick("policies", "sync", project, "--data", data).stdout.strip() == "in-step"
    repository.commit("nonsense: true\n")
    said = tallystick("policies", "sync", project, "--data", data)
    assert said.stdout.strip() == "rejected"
    assert "line 1, column 1" in said.stderr
    assert "In Git" in tallystick("policies", "show", project, "--data", data).stdout
