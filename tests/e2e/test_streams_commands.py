"""Streams on the command line, from setting one up to deleting it, on a data directory without a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.conftest import Run
from tests.stream_world import free_port, receiving

NETWORKS = {"TALLYSTICK_STREAM_NETWORKS": "127.0.0.0/8"}


@pytest.fixture
def data(tmp_path: Path, tallystick: Run) -> Path:
    tallystick("init", "--data", tmp_path / "audit")
    return tmp_path / "audit"


def test_a_stream_is_made_tested_changed_paused_and_deleted(data: Path, tallystick: Run, tmp_path: Path) -> None:
    def streams(*words: str | Path, **settings: str) -> Any:
        done = tallystick("streams", *words, "--data", data, **NETWORKS, **settings)
        return done.stdout

    with receiving(tmp_path / "receiver") as receiver:
        words = ("create", receiver.url("ok?key=hidden-key"), "--name", "SIEM", "--batch", "20", "--json")
        made = json.loads(streams(*words, "--header", "X-Key=KEY_OF_SIEM", KEY_OF_SIEM="swordfish"))
        assert made["signing_secret"].startswith("whsec_")
        stream = made["id"]
        assert json.loads(streams("test", stream, "--json")) == {
            "delivered": True,
            "status": 200,
            "said": "answered 200",
        }
        (test,) = receiver.taken()
        assert test["headers"]["X-Key"] == "swordfish"
        assert test["path"] == "/ok?key=hidden-key"
        elsewhere = f"http://127.0.0.1:{free_port()}/"
        known = ("--header", "X-Key=KEY_OF_SIEM")
        streams("change", stream, "--query", "action:release.*", "--to", elsewhere, *known, KEY_OF_SIEM="swordfish")
        assert json.loads(streams("test", stream, "--json"))["delivered"] is False
    streams("pause", stream)
    shown = json.loads(streams("show", stream, "--json"))
    assert (shown["state"], shown["query"], shown["header_names"]) == ("paused", "action:release.*", ["X-Key"])
    text = streams("list", "--json") + streams("show", stream) + streams("dead-letters", stream)
    for secret in ("swordfish", "hidden-key", made["signing_secret"]):
        assert secret not in text
    streams("resume", stream)
    rotated = json.loads(streams("secret", "rotate", stream, "--json"))
    assert rotated["signing_secret"] != made["signing_secret"]
    streams("backfill", stream, "--from", "0")
    streams("replay", stream)
    streams("delete", stream)
    assert json.loads(streams("list", "--json"))["state"] == "ending"


def test_a_header_without_its_variable_and_an_address_of_the_house_are_refused(data: Path, tallystick: Run) -> None:
    words = ("streams", "create", "https://127.0.0.1/", "--name", "x", "--data", data, "--json")
    assert "address-refused" in tallystick(*words, check=False).stderr
    assert "stream-header-option" in tallystick(*words, "--header", "X-Key=NOT_THERE", check=False).stderr
