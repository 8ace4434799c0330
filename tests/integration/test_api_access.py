"""Tokens: what each allows, what each refuses, and what a stranger learns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.installation import Installation, installation, make_token, sample

from tallystick.access.operator import OPERATOR
from tallystick.access.sources.errors import TokenUnknownError

WITHOUT_TOKEN = {
    "/healthz",
    "/readyz",
    "/api/v1/log/checkpoint",
    "/api/v1/log/checkpoint.witnessed",
    "/checkpoint",
    "/checkpoint.witnessed",
}
NEEDS_TOKEN = [
    ("GET", "/api/v1/events"),
    ("GET", "/api/v1/events/0"),
    ("GET", "/api/v1/events/0/proof"),
    ("GET", "/api/v1/facets"),
    ("GET", "/api/v1/histogram"),
    ("GET", "/api/v1/export"),
    ("GET", "/api/v1/disclosures"),
    ("GET", "/api/v1/log/tile/entries/000.p/1"),
    ("GET", "/tile/entries/000.p/1"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/api/v1/sources"),
    ("POST", "/api/v1/sources"),
    ("GET", "/api/v1/sources/app"),
    ("PATCH", "/api/v1/sources/app"),
    ("POST", "/api/v1/sources/app/retire"),
    ("GET", "/api/v1/tokens"),
    ("POST", "/api/v1/tokens"),
    ("POST", "/api/v1/tokens/0123456789ab/rotate"),
    ("POST", "/api/v1/tokens/0123456789ab/revoke"),
    ("GET", "/metrics"),
    ("POST", "/api/v1/events"),
]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("house")) as opened:
        opened.post([sample(), sample(scope="acme/payments/api"), sample(scope="other")])
        yield opened


@pytest.mark.parametrize(("method", "path"), NEEDS_TOKEN)
@pytest.mark.parametrize("token", ["", "Bearer nonsense", "Bearer tsk_000000000000_" + "a" * 43, "Basic eDp5"])
def test_nothing_is_answered_without_a_token_in_force(house: Installation, method: str, path: str, token: str) -> None:
    answer = house.http.request(method, path, headers={"authorization": token} if token else {}, content=b"{}")
    assert answer.status_code == 401
    assert answer.json()["code"] in {"token-missing", "token-invalid"}
    assert "bearer" in answer.headers["www-authenticate"].lower()


@pytest.mark.parametrize("path", sorted(path for path in WITHOUT_TOKEN if "witnessed" not in path))
def test_health_and_checkpoints_need_no_token(house: Installation, path: str) -> None:
    assert house.http.get(path).status_code == 200


def test_hash_tiles_need_no_token_and_entry_bundles_need_one_for_everything(house: Installation) -> None:
    ledger = house.instance.ledger
    size = ledger.status().acknowledged.size
    ledger.wait_committed(size, 10)
    size = int(ledger.checkpoint().split(b"\n")[1])
    assert house.http.get(f"/api/v1/log/tile/0/000.p/{size}").status_code == 200
    bundle = f"/api/v1/log/tile/entries/000.p/{size}"
    assert house.get(bundle).status_code == 200
    narrow = house.get(bundle, house.token("read", "acme", "narrow"))
    assert (narrow.status_code, narrow.json()["code"]) == (403, "permission-missing")


def test_a_writer_cannot_read_and_a_reader_cannot_write(house: Installation) -> None:
    writer, reader = house.token("write", source="w"), house.token("read", source="r")
    assert house.get("/api/v1/events", writer).json()["code"] == "read-forbidden"
    answer = house.post(sample(), reader)
    assert (answer.status_code, answer.json()["code"]) == (403, "write-forbidden")


def test_a_token_writes_only_inside_its_scope(house: Installation) -> None:
    headers = house.token("write", "acme/payments", "payments")
    assert house.post(sample(scope="acme/payments/api"), headers).status_code == 201
    for outside in ("acme", "acme/paymentsx", "other"):
        assert house.post(sample(scope=outside), headers).json()["code"] == "scope-not-allowed"


def _only_payments(scopes: set[str]) -> None:
    assert "acme/payments/api" in scopes
    assert all(scope == "acme/payments" or scope.startswith("acme/payments/") for scope in scopes)


def _rows(answer: Any) -> set[str]:
    return {row["event"]["scope"] for row in answer.json()["events"]}


def test_a_token_reads_only_inside_its_scope_on_every_route(house: Installation) -> None:
    headers = house.token("read", "acme/payments", "payments-reader")
    _only_payments(_rows(house.get("/api/v1/events", headers, limit=1000)))
    _only_payments(_rows(house.get("/api/v1/events", headers, after_index=-1, limit=1000)))
    foreign = next(row["id"] for row in house.get("/api/v1/events", query="scope:other").json()["events"])
    assert house.get(f"/api/v1/events/{foreign}", headers).status_code == 404
    assert house.get(f"/api/v1/events/{foreign}/proof", headers).status_code == 404
    facets = house.get("/api/v1/facets", headers).json()["facets"]
    scopes = next(facet for facet in facets if facet["field"] == "scope")
    _only_payments({value["value"] for value in scopes["values"]})
    assert b'"other"' not in house.get("/api/v1/export", headers).content
    assert b"acme/intranet" not in house.get("/api/v1/disclosures", headers).content
    total = house.get("/api/v1/histogram", headers).json()["total"]
    assert total == len(house.get("/api/v1/events", headers, limit=1000).json()["events"])


def test_a_revoked_or_expired_token_is_refused_like_an_unknown_one(tmp_path: Path) -> None:
    with installation(tmp_path) as house:
        created = make_token(house.instance, "read", source="s")
        headers = {"authorization": f"Bearer {created.secret}"}
        assert house.get("/api/v1/events", headers).status_code == 200
        house.instance.services.tokens.revoke(OPERATOR, created.token)
        gone = house.get("/api/v1/events", headers).json()
        unknown = house.get("/api/v1/events", {"authorization": "Bearer tsk_000000000000_" + "a" * 43}).json()
        assert gone == unknown
        house.instance.services.tokens.revoke(OPERATOR, created.token)
        with pytest.raises(TokenUnknownError):
            house.instance.services.tokens.revoke(OPERATOR, "nobody")
