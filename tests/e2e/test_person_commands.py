"""People from the command line, on a data directory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.conftest import Run


@pytest.fixture(scope="module")
def place(home: Path, tallystick: Run) -> tuple[str, ...]:
    words = ("--data", str(home / "people"), "--state-dir", str(home / "people-state"))
    tallystick("init", *words)
    return words


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_somebody_is_invited_listed_shown_disabled_and_enabled(place: tuple[str, ...], tallystick: Run) -> None:
    link = tallystick("person", "invite", "bo", "--name", "Bo Lind", "--email", "bo@example.org", *place).stdout
    assert link.startswith("/invitation?link=tsl_")
    assert link.count("\n") == 1
    (bo,) = [each for each in lines(tallystick("person", "list", "--json", *place).stdout) if each["handle"] == "bo"]
    assert bo["id"] in tallystick("person", "list", *place).stdout
    assert lines(tallystick("person", "show", bo["id"], "--json", *place).stdout) == [bo]
    assert "Bo Lind" in tallystick("person", "show", bo["id"], *place).stdout
    tallystick("person", "disable", bo["id"], "--reason", "left", *place)
    assert lines(tallystick("person", "show", bo["id"], "--json", *place).stdout)[0]["state"] == "disabled"
    tallystick("person", "enable", bo["id"], *place)
    assert lines(tallystick("person", "show", bo["id"], "--json", *place).stdout)[0]["state"] == "invited"


def test_links_are_whole_where_the_public_address_is_known(place: tuple[str, ...], tallystick: Run) -> None:
    told = {"TALLYSTICK_PUBLIC_URL": "https://audit.example.org"}
    made = tallystick("person", "invite", "cy", "--name", "Cy Berg", *place, **told).stdout
    assert made.startswith("https://audit.example.org/invitation?link=tsl_")
    assert tallystick("setup-link", *place, **told).stdout.startswith("https://audit.example.org/setup?link=tsl_")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("invite", "Not One", "--name", "x"), "person-invalid"),
        (("show", "p-0000000000"), "person-unknown"),
        (("disable", "p-0000000000"), "person-unknown"),
        (("enable", "p-0000000000"), "person-unknown"),
    ],
)
def test_a_mistake_about_a_person_is_answered_by_its_name(
    place: tuple[str, ...], tallystick: Run, words: tuple[str, ...], code: str
) -> None:
    done = tallystick("person", *words, *place, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert code in done.stderr
