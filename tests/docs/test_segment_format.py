"""The worked example of `docs/format/segment.md` is recomputed, and its tables name what the code writes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.paths import ROOT
from tests.segment_samples import SOURCE, write_wal

from tallystick.event.disclosure import Disclosure
from tallystick.segment import columns, content
from tallystick.segment.bloom import bloom_contains
from tallystick.segment.derived import check_segment
from tallystick.segment.hashing import hash_key
from tallystick.segment.manifest import SUMMARY
from tallystick.segment.summarise import SUMMARISED
from tallystick.segment.summary import Summary
from tallystick.segment.writer import seal_file
from tallystick.store.files import LocalDisk

PAGE = (ROOT / "docs" / "format" / "segment.md").read_text()


def block(label: str) -> bytes:
    found = re.search(rf"^```\w+ {label}\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1].replace("\n", "").encode()


def cell(name: str) -> str:
    found = re.search(rf"^\| {name} \| `([0-9a-f]+)` \|$", PAGE, re.MULTILINE)
    assert found is not None
    return found[1]


def table(heading: str) -> list[str]:
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([a-z0-9_, ]+) \|", section, re.MULTILINE)
    return [name for row in rows[1:] for name in row.split(", ")]


def rows() -> list[Disclosure]:
    received = re.search(r"both received at (\d+)", PAGE)
    assert received is not None
    return [
        Disclosure(
            index=index,
            id=bytes.fromhex(cell(str(index))),
            received_at=int(received[1]),
            source=SOURCE,
            class_number=2,
            salt1=bytes(16),
            facts=block(f"facts-{index}"),
            salt2=bytes(16),
            personal=b"{}",
            personal_digest=None,
        )
        for index in (0, 1)
    ]


def test_the_example_has_the_summary_of_its_page(tmp_path: Path) -> None:
    write_wal(tmp_path / "wal", rows())
    [entry] = seal_file(tmp_path / "wal", tmp_path, LocalDisk())
    check_segment(tmp_path, entry)
    assert f"`{entry.path}`" in PAGE
    data = (tmp_path / entry.path / SUMMARY).read_bytes()
    assert data == bytes.fromhex(block("head").decode()) + block("header") + bytes.fromhex(block("filters").decode())


def test_the_words_of_the_example_are_in_its_filter(tmp_path: Path) -> None:
    write_wal(tmp_path / "wal", rows())
    [entry] = seal_file(tmp_path / "wal", tmp_path, LocalDisk())
    summary = Summary(tmp_path / entry.path / SUMMARY)
    line = next(line for line in PAGE.splitlines() if "of the twelve words" in line)
    words = re.findall(r"`([a-z0-9_]+)`", line)
    assert len(words) == 12
    assert all(summary.blocks_with_words(word) == [0] for word in words)
    assert len(bytes.fromhex(block("filters").decode())) == 8 + 12 * 10 // 8


@pytest.mark.parametrize("key", ["hello", "tallystick", "0123456789abcdef"])
def test_the_hashes_of_the_page_are_those_of_the_code(key: str) -> None:
    assert cell(f"`{key}`") == f"{hash_key(key.encode()):016x}"


def test_a_filter_read_as_the_page_says_finds_the_ids() -> None:
    for index in (0, 1):
        assert bloom_contains(bytes.fromhex(block("filters").decode())[:8], hash_key(bytes.fromhex(cell(str(index)))))


def test_the_tables_name_every_column() -> None:
    assert table("content.parquet") == content.SCHEMA.names
    assert sorted(table("columns.parquet")) == sorted(columns.SCHEMA.names)


def test_the_summary_covers_every_fact_column_but_the_numbers() -> None:
    facts = {column.name for column in columns.DERIVED if not column.name.startswith(columns.PERSONAL_PREFIX)}
    assert set(SUMMARISED) == facts - {"occurred_at"}
