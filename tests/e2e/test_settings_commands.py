"""Settings from the command line, on a data directory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.conftest import Run


@pytest.fixture(scope="module")
def place(home: Path, tallystick: Run) -> tuple[str, ...]:
    words = ("--data", str(home / "settings"), "--state-dir", str(home / "settings-state"))
    tallystick("init", *words)
    return words


def listed(place: tuple[str, ...], tallystick: Run) -> dict[str, Any]:
    lines = tallystick("settings", "list", "--json", *place).stdout.splitlines()
    return {each["name"]: each["value"] for each in map(json.loads, lines)}


def test_settings_are_listed_and_set_and_each_change_is_an_event(place: tuple[str, ...], tallystick: Run) -> None:
    assert listed(place, tallystick)["exports.kept_days"] == 7
    tallystick("settings", "set", "exports.kept_days", "30", *place)
    tallystick("settings", "set", "sign_in.domains", "example.org, Example.com", *place)
    now = listed(place, tallystick)
    assert (now["exports.kept_days"], now["sign_in.domains"]) == (30, ["example.com", "example.org"])
    assert "30 days" in tallystick("settings", "list", *place).stdout
    for name in ("exports.kept_days", "sign_in.domains"):
        query = f"action:setting.changed target:{name}"
        assert len(tallystick("search", query, "--json", *place).stdout.splitlines()) == 1


def test_the_operator_puts_passwords_on_again(place: tuple[str, ...], tallystick: Run) -> None:
    told = {
        "TALLYSTICK_OIDC_ISSUER": "https://sso.example.org",
        "TALLYSTICK_OIDC_CLIENT_ID": "tallystick",
        "TALLYSTICK_PUBLIC_URL": "https://audit.example.org",
    }
    tallystick("settings", "set", "sign_in.local", "off", *place, **told)
    assert listed(place, tallystick)["sign_in.local"] is False
    tallystick("settings", "set", "sign_in.local", "on", *place)
    assert listed(place, tallystick)["sign_in.local"] is True


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("nothing.such", "1"), "setting-unknown"),
        (("exports.kept_days", "0"), "setting-value"),
        (("exports.kept_days", "many"), "setting-value"),
        (("sign_in.local", "off"), "setting-value"),
        (("sign_in.domains", "not a domain!"), "setting-value"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_its_name(
    place: tuple[str, ...], tallystick: Run, words: tuple[str, str], code: str
) -> None:
    done = tallystick("settings", "set", *words, *place, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert code in done.stderr
