"""The log over HTTP, health, metrics, the OpenAPI document, and what every answer carries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.installation import Installation, installation, sample

from tallystick.api.app import ROUTES, create_app
from tallystick.api.metrics import METRICS
from tallystick.merkle.hashing import hash_leaf
from tallystick.merkle.tiles import parse_entry_bundle
from tallystick.note.checkpoint import parse_checkpoint
from tallystick.note.note import parse_note

COUNT = 300
PREFIXES = ("/api/v1/log", "")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("house")) as opened:
        opened.post([sample()] * COUNT)
        opened.instance.ledger.wait_committed(opened.instance.ledger.status().acknowledged.size, 20)
        yield opened


@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_checkpoint_is_text_that_nobody_keeps_for_long(house: Installation, prefix: str) -> None:
    answer = house.http.get(f"{prefix}/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=1"
    checkpoint = parse_checkpoint(parse_note(answer.content).text)
    assert checkpoint.origin == house.instance.ledger.origin
    assert checkpoint.size >= COUNT


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_log_without_a_witness_has_no_witnessed_checkpoint(house: Installation, prefix: str) -> None:
    answer = house.http.get(f"{prefix}/checkpoint.witnessed")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-witnessed")


@pytest.mark.parametrize("prefix", PREFIXES)
def test_tiles_are_bytes_that_anyone_keeps_for_ever(house: Installation, prefix: str) -> None:
    answer = house.http.get(f"{prefix}/tile/0/000")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert len(answer.content) == 256 * 32


@pytest.mark.parametrize("prefix", PREFIXES)
def test_bundles_hold_the_entries_of_the_tile_and_stay_with_their_reader(house: Installation, prefix: str) -> None:
    answer = house.get(f"{prefix}/tile/entries/000")
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    leaves = b"".join(map(hash_leaf, parse_entry_bundle(answer.content)))
    assert leaves == house.http.get(f"{prefix}/tile/0/000").content
    assert house.http.get(f"{prefix}/tile/entries/000").status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/1",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/-1/000",
        "tile/0/../../keys/pseudonym-key",
        "tile/0/%2e%2e/%2e%2e/keys",
        "tile/entries/000/../../../secrets.db",
        "tile/0/000%00",
        "tile/x/000",
        "tile/",
    ],
)
@pytest.mark.parametrize("prefix", PREFIXES)
def test_nothing_but_tiles_can_be_had_by_a_tile_path(house: Installation, prefix: str, path: str) -> None:
    answer = house.get(f"{prefix}/{path}")
    assert answer.status_code in {404, 422}
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_tile_beyond_the_log_is_missing(house: Installation) -> None:
    answer = house.http.get("/tile/0/x001/000")
    assert (answer.status_code, answer.json()["code"]) == (404, "tile-missing")


def test_readiness_shows_how_far_each_stage_is(house: Installation) -> None:
    state = house.http.get("/readyz").json()
    assert state["status"] == "ready"
    assert state["acknowledged"]["size"] == state["committed"]["size"] == house.instance.ledger.status().committed.size
    assert state["read_only"] is False
    assert state["trouble"] == []


def test_a_ledger_that_takes_nothing_is_not_ready(
    house: Installation, tmp_path_factory: pytest.TempPathFactory
) -> None:
    del house
    stopping: list[bool] = []
    with installation(tmp_path_factory.mktemp("draining"), draining=lambda: bool(stopping)) as other:
        other.token()
        assert other.http.get("/readyz").status_code == 200
        stopping.append(True)
        assert other.http.get("/readyz").status_code == 503
        assert other.http.get("/healthz").status_code == 200
        answer = other.post(sample())
        assert (answer.status_code, answer.json()["code"]) == (503, "draining")
        assert answer.headers["retry-after"] == "1"


def test_every_metric_that_is_served_is_documented_and_the_other_way_round(house: Installation) -> None:
    house.http.get("/healthz")
    text = house.get("/metrics").text
    families = re.findall(r"^# TYPE (\S+) \S+$", text, re.MULTILINE)
    assert {name for name in families if not name.endswith("_created")} == set(METRICS)
    assert 'tallystick_ledger_size{stage="committed"}' in text
    assert 'route="/healthz"' in text


def test_metrics_hold_no_paths_that_callers_chose(house: Installation) -> None:
    house.http.get("/secret-name")
    house.http.get("/tile/0/secret-name")
    assert "secret-name" not in house.get("/metrics").text


@pytest.mark.parametrize("path", ["/healthz", "/checkpoint", "/nowhere", "/api/v1/events"])
def test_every_answer_tells_browsers_to_do_nothing_with_it(house: Installation, path: str) -> None:
    headers = house.http.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'"
    assert headers["referrer-policy"] == "no-referrer"


def document(house: Installation) -> dict[str, Any]:
    answer: dict[str, Any] = house.get("/api/v1/openapi.json").json()
    return answer


def test_the_openapi_document_has_every_route(house: Installation) -> None:
    described = document(house)
    assert described["openapi"].startswith("3.1")
    documented = {re.sub(r"{(\w+)}", "{}", path) for path in described["paths"]}
    served = {re.sub(r"{(\w+):\w+}", "{}", path) for handler in ROUTES for path in handler.paths}
    assert documented == served


def test_every_documented_parameter_is_accepted_and_every_accepted_one_documented(house: Installation) -> None:
    documented = {
        (operation["operationId"], parameter["name"])
        for methods in document(house)["paths"].values()
        for operation in methods.values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query"
    }
    names: dict[str, set[str]] = {operation: set() for operation, _ in documented}
    for operation, parameter in documented:
        names[operation].add(parameter)
    accepted = [set(handler.opt.get("parameters", ())) for handler in ROUTES]
    for parameters in names.values():
        assert parameters in accepted


def test_a_bug_of_ours_is_told_by_a_number_and_nothing_else(
    house: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    from dataclasses import replace

    from litestar.testing import TestClient

    def fail(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("secret detail")

    services = replace(house.instance.services, authenticate=fail)
    with TestClient(create_app(services), raise_server_exceptions=False) as http:
        answer = http.get("/api/v1/events")
    assert answer.status_code == 500
    assert answer.json()["code"] == "unexpected"
    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text
    assert len(answer.json()["incident"]) == 12
