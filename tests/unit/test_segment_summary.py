"""A summary never hides an event from a search, says little that is not so, and names no person."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from tests.segment_samples import disclosure, events, facts, personal, write_wal

from tallystick.event.canonical import canonical_json
from tallystick.event.disclosure import Disclosure
from tallystick.query.fold import fold as query_fold
from tallystick.segment.bloom import bloom_contains, build_bloom
from tallystick.segment.hashing import hash_key, hash_keys
from tallystick.segment.manifest import SUMMARY
from tallystick.segment.summarise import DAY_US, HOUR_US, with_parents
from tallystick.segment.summary import Summary
from tallystick.segment.words import filter_words, fold, free_text, hash_words
from tallystick.segment.writer import seal_file
from tallystick.store.files import LocalDisk


def summary_of(folder: Path, rows: list[Disclosure]) -> Summary:
    write_wal(folder / "wal", rows, frame_events=1000)
    [entry] = seal_file(folder / "wal", folder, LocalDisk())
    return Summary(folder / entry.path / SUMMARY)


def holds(text: bytes, word: str) -> bool:
    bloom = build_bloom(hash_words(text))
    return all(bloom_contains(bloom, hash_key(key)) for key in filter_words(word))


def test_one_hash_serves_single_keys_and_arrays_alike() -> None:
    chance = random.Random(1)
    keys = [chance.randbytes(size) for size in range(1, 40)]
    assert hash_keys(keys).tolist() == [hash_key(key) for key in keys]


def test_a_filter_holds_all_its_keys_and_few_others() -> None:
    keys = [f"key {number}".encode() for number in range(5000)]
    bloom = build_bloom(hash_keys(keys))
    assert len(bloom) == 6250
    assert all(bloom_contains(bloom, hash_key(key)) for key in keys)
    others = sum(bloom_contains(bloom, hash_key(f"other {number}".encode())) for number in range(5000))
    assert others < 100


def test_an_empty_filter_holds_nothing() -> None:
    assert not bloom_contains(build_bloom(np.empty(0, dtype=np.uint64)), hash_key(b"word"))


def test_every_id_is_found(tmp_path: Path) -> None:
    rows = events(3000)
    summary = summary_of(tmp_path, rows)
    assert all(summary.may_contain_id(row.id) for row in rows)
    assert sum(summary.may_contain_id(row.id) for row in events(3000, first=10_000)) < 100


def test_values_are_listed_where_they_are_few_and_filtered_where_they_are_many(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, events(3000))
    assert summary.values("action") == ("release.created", "release.deleted", "release.updated")
    assert summary.values("target_id") is None
    assert summary.may_contain("target_id", "t-2999")
    assert not summary.may_contain("action", "release.viewed")
    assert sum(summary.may_contain("target_id", f"u-{number}") for number in range(1000)) < 50
    assert summary.header.fields["on_behalf_of_id"].nulls == 3000


@pytest.mark.parametrize("scopes", [10, 1000])
def test_a_scope_is_found_by_those_above_it(tmp_path: Path, scopes: int) -> None:
    rows = [
        disclosure(index, facts(index, scope=f"acme/team{index % scopes}/api"), personal(index))
        for index in range(3000)
    ]
    summary = summary_of(tmp_path, rows)
    assert (summary.values("scope") is None) == (scopes > 256)
    for scope in ("acme", "acme/team7", "acme/team7/api"):
        assert summary.may_contain("scope", scope)
    for scope in ("acm", "acme/team", "other"):
        assert not summary.may_contain("scope", scope)


def test_scopes_above_are_found_by_whole_segments() -> None:
    assert with_parents({"a/bc/d", "x"}) == {"a", "a/bc", "a/bc/d", "x"}


def test_hourly_counts_add_up(tmp_path: Path) -> None:
    rows = events(3000)
    counts = summary_of(tmp_path, rows).header.counts
    assert counts.bucket_us == HOUR_US
    assert counts.scope_depth == 3
    noon = int(datetime(2025, 10, 9, 12, tzinfo=UTC).timestamp()) * 1_000_000 // HOUR_US
    place = counts.buckets.index(noon)
    expected = Counter(
        f"release.{('created', 'updated', 'deleted')[row.index % 3]}" for row in rows if row.index % 24 == 12
    )
    found = {
        value: dict(zip(pairs[::2], pairs[1::2], strict=True)).get(place, 0)
        for value, pairs in counts.by["action"].items()
    }
    assert {value: count for value, count in found.items() if count} == expected
    for by in counts.by.values():
        assert sum(count for pairs in by.values() for count in pairs[1::2]) == 3000


@pytest.mark.parametrize(("step_hours", "bucket_us"), [(1, HOUR_US), (2, DAY_US), (24 * 2, 0)])
def test_counts_over_long_times_use_longer_buckets(tmp_path: Path, step_hours: int, bucket_us: int) -> None:
    start = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
    rows = [
        disclosure(
            index,
            facts(
                index,
                occurred_at=datetime.fromtimestamp(start + index * step_hours * 3600, UTC).strftime(
                    "%Y-%m-%dT%H:%M:%S.000000Z"
                ),
            ),
            personal(index),
        )
        for index in range(1024 if step_hours == 1 else 1025)
    ]
    counts = summary_of(tmp_path, rows).header.counts
    assert counts.bucket_us == bucket_us
    assert len(counts.buckets) <= 1024
    assert sum(count for pairs in counts.by["outcome"].values() for count in pairs[1::2]) == len(rows)


def test_scopes_are_counted_only_as_deep_as_they_are_few(tmp_path: Path) -> None:
    rows = [
        disclosure(index, facts(index, scope=f"acme/team{index % 4}/p{index}"), personal(index))
        for index in range(1000)
    ]
    counts = summary_of(tmp_path, rows).header.counts
    assert counts.scope_depth == 2
    assert sorted(counts.by["scope"]) == ["acme/team0", "acme/team1", "acme/team2", "acme/team3"]


def test_a_word_leads_to_the_blocks_that_may_hold_it(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, events(12_300))
    assert [(block.index_from, block.index_to) for block in summary.header.blocks] == [
        (0, 4095),
        (4096, 8191),
        (8192, 12287),
        (12288, 12299),
    ]
    assert summary.blocks_with_words("request005000") == [1]
    assert summary.blocks_with_words("Request005000 OPS005000") == [1]
    assert summary.blocks_with_words("request005000 request000001") == []
    assert summary.blocks_with_words("the") == [0, 1, 2, 3]


def test_nothing_personal_is_in_a_summary(tmp_path: Path) -> None:
    rows = [
        disclosure(index, facts(index), personal(index, **{"/metadata/secret": f"hidden{index}"}))
        for index in range(50)
    ]
    data = summary_of(tmp_path, rows).path.read_bytes()
    assert b"acme.example" not in data
    summary = Summary(tmp_path / "0-50.c2.g0" / SUMMARY)
    found = [
        word
        for number in range(50)
        for word in (f"hidden{number}", f"example{number}")
        if summary.blocks_with_words(word)
    ]
    assert len(found) < 5


@pytest.mark.parametrize(
    ("members", "word"),
    [
        ({"metadata": {"a": {"b": ["deep inside"]}}}, "inside"),
        ({"metadata": {"note": 'say "quoted" and\nbreak\ttabbed \\slashed'}}, "quoted"),
        ({"metadata": {"note": "first\nbreak"}}, "break"),
        ({"metadata": {"note": "one\u0001second"}}, "second"),
        ({"metadata": {"Größe": "ÜBERGRÖSSE"}}, "übergrösse"),
        ({"metadata": {"name": "İSTANBUL ΣΊΣΥΦΟΣ"}}, "istanbul"),
        ({"metadata": {"name": "İSTANBUL ΣΊΣΥΦΟΣ"}}, "σίσυφοσ"),
        ({"metadata": {"unit": "\u212aelvin"}}, "kelvin"),
        ({"metadata": {"number": 1234567}}, "1234567"),
        ({"metadata": {"occurred_at": ',"occurred_at":"2020', "z": "after it"}}, "after"),
        ({"message": "Declared message"}, "declared"),
        ({"reason": "Declared reason"}, "declared"),
        ({"context": {"request_id": "0f8fad5b-d9cb-469f-a165-70867728950e"}}, "0F8FAD5B 70867728950e"),
        ({"changes": [{"field": "visibility", "new": "public", "old": "private"}]}, "private"),
        ({"targets": [{"id": "t-1", "name": "Version eleven", "type": "release"}]}, "eleven"),
        ({"actor": {"email": "ana@acme.example", "id": "u-1", "name": "Ana Martins", "type": "user"}}, "martins acme"),
        ({"sequence": {"number": 987654, "stream": "journal"}}, "journal 987654"),
        (
            {"on_behalf_of": {"id": "u-2", "name": 'Bea "B" Santos', "type": "user"}, "reason": "because"},
            "santos because",
        ),
    ],
)
def test_words_of_facts_without_a_column_are_indexed(members: dict[str, object], word: str) -> None:
    text = free_text([canonical_json(facts(1)), canonical_json(facts(2, **members)), canonical_json(facts(3))])
    assert holds(text, word)
    assert not holds(text, "something-else")


def test_values_with_columns_are_not_indexed_again() -> None:
    text = free_text(
        [canonical_json(facts(1, scope="uniquescope", targets=[{"id": "uniquetarget", "type": "release"}]))]
    )
    assert not holds(text, "uniquescope")
    assert not holds(text, "uniquetarget")


def test_words_are_folded_as_searches_fold_them() -> None:
    text = "".join(map(chr, [*range(0x20, 0xD800), *range(0xE000, 0x11000), *range(0x1E900, 0x1E944)]))
    assert fold(text) == query_fold(text)


@pytest.mark.parametrize("text", ["", "the", "a-b_c 17", "abcd"])
def test_short_words_are_not_asked_of_the_filters(text: str) -> None:
    assert filter_words(text) == frozenset()
