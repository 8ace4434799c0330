"""Reading over HTTP: pages, single events, proofs, facets, exports and disclosures, each recorded before it is given."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.installation import Installation, installation, sample

from tallystick.api.read import NEXT_AFTER
from tallystick.event.disclosure import parse_disclosure
from tallystick.event.entry import format_entry
from tallystick.merkle.hashing import hash_leaf
from tallystick.merkle.proof import verify_inclusion
from tallystick.note.checkpoint import parse_checkpoint
from tallystick.note.note import parse_note
from tallystick.note.proof import parse_proof

COUNT = 40


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("house")) as opened:
        opened.post([sample(target={"id": f"app-{number}", "type": "application"}) for number in range(COUNT)])
        opened.post([sample(scope="acme/payments", reason="=1+1"), sample(scope="other", outcome="denied")])
        yield opened


def problem(answer: Any) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


def pages(house: Installation, **parameters: Any) -> list[int]:
    found: list[int] = []
    cursor: dict[str, Any] = {}
    while True:
        page = house.get("/api/v1/events", **parameters, **cursor).json()
        found += [row["index"] for row in page["events"]]
        if not page.get("next_cursor"):
            return found
        cursor = {"cursor": page["next_cursor"]}


def test_pages_lead_through_every_match_once_newest_first(house: Installation) -> None:
    found = pages(house, query="action:user.signed_in", limit=7)
    assert len(found) == COUNT + 2
    assert found == sorted(set(found), reverse=True)


def test_the_count_is_that_of_all_matches(house: Installation) -> None:
    page = house.get("/api/v1/events", query="scope:acme/intranet", limit=3).json()
    assert len(page["events"]) == 3
    assert page["count"] == {"value": COUNT, "exact": True}


def test_collectors_go_on_from_the_last_index_oldest_first(house: Installation) -> None:
    seen: list[int] = []
    after = -1
    while True:
        page = house.get("/api/v1/events", query="action:user.signed_in", after_index=after, limit=9).json()
        seen += [row["index"] for row in page["events"]]
        assert page["last_index"] >= after
        after = page["last_index"]
        if page["caught_up"]:
            break
    assert len(seen) == COUNT + 2
    assert seen == sorted(set(seen))


def test_from_and_to_bound_when_it_happened(house: Installation) -> None:
    def count(**bounds: Any) -> int:
        answer = house.get("/api/v1/events", query="action:user.signed_in", **bounds)
        return int(answer.json()["count"]["value"])

    assert count(**{"from": "2026-03-01"}) == count(to="2026-03-01") == COUNT + 2
    assert count(**{"from": "2026-03-01T12:00:01Z"}) == count(to="2026-03-01T11:59:59Z") == 0


def test_an_event_is_found_by_id_and_by_index_alike(house: Installation) -> None:
    row = house.get("/api/v1/events", query="scope:other").json()["events"][0]
    assert house.get(f"/api/v1/events/{row['id']}").json() == row
    assert house.get(f"/api/v1/events/{row['index']}").json() == row


BAD = [
    ("events", {"query": "action:("}, 422, None),
    ("events", {"query": "x" * 20_000}, 422, None),
    ("events", {"limit": "0"}, 400, "parameter-invalid"),
    ("events", {"limit": "1001"}, 400, "parameter-invalid"),
    ("events", {"limit": "many"}, 400, "parameter-invalid"),
    ("events", {"after_index": "-2"}, 400, "parameter-invalid"),
    ("events", {"reading": "perhaps"}, 400, "parameter-invalid"),
    ("events", {"from": "yesterday-ish"}, 422, None),
    ("events", {"cursor": "AAAA"}, 422, "cursor-invalid"),
    ("events", {"cursor": "ä"}, 422, "cursor-invalid"),
    ("events", {"qurey": "x"}, 422, "parameter-unknown"),
    ("events", {"query": ["a", "b"]}, 422, "parameter-repeated"),
    ("events", {"scope": "//"}, 422, "scope-invalid"),
    ("facets", {"limit": "3"}, 422, "parameter-unknown"),
    ("histogram", {"query": "action:("}, 422, None),
    ("export", {"format": "xlsx"}, 422, "export-format-unknown"),
    ("export", {"query": "action:("}, 422, None),
    ("events/00000000-0000-4000-8000-000000000000", {}, 404, "event-not-found"),
    ("events/99999999", {}, 404, "event-not-found"),
    ("events/99999999999999999999999999", {}, 404, "event-not-found"),
    ("events/not-an-id", {}, 404, "event-not-found"),
    ("events/not-an-id/proof", {}, 404, "event-not-found"),
    ("disclosures", {"limit": "10001"}, 400, "parameter-invalid"),
    ("nowhere", {}, 404, "route-unknown"),
]


@pytest.mark.parametrize(("path", "parameters", "status", "code"), BAD)
def test_a_bad_question_is_told_what_is_wrong(
    house: Installation, path: str, parameters: dict[str, Any], status: int, code: str | None
) -> None:
    got_status, got_code = problem(house.get(f"/api/v1/{path}", **parameters))
    assert got_status == status
    assert code is None or got_code == code


def test_an_error_in_a_query_names_its_line_and_column(house: Installation) -> None:
    answer = house.get("/api/v1/events", query="action:a.b AND (").json()
    assert (answer["line"], answer["column"] > 1) == (1, True)


def test_a_wrong_method_is_refused(house: Installation) -> None:
    assert problem(house.http.delete("/api/v1/events", headers=house.token())) == (405, "method-not-allowed")


def test_a_cursor_opens_only_for_its_caller_and_its_query(house: Installation) -> None:
    cursor = house.get("/api/v1/events", query="action:user.*", limit=1).json()["next_cursor"]
    assert house.get("/api/v1/events", query="action:user.*", cursor=cursor).status_code == 200
    assert problem(house.get("/api/v1/events", query="scope:other", cursor=cursor)) == (422, "cursor-invalid")
    other = house.token("read", "acme", "someone")
    assert problem(house.get("/api/v1/events", other, query="action:user.*", cursor=cursor)) == (422, "cursor-invalid")


def test_a_proof_proves_the_event_and_discloses_it(house: Installation) -> None:
    row = house.get("/api/v1/events", query="scope:other").json()["events"][0]
    answer = house.get(f"/api/v1/events/{row['id']}/proof")
    assert answer.headers["content-disposition"] == f'attachment; filename="{row["id"]}.tlog-proof"'
    proof = parse_proof(answer.content)
    disclosure = parse_disclosure(proof.extra)
    checkpoint = parse_checkpoint(parse_note(proof.checkpoint_note).text)
    leaf = hash_leaf(format_entry(disclosure.entry()))
    verify_inclusion(proof.index, checkpoint.size, leaf, list(proof.path), checkpoint.root)
    assert disclosure.facts is not None
    assert json.loads(disclosure.facts)["scope"] == "other"


def test_facets_and_histogram_agree_with_the_count(house: Installation) -> None:
    facets = {each["field"]: each for each in house.get("/api/v1/facets", query="outcome:*").json()["facets"]}
    outcomes = {value["value"]: value["count"] for value in facets["outcome"]["values"]}
    assert outcomes["denied"] == 1
    total = house.get("/api/v1/histogram", query="outcome:denied").json()["total"]
    assert total == 1


def test_an_export_of_lines_says_what_it_holds_and_that_it_is_whole(house: Installation) -> None:
    answer = house.get("/api/v1/export", query="action:user.signed_in", format="jsonl")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    head, *rows, tail = (json.loads(line) for line in answer.text.splitlines())
    assert head["query"] == "action:user.signed_in"
    assert head["events"] == tail["events"] == len(rows) == COUNT + 2
    assert parse_checkpoint(parse_note(head["checkpoint"].encode()).text).origin == head["origin"]
    shown = {row["index"]: row for row in house.get("/api/v1/events", limit=1000).json()["events"]}
    assert all(shown[row["index"]] == row for row in rows)


def test_an_export_as_csv_hands_no_formula_to_a_spreadsheet(house: Installation) -> None:
    answer = house.get("/api/v1/export", query="scope:acme/payments action:user.signed_in", format="csv")
    names, row, _ = list(csv.reader(io.StringIO(answer.text)))
    assert row[names.index("reason")] == "'=1+1"


def test_an_export_as_parquet_can_be_read(house: Installation) -> None:
    answer = house.get("/api/v1/export", query="action:user.signed_in", format="parquet")
    table = pq.read_table(io.BytesIO(answer.content))
    assert table.num_rows == COUNT + 2


def test_disclosures_cover_the_whole_log_for_who_may_read_it(house: Installation) -> None:
    size = house.instance.ledger.status().acknowledged.size
    seen, after = [], -1
    while after < size - 1:
        answer = house.get("/api/v1/disclosures", after_index=after, limit=11)
        lines = answer.content.splitlines()
        assert len(lines) <= 11
        seen += [parse_disclosure(line) for line in lines]
        after = int(answer.headers[NEXT_AFTER])
    ledger = house.instance.ledger
    ledger.wait_committed(size, 10)
    entries = [entry for bundle in range(1 + size // 256) for entry in ledger.read_entries(bundle)]
    for disclosure in seen[:size]:
        assert format_entry(disclosure.entry()) == entries[disclosure.index]
    assert [disclosure.index for disclosure in seen[:size]] == list(range(size))


def test_disclosures_outside_the_scope_are_left_out_but_passed_over(house: Installation) -> None:
    headers = house.token("read", "acme/payments", "payments-auditor")
    answer = house.get("/api/v1/disclosures", headers, after_index=-1, limit=1000)
    found = [parse_disclosure(line) for line in answer.content.splitlines()]
    assert {json.loads(each.facts or b"{}")["scope"].split("/")[1] for each in found} == {"payments"}
    assert int(answer.headers[NEXT_AFTER]) >= house.get("/api/v1/events/0").json()["index"] + COUNT


RECORDED = [
    ("/api/v1/events", {"query": "outcome:denied"}, "events.searched"),
    ("/api/v1/events", {"query": "outcome:denied", "after_index": 0}, "events.pulled"),
    ("/api/v1/facets", {"query": "outcome:failure"}, "events.searched"),
    ("/api/v1/histogram", {"query": "outcome:unknown"}, "events.searched"),
    ("/api/v1/events/0", {}, "event.viewed"),
    ("/api/v1/events/0/proof", {}, "proof.downloaded"),
    ("/api/v1/export", {"query": "outcome:denied"}, "events.exported"),
    ("/api/v1/disclosures", {}, "events.pulled"),
]


@pytest.mark.parametrize(("path", "parameters", "action"), RECORDED, ids=[row[0] + "-" + row[2] for row in RECORDED])
def test_every_reading_is_an_event_before_it_is_answered(
    tmp_path: Path, path: str, parameters: dict[str, Any], action: str
) -> None:
    with installation(tmp_path) as house:
        headers = house.token("read", source="auditor")
        before = len(house.actions())
        answer = house.get(path, headers, **parameters)
        assert answer.status_code == 200
        assert house.actions()[before:] == [action]


def test_searches_hide_the_record_of_reading_unless_asked(house: Installation) -> None:
    house.get("/api/v1/events", query="outcome:denied")
    hidden = house.get("/api/v1/events", limit=1000).json()["events"]
    shown = house.get("/api/v1/events", limit=1000, reading=True).json()["events"]
    assert not any(row["event"]["action"] == "events.searched" for row in hidden)
    assert any(row["event"]["action"] == "events.searched" for row in shown)
