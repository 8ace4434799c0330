"""Retention from the command line, on a data directory of its own: the operator proposes, and decides nothing of that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.e2e.conftest import Run


@pytest.fixture(scope="module")
def data(home: Path) -> Path:
    return home / "retention"


def test_classes_rules_and_changes_are_made_and_waited_for(data: Path, tallystick: Run) -> None:
    tallystick("init", "--data", data)

    def retention(*given: str, check: bool = True) -> tuple[int, str, str]:
        done = tallystick("retention", *given, "--data", data, check=check)
        return done.returncode, done.stdout.strip(), done.stderr

    assert retention("define", "reports", "--days", "90", "--personal-days", "30", "--unguarded")[1] == "16"
    waiting = retention("assign", "reports=action:report.*,scope:acme", "--reason", "they are many")[1]
    assert waiting.startswith("rc-")
    digest = retention("simulate", "standard", "--days", "370")[1].splitlines()[-1]
    change = retention("change", "standard", "--days", "370", "--simulation", digest, "--reason", "less")[1]
    listed = [json.loads(line) for line in retention("requests", "--json")[1].splitlines()]
    assert {each["change"] for each in listed} == {waiting, change}
    status, _, said = retention("approve", change, "--digest", listed[0]["digest"], check=False)
    assert status == 1
    assert "own-decision" in said or "themselves" in said
    retention("withdraw", change)
    status, _, said = retention("define", "scratch", "--days", "30", check=False)
    assert status == 1
    assert "365" in said
    retention("hold", "case-7", "--owner", "legal", "--reason", "court", "--class", "standard", "--indexes", "0-5")
    [hold] = [json.loads(line) for line in retention("holds", "--json")[1].splitlines()]
    assert (hold["hold"], hold["classes"], hold["ranges"]) == ("case-7", ["standard"], [[0, 6]])
    assert retention("release", "case-7", "--reason", "over")[1].startswith("rc-")
    assert json.loads(retention("run", "--json")[1])["events"] == 0
    found = json.loads(retention("erase-person", "nobody-at-all", "--json")[1])
    assert (found["events"], found["change"]) == (0, None)
    classes = [json.loads(line) for line in retention("classes", "--json")[1].splitlines()]
    assert [each["name"] for each in classes] == ["ledger-access", "standard", "reading", "reports"]
    assert "next run" in "".join(retention("history")[1:])
