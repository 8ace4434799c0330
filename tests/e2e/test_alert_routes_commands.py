"""Routes, receivers, silences and notifications on the command line, on a data directory without a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.conftest import Run
from tests.stream_world import receiving

NETWORKS = {"TALLYSTICK_STREAM_NETWORKS": "127.0.0.0/8"}
ROUTES = "route: {receiver: ops, routes: [{matchers: ['scope=acme/web'], receiver: hook}]}\n"


@pytest.fixture
def data(tmp_path: Path, tallystick: Run) -> Path:
    tallystick("init", "--data", tmp_path / "audit")
    return tmp_path / "audit"


def test_receivers_and_routes_are_set_tried_and_removed(data: Path, tallystick: Run, tmp_path: Path) -> None:
    def alerts(*words: str | Path, check: bool = True, **settings: str) -> Any:
        return tallystick("alerts", *words, "--data", data, check=check, **NETWORKS, **settings).stdout

    with receiving(tmp_path / "receiver") as receiver:
        alerts("receivers", "set", "ops", "--kind", "email", "--to", "ops@example.org")
        url = receiver.url("ok?key=hidden-key")
        words = ("receivers", "set", "hook", "--kind", "webhook", "--url-variable", "HOOK", "--json")
        made = json.loads(alerts(*words, HOOK=url))
        assert made["signing_secret"].startswith("whsec_")
        tested = json.loads(alerts("receivers", "test", "hook", "--json"))
        assert (tested["delivered"], tested["attempt"]["code"]) == (True, 200)
        refused = json.loads(alerts("receivers", "test", "ops", "--json", check=False))
        assert refused["attempt"]["said"] == "no mail server is configured"
    text = tmp_path / "routes.yaml"
    text.write_text(ROUTES)
    assert "hook, ops" in alerts("routes", "check", text)
    alerts("routes", "set", text)
    assert ROUTES.strip() in alerts("routes", "show")
    assert "goes to hook after 0s" in alerts("routes", "try", "--severity", "critical", "--scope", "acme/web/x")
    assert "goes to ops after 30s" in alerts("routes", "try", "--severity", "low", "--scope", "acme")
    assert "hidden-key" not in alerts("receivers", "list") + alerts("receivers", "list", "--json")
    text.write_text("route: {receiver: ops}")
    alerts("routes", "set", text)
    alerts("receivers", "remove", "hook")
    assert json.loads(alerts("receivers", "list", "--json"))["name"] == "ops"


def test_a_silence_is_placed_extended_and_ended(data: Path, tallystick: Run) -> None:
    def alerts(*words: str | Path) -> Any:
        return tallystick("alerts", *words, "--data", data).stdout

    why = ("--reason", "we are moving it")
    made = json.loads(alerts("silences", "place", 'scope="acme/web"', "--until", "2h", *why, "--json"))
    assert (made["state"], made["scope"], made["critical"]) == ("active", "acme/web", True)
    alerts("silences", "extend", made["id"], "--until", "4h", *why)
    alerts("silences", "end", made["id"], *why)
    assert alerts("silences", "list", "--json") == ""
    assert json.loads(alerts("silences", "list", "--ended", "--json"))["state"] == "ended"
    assert json.loads(alerts("notifications", "list", "--json")) == {
        "settled": [],
        "waiting": [],
        "dead": [],
        "held": [],
    }
