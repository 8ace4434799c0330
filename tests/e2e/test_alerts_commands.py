"""Alerts on the command line, on a data directory without a server: the operator works them alone."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from tests.alert_world import alarm
from tests.e2e.conftest import Run
from tests.installation import settings

from tallystick.server import open_instance


@pytest.fixture
def data(tmp_path: Path) -> Path:
    with open_instance(settings(tmp_path)) as instance:
        instance.services.alerts.book.raise_alarms(
            [alarm("a", severity="critical"), alarm("b", key="ben", severity="low"), alarm("c", key="cy")]
        )
    return tmp_path


def test_alerts_are_listed_worked_closed_and_taken_away(data: Path, tallystick: Run, tmp_path: Path) -> None:
    def alerts(*words: str | Path) -> str:
        done = tallystick("alerts", *words, "--data", data / "data", "--state-dir", data / "state")
        return str(done.stdout)

    def listed(*words: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in alerts("list", *words, "--json").splitlines()]

    critical, high, low = listed()
    assert [each["severity"] for each in (critical, high, low)] == ["critical", "high", "low"]
    alert = critical["id"]
    alerts("acknowledge", alert)
    alerts("assign", alert, "--team", "soc")
    alerts("start", alert)
    alerts("comment", alert, "called ana")
    alerts("respond", alert, "locked the account")
    alerts("link", alert, "0", "--note", "where the log begins")
    alerts("close", alert, "--verdict", "true_positive", "--reason", "a guessed password")
    alerts("reopen", alert, "--reason", "again")
    alerts("close", alert, high["id"], "--verdict", "duplicate", "--of", low["id"], "--reason", "one cause")
    assert [each["id"] for each in listed()] == [low["id"]]
    assert {each["id"] for each in listed("--state", "closed")} == {alert, high["id"]}
    shown = alerts("show", alert)
    for text in ("called ana", "locked the account", "a guessed password", "again", "Many failed sign-ins"):
        assert text in shown
    assert [json.loads(line)["closed"] for line in alerts("figures", "--json").splitlines()] == [1, 1, 0, 0, 0]
    assert "critical" in alerts("figures")
    alerts("export", "--output", tmp_path / "alerts.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "alerts.csv").read_text(encoding="utf-8"))))
    assert [row["verdict"] for row in rows[:3]] == ["duplicate", "", "duplicate"]
    assert rows[3]["alert"].startswith("# {")
