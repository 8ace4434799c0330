"""POST /api/v1/events: what is accepted is durable, what is refused says where and why."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard
from tests.installation import Installation, installation, sample

from tallystick.event.limits import Limits


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("house"), limits=Limits(batch_bytes_max=1 << 20)) as opened:
        yield opened


def test_one_event_an_array_and_lines_are_answered_with_id_index_and_leaf(house: Installation) -> None:
    lines = b"\n".join(json.dumps(sample()).encode() for _ in range(3))
    for body, count in ((sample(), 1), ([sample(), sample()], 2), (lines, 3)):
        answer = house.post(body)
        assert answer.status_code == 201
        receipts = answer.json()["events"]
        assert len(receipts) == count
        for receipt in receipts:
            assert len(bytes.fromhex(receipt["leaf"])) == 32
            shown = house.get(f"/api/v1/events/{receipt['id']}").json()
            assert shown["index"] == receipt["index"]


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_compressed_bodies_are_read(house: Installation, encoding: str) -> None:
    plain = json.dumps([sample()] * 50).encode()
    body = gzip.compress(plain) if encoding == "gzip" else zstandard.compress(plain)
    assert len(house.post(body, {"content-encoding": encoding}).json()["events"]) == 50


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_compressed_bomb_is_refused_before_it_unfolds(house: Installation, encoding: str) -> None:
    plain = bytes(64 << 20)
    body = gzip.compress(plain) if encoding == "gzip" else zstandard.compress(plain)
    answer = house.post(body, {"content-encoding": encoding})
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_cut_stream_is_refused_whole(house: Installation, encoding: str) -> None:
    plain = json.dumps([sample()]).encode()
    body = gzip.compress(plain) if encoding == "gzip" else zstandard.compress(plain)
    answer = house.post(body[:-3], {"content-encoding": encoding})
    assert (answer.status_code, answer.json()["code"]) == (422, "content-encoding-broken")


BAD: list[tuple[str, bytes | Any, int, str]] = [
    ("not JSON", b"{", 422, "malformed-json"),
    ("nothing", b"", 422, "empty-batch"),
    ("duplicate keys", b'{"action":"a.b","action":"a.c"}', 422, "duplicate-member"),
    ("bad UTF-8", b'{"action":"\xff"}', 422, "bad-utf8"),
    ("a lone surrogate", json.dumps(sample(reason="@")).replace("@", "\\ud800").encode(), 422, "lone-surrogate"),
    ("NaN", json.dumps(sample(metadata={"n": float("nan")})).encode(), 422, "not-a-number"),
    ("a huge number", sample(metadata={"n": 2**53}), 422, "number-too-large"),
    ("a depth bomb", b'{"metadata":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 413, "too-deep"),
    ("an oversized event", sample(reason="x" * 300_000), 413, "event-too-large"),
    ("too many events", b"\n".join([b"{}"] * 10_001), 413, "batch-too-large"),
    ("a naive time", sample(occurred_at="2026-03-01T12:00:00"), 422, "time-without-zone"),
    ("a time far ahead", sample(occurred_at="2999-01-01T00:00:00Z"), 422, "time-in-the-future"),
    ("a leap second", sample(occurred_at="2016-12-31T23:59:60Z"), 422, "leap-second"),
    ("an unknown member", sample(acton="x"), 422, "unknown-member"),
    ("a wrong type", sample(actor="ana"), 422, "wrong-type"),
    ("a missing member", sample(scope=None), 422, "missing-member"),
    ("a product action", sample(action="token.created"), 422, "product-action"),
]


@pytest.mark.parametrize(("body", "status", "code"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_bad_input_is_refused_with_a_stable_code_and_advice(
    house: Installation, body: Any, status: int, code: str
) -> None:
    house.token()
    before = house.instance.ledger.status().acknowledged.size
    answer = house.post(body)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert problem["advice"]
    assert problem["status"] == status
    assert house.instance.ledger.status().acknowledged.size == before


def test_a_refusal_in_a_batch_names_the_item_and_the_place_and_nothing_enters(house: Installation) -> None:
    house.token()
    before = house.instance.ledger.status().acknowledged.size
    problem = house.post([sample(), sample(occurred_at="yesterday")]).json()
    assert problem["item"] == 1
    assert problem["pointer"] == "/occurred_at"
    assert problem["line"] == 1
    assert house.instance.ledger.status().acknowledged.size == before


def test_partial_takes_the_good_events_and_lists_the_others(house: Installation) -> None:
    answer = house.post([sample(), sample(scope="no//scope"), sample()], params={"partial": "true"}).json()
    assert len(answer["events"]) == 2
    assert [each["item"] for each in answer["refused"]] == [1]
    assert answer["refused"][0]["problem"]["pointer"] == "/scope"


def test_a_repeated_id_gets_the_first_answer_and_a_reused_one_a_conflict(house: Installation) -> None:
    event = sample(id="0b7c38a6-3a29-4cc4-9b6a-111111111111")
    first = house.post(event).json()["events"][0]
    again = house.post(event).json()["events"][0]
    assert again == {**first, "repeated": True}
    conflict = house.post({**event, "reason": "another"})
    assert (conflict.status_code, conflict.json()["code"]) == (409, "id-conflict")
    partial = house.post([{**event, "reason": "another"}, sample()], params={"partial": "true"}).json()
    assert [each["problem"]["code"] for each in partial["refused"]] == ["id-conflict"]
    assert len(partial["events"]) == 1


def test_every_conflict_of_a_large_batch_is_listed_at_once(house: Installation) -> None:
    events = [sample(id=f"0b7c38a6-3a29-4cc4-9b6a-{number:012}") for number in range(500)]
    assert house.post(events).status_code == 201
    changed = [{**event, "reason": "other"} if number % 2 else event for number, event in enumerate(events)]
    answer = house.post(changed, params={"partial": "true"}).json()
    assert [each["item"] for each in answer["refused"]] == list(range(1, 500, 2))
    assert {each["problem"]["code"] for each in answer["refused"]} == {"id-conflict"}
    assert [each["repeated"] for each in answer["events"]] == [True] * 250
    whole = house.post(changed)
    assert (whole.status_code, whole.json()["item"]) == (409, 1)


def test_a_misspelt_parameter_is_refused(house: Installation) -> None:
    answer = house.post(sample(), params={"partail": "true"})
    assert (answer.status_code, answer.json()["code"]) == (422, "parameter-unknown")


def test_an_unknown_encoding_is_refused(house: Installation) -> None:
    answer = house.post(b"x", {"content-encoding": "br"})
    assert answer.json()["code"] == "content-encoding-unknown"


def test_events_survive_a_restart(tmp_path: Path) -> None:
    with installation(tmp_path) as house:
        receipt = house.post(sample()).json()["events"][0]
        headers = house.token()
    with installation(tmp_path) as house:
        shown = house.get(f"/api/v1/events/{receipt['id']}", headers)
        assert shown.json()["index"] == receipt["index"]
