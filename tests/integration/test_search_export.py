"""Exports: whole, streamed, harmless to spreadsheets, and recorded before their first byte."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.search_world import Reader, World

from tallystick.search.export import FORMATS, UnknownFormatError, export_events, neutralised, table_names
from tallystick.search.model import Search

HOSTILE = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM(A1)")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.fill(1, 700)
    made.seal()
    made.fill(2, 100)
    yield made
    made.close()


def exported(world: World, search: Search, reader: Reader, name: str) -> bytes:
    return b"".join(export_events(world.service, world.ledger, search, reader, name))


def parsed_csv(data: bytes) -> tuple[dict[str, Any], list[dict[str, str]], dict[str, Any]]:
    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    names, said = rows[0], json.loads(rows[-1][0][2:])
    return said, [dict(zip(names, row, strict=True)) for row in rows[1:-1]], said


def test_every_format_holds_the_rows_that_search_finds_oldest_first(world: World) -> None:
    search = Search(text="outcome:failure alpha OR severity:high")
    expected = world.by_reference(search, Reader())[::-1]
    assert len(expected) > 100
    lines = [json.loads(line) for line in exported(world, search, Reader(), "jsonl").splitlines()]
    assert [line["index"] for line in lines[1:-1]] == expected
    head, rows, tail = parsed_csv(exported(world, search, Reader(), "csv"))
    assert [int(row["index"]) for row in rows] == expected
    file = pq.ParquetFile(io.BytesIO(exported(world, search, Reader(), "parquet")))
    table, metadata = file.read(), file.metadata.metadata
    assert table.column("index").to_pylist() == expected
    assert [json.loads(text) for text in table.column("event").to_pylist()] == [line["event"] for line in lines[1:-1]]
    for first, last in (
        (lines[0], lines[-1]),
        (head, tail),
        (json.loads(metadata[b"tallystick.head"]), json.loads(metadata[b"tallystick.tail"])),
    ):
        assert first["query"] == search.text
        assert first["events"] == last["events"] == len(expected)
        assert first["checkpoint"].startswith("example.org/test\n")
        assert first["size"] == world.ledger.snapshot().size
        assert last["incomplete"] == []


def test_an_export_is_recorded_with_its_count_before_its_first_byte(world: World) -> None:
    chunks = export_events(world.service, world.ledger, Search(), Reader(), "csv")
    assert [event["action"] for event in world.recorded] == ["events.exported"]
    assert world.recorded[0]["metadata"]["rows"] == len(world.by_reference(Search(), Reader()))
    next(chunks)


def test_an_export_does_not_grow_while_it_is_read(world: World) -> None:
    chunks = export_events(world.service, world.ledger, Search(), Reader(), "jsonl")
    head = json.loads(next(chunks))
    world.fill(9, 20)
    world.seal()
    lines = b"".join(chunks).splitlines()
    assert json.loads(lines[-1])["events"] == head["events"] == len(lines) - 1


def test_a_masked_export_has_no_personal_columns_and_no_personal_data(world: World) -> None:
    masked = Reader(personal=False)
    head, rows, _ = parsed_csv(exported(world, Search(), masked, "csv"))
    assert head["personal"] is False
    assert not {"actor_name", "ip", "user_agent", "reason", "target_name", "actor_email"} & set(rows[0])
    data = exported(world, Search(), masked, "jsonl") + exported(world, Search(), masked, "csv")
    for personal in (b"Ana Lima", b"curl/8.5", b"192.0.2.7", b"BO@example.org"):
        assert personal not in data
        assert personal in exported(world, Search(), Reader(), "jsonl")


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_can_be_taken_for_a_formula(text: str) -> None:
    assert neutralised(text) == f"'{text}"
    assert neutralised(f"a{text}") == f"a{text}"


def test_hostile_values_arrive_neutralised(world: World) -> None:
    event = {
        "action": "release.updated",
        "actor": {"id": "=cmd()", "type": "user"},
        "targets": [{"id": "@x", "type": "release"}],
        "scope": "acme",
        "occurred_at": "2026-03-01T10:00:00Z",
        "reason": '=HYPERLINK("http://x","y")\r\nnext, line',
    }
    world.add([event])
    _, rows, _ = parsed_csv(exported(world, Search(text="scope:acme actor:*cmd*"), Reader(), "csv"))
    assert rows[-1]["actor_id"] == "'=cmd()"
    assert rows[-1]["target_id"] == "'@x"
    assert rows[-1]["reason"].startswith("'=HYPERLINK")


def test_an_export_of_nothing_is_whole(world: World) -> None:
    for name in FORMATS:
        data = exported(world, Search(text="action:never.*"), Reader(), name)
        if name == "parquet":
            assert pq.read_table(io.BytesIO(data)).column_names == table_names(personal=True)
        else:
            assert b'"events":0' in data.replace(b'""', b'"').replace(b": ", b":")


def test_an_unknown_format_is_refused_and_not_recorded(world: World) -> None:
    with pytest.raises(UnknownFormatError):
        export_events(world.service, world.ledger, Search(), Reader(), "xlsx")
    assert world.recorded == []


def test_a_damaged_segment_is_named_in_the_tail(world: World) -> None:
    entry = next(entry for entry in world.ledger.snapshot().segments if entry.class_number == 2)
    path = world.segments / entry.path / "columns.parquet"
    path.write_bytes(b"PAR1")
    service = world.make_service()
    lines = b"".join(export_events(service, world.ledger, Search(), Reader(), "jsonl")).splitlines()
    assert json.loads(lines[-1])["incomplete"][0]["first"] == entry.first
