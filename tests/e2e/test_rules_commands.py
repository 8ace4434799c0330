"""Detection rules from the command line, on a data directory of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.e2e.conftest import Run
from tests.rules_world import SIGMAHQ, rule_text


@pytest.fixture(scope="module")
def data(home: Path, tallystick: Run) -> Path:
    tallystick("init", "--data", home / "rules")
    return home / "rules"


def test_a_rule_is_checked_without_a_server_and_its_wrong_place_named(home: Path, tallystick: Run) -> None:
    good, wrong, failing = home / "good.yml", home / "wrong.yml", home / "failing.yml"
    good.write_text(rule_text())
    wrong.write_text(rule_text().replace("owner: security", "owner: somebody"))
    failing.write_text(rule_text().replace("startswith: prod/", "startswith: nowhere/"))
    assert "good: 2 samples" in tallystick("rules", "check", good).stderr
    refused = tallystick("rules", "check", wrong, check=False)
    assert refused.returncode == 1
    assert "owner is one of security, operations, not 'somebody'" in refused.stderr
    assert "line 12, column 10" in refused.stderr
    assert tallystick("rules", "check", failing, check=False).returncode == 1


def test_a_rule_is_written_tested_and_tried_and_not_enabled_without_another(
    home: Path, data: Path, tallystick: Run
) -> None:
    file = home / "kept.yml"
    file.write_text(rule_text("On the command line"))
    rule = tallystick("rules", "add", file, "--scope", "acme", "--data", data).stdout.strip()
    assert "good" in tallystick("rules", "test", rule, "--data", data).stdout
    for step in ("approve", "enable"):
        refused = tallystick("rules", step, rule, "--data", data, check=False)
        assert refused.returncode == 1
    assert "own-decision" in tallystick("rules", "approve", rule, "--data", data, check=False).stderr
    assert tallystick("rules", "show", rule, "--text", "--data", data).stdout == file.read_text()
    assert "fired 0 times" in tallystick("rules", "backtest", rule, "--data", data).stderr
    explained = tallystick("rules", "explain", rule, "0", "--data", data).stdout
    assert "the event has ledger.created" in explained
    listed = [json.loads(line) for line in tallystick("rules", "list", "--data", data, "--json").stdout.splitlines()]
    assert {each["id"]: each["state"] for each in listed}[rule] == "tested"


def test_a_folder_of_rules_is_imported_and_what_is_refused_is_named(home: Path, data: Path, tallystick: Run) -> None:
    folder = home / "upstream"
    (folder / "cloud").mkdir(parents=True)
    (folder / "cloud" / "good.yml").write_text(SIGMAHQ)
    (folder / "bad.yaml").write_text("title: bad\nlogsource: {product: x}\ndetection:\n  condition: nothing\n")
    done = tallystick("rules", "import", folder, "--license", "DRL 1.1", "--data", data)
    assert done.stdout.startswith("bad.yaml:")
    assert "1 imported, 0 known already, 1 refused" in done.stderr
    again = tallystick("rules", "import", folder, "--data", data)
    assert "0 imported, 1 known already, 1 refused" in again.stderr


def test_a_list_is_filled_from_a_file_and_shown_with_its_ends(home: Path, data: Path, tallystick: Run) -> None:
    feed = home / "feed.txt"
    feed.write_text("# of today\nbad.example\nworse.example\n")
    name = "malicious_domains"
    tallystick("rules", "lists", "add", name, "--file", feed, "--until", "+30d", "--source", "CERT", "--data", data)
    tallystick("rules", "lists", "remove", name, "bad.example", "--reason", "ours", "--data", data)
    shown = json.loads(tallystick("rules", "lists", "show", name, "--data", data, "--json").stdout)
    assert [(each["value"], each["source"], each["counts"]) for each in shown["indicators"]] == [
        ("worse.example", "CERT", True)
    ]
