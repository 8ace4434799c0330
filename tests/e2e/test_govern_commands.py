"""Systems and exceptions from the command line, on a data directory of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.e2e.conftest import Run

WISH = ("--justification", "needed", "--control", "watched", "--risk", "low")


@pytest.fixture(scope="module")
def data(home: Path, tallystick: Run) -> Path:
    tallystick("init", "--data", home / "govern")
    return home / "govern"


def test_an_exception_is_asked_for_shown_and_never_approved_by_who_asked(data: Path, tallystick: Run) -> None:
    made = tallystick(
        *("exceptions", "request", "rule", "mass-download", "--scope", "acme", "--until", "now+30d", *WISH),
        *("--query", "actor:backup", "--data", data),
    ).stdout.strip()
    found = json.loads(tallystick("exceptions", "show", made, "--data", data, "--json").stdout)
    assert (found["state"], found["query"], found["justification"]) == ("requested", "actor:backup", "needed")
    refused = tallystick("exceptions", "approve", made, "--digest", found["digest"], "--data", data, check=False)
    assert refused.returncode == 1
    assert "nobody decides about what they proposed themselves" in refused.stderr
    listed = tallystick("exceptions", "list", "--standing", "requested", "--data", data).stdout
    assert made in listed
    assert made not in tallystick("exceptions", "list", "--standing", "active", "--data", data).stdout
    assert tallystick("exceptions", "withdraw", made, "--data", data).stdout.strip() == "withdrawn"


def test_a_declaration_that_cannot_be_read_is_refused_with_its_place(home: Path, data: Path, tallystick: Run) -> None:
    refused = tallystick(
        *("systems", "register", "Payments", "--scope", "acme/payments", "--owner", "nobody-at-all"),
        *("--data-class", "internal", "--data", data),
        check=False,
    )
    assert refused.returncode == 1
    assert "nobody-at-all" in refused.stderr
    file = home / "declaration.json"
    file.write_text("{")
    refused = tallystick("systems", "declare", "y-1", file, "--reason", "x", "--data", data, check=False)
    assert refused.returncode == 1
    assert "is not JSON" in refused.stderr
    assert "everything that is declared arrives" in tallystick("systems", "coverage", "--data", data).stderr
    beyond = tallystick("systems", "coverage", "--at", "99999999", "--data", data, check=False)
    assert beyond.returncode == 1, "coverage is that of the place which was asked for"
