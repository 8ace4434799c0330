"""Access from the command line: asking, deciding, ending, and who could read when, people and tokens alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.conftest import Run


@pytest.fixture(scope="module")
def place(home: Path, tallystick: Run) -> tuple[str, ...]:
    words = ("--data", str(home / "access"), "--state-dir", str(home / "access-state"))
    tallystick("init", *words)
    return words


@pytest.fixture(scope="module")
def bo(place: tuple[str, ...], tallystick: Run) -> str:
    """Return the id of somebody who was invited."""
    made = tallystick("person", "invite", "bo", "--name", "Bo Lind", "--json", *place).stdout
    return str(json.loads(made)["person"]["id"])


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def asked(place: tuple[str, ...], tallystick: Run, person: str, scope: str) -> str:
    words = ("--person", person, "--role", "viewer", "--scope", scope, "--until", "now+30d", "--reason", "her work")
    return tallystick("access", "request", *words, *place).stdout.strip()


def stands(place: tuple[str, ...], tallystick: Run, grant: str) -> str:
    return str(json.loads(tallystick("access", "show", grant, "--json", *place).stdout)["state"])


def could(place: tuple[str, ...], tallystick: Run, time: str, scope: str) -> list[dict[str, Any]]:
    return lines(tallystick("access", "--time", time, "--scope", scope, "--json", *place).stdout)


def test_access_is_asked_for_approved_shown_at_its_time_and_revoked(
    place: tuple[str, ...], bo: str, tallystick: Run
) -> None:
    grant = asked(place, tallystick, bo, "acme/payments")
    assert stands(place, tallystick, grant) == "requested"
    assert could(place, tallystick, "now", "acme/payments") == []
    tallystick("access", "approve", grant, "--reason", "as agreed", *place)
    (held,) = could(place, tallystick, "now", "acme/payments")
    assert (held["who"]["id"], held["grant"], held["whole"]) == (bo, grant, True)
    (part,) = could(place, tallystick, "now", "acme")
    assert part["whole"] is False
    table = tallystick("access", "--time", "now", "--scope", "acme/payments", *place)
    assert grant in table.stdout
    assert "1 way to events.read in acme/payments" in table.stderr
    assert grant in tallystick("access", "--scope", "acme/payments", *place).stdout, "without a time it is now"
    since = held["since"]
    tallystick("access", "revoke", grant, "--reason", "left the team", *place)
    assert stands(place, tallystick, grant) == "revoked"
    assert could(place, tallystick, "now", "acme/payments") == []
    assert [each["grant"] for each in could(place, tallystick, since, "acme/payments")] == [grant]
    assert could(place, tallystick, "2026-01-01T00:00:00Z", "acme/payments") == []
    steps = json.loads(tallystick("access", "show", grant, "--json", *place).stdout)["steps"]
    assert [each["reason"] for each in steps] == ["her work", "as agreed", "left the team"]


def test_what_was_asked_for_is_rejected_or_taken_back_and_never_held(
    place: tuple[str, ...], bo: str, tallystick: Run
) -> None:
    refused, taken_back = asked(place, tallystick, bo, "acme/hr"), asked(place, tallystick, bo, "acme/hr/pay")
    tallystick("access", "reject", refused, "--reason", "no need", *place)
    tallystick("access", "withdraw", taken_back, *place)
    assert [stands(place, tallystick, each) for each in (refused, taken_back)] == ["rejected", "withdrawn"]
    assert could(place, tallystick, "now", "acme/hr") == []
    states = {each["grant"]: each["state"] for each in lines(tallystick("access", "list", "--json", *place).stdout)}
    assert (states[refused], states[taken_back]) == ("rejected", "withdrawn")


def test_tokens_are_among_those_who_could_read_for_as_long_as_they_were_in_force(
    place: tuple[str, ...], tallystick: Run
) -> None:
    words = ("--service", "warehouse", "--scope", "acme/stock", "--can", "read")
    made = json.loads(tallystick("token", "create", *words, "--json", *place).stdout)
    (held,) = could(place, tallystick, "now", "acme/stock")
    assert (held["token"], held["grant"], held["who"]["id"]) == (made["token"], None, "warehouse")
    tallystick("token", "revoke", made["token"], *place)
    assert could(place, tallystick, "now", "acme/stock") == []
    assert [each["token"] for each in could(place, tallystick, held["since"], "acme/stock")] == [made["token"]]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--time", "yesterday-ish"), "time"),
        (("--time", "now", "--permission", "events.paint"), "permission"),
        (("show", "g-nothing"), "grant"),
        (("approve", "g-nothing"), "grant"),
        (("revoke", "g-nothing", "--reason", "x"), "grant"),
    ],
)
def test_a_mistake_about_access_is_answered_by_its_name(
    place: tuple[str, ...], tallystick: Run, words: tuple[str, ...], code: str
) -> None:
    done = tallystick("access", *words, *place, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert code in done.stderr
    assert "to do:" in done.stderr
