"""Whatever was acknowledged comes back from a segment byte for byte, and every way of finding it finds it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.segment_samples import disclosure, events, facts, personal, write_wal

from tallystick.event.disclosure import Disclosure
from tallystick.event.fields import derive
from tallystick.segment.bloom import bloom_contains, build_bloom
from tallystick.segment.content import ContentFile
from tallystick.segment.derived import check_segment
from tallystick.segment.hashing import hash_key
from tallystick.segment.manifest import CONTENT, SUMMARY
from tallystick.segment.summarise import SUMMARISED
from tallystick.segment.summary import Summary
from tallystick.segment.words import filter_words, free_text, hash_words
from tallystick.segment.writer import Drop, Part, merge, rewrite, seal_file
from tallystick.store.files import LocalDisk

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
NAME = st.from_regex(r"[a-z]{1,12}", fullmatch=True)
ACTOR = st.fixed_dictionaries({"type": NAME}, optional={"id": NAME, "key": NAME, "name": TEXT, "email": TEXT})
MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "actor": ACTOR,
        "changes": st.lists(st.fixed_dictionaries({"field": TEXT}, optional={"old": JSON, "new": JSON}), max_size=2),
        "context": st.dictionaries(TEXT, JSON, max_size=3),
        "message": TEXT,
        "metadata": st.dictionaries(TEXT, JSON, max_size=3),
        "on_behalf_of": ACTOR,
        "reason": TEXT,
        "scope": st.from_regex(r"[a-z]{1,9}(/[a-z]{1,9}){0,3}", fullmatch=True),
        "sequence": st.fixed_dictionaries({"stream": TEXT, "number": st.integers(0, 2**53 - 1)}),
        "targets": st.lists(
            st.fixed_dictionaries({"type": NAME}, optional={"id": NAME, "name": TEXT}), min_size=1, max_size=3
        ),
    },
)
PERSONAL = st.fixed_dictionaries({}, optional={"/message": TEXT, "/raw": JSON, "/actor/name": TEXT})
EVENTS = st.lists(st.tuples(MEMBERS, PERSONAL, st.sampled_from((1, 2))), min_size=1, max_size=25)
RANGES = st.lists(st.tuples(st.integers(0, 25), st.integers(1, 10)), max_size=3)

DISK = LocalDisk()


def build(drawn: list[tuple[dict[str, Any], dict[str, Any], int]]) -> list[Disclosure]:
    return [
        disclosure(index, facts(index, **members), personal(index, **hidden), class_number)
        for index, (members, hidden, class_number) in enumerate(drawn)
    ]


@settings(deadline=None, max_examples=40)
@given(drawn=EVENTS, frame_events=st.integers(1, 30), drop=RANGES, part=st.sampled_from(Part))
def test_events_come_back_and_erasing_takes_only_what_it_should(
    drawn: list[tuple[dict[str, Any], dict[str, Any], int]], frame_events: int, drop: list[tuple[int, int]], part: Part
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        rows = write_wal(folder / "wal", build(drawn), frame_events)
        for entry in seal_file(folder / "wal", folder, DISK):
            check_segment(folder, entry)
            mine = [row for row in rows if row.class_number == entry.class_number]
            content = ContentFile(folder / entry.path / CONTENT)
            assert content.rows([row.index for row in reversed(mine)]) == mine[::-1]
            find_everything(Summary(folder / entry.path / SUMMARY), mine)
            after = rewrite(entry, Drop(drop, part), out_dir=folder, disk=DISK)
            gone = {row.index for row in mine if any(first <= row.index < first + size for first, size in drop)}
            if after is None:
                assert part is Part.ALL
                assert gone == {row.index for row in mine}
                continue
            check_segment(folder, after)
            left = [row for rows in ContentFile(folder / after.path / CONTENT).iterate() for row in rows]
            kept = [row for row in mine if part is Part.PERSONAL or row.index not in gone]
            assert [row.entry() for row in left] == [row.entry() for row in kept]
            assert {row.index for row in left if row.personal is None} == (gone if part is Part.PERSONAL else set())


def find_everything(summary: Summary, rows: list[Disclosure]) -> None:
    for row in rows:
        assert summary.may_contain_id(row.id)
        assert row.facts is not None
        fields = derive(row.facts, None)
        for field in SUMMARISED:
            value = getattr(fields, field)
            for each in value if isinstance(value, tuple) else [value]:
                assert each is None or summary.may_contain(field, each), (field, each)


@settings(deadline=None, max_examples=20)
@given(count=st.integers(1, 60), cuts=st.sets(st.integers(1, 59), max_size=4))
def test_merging_is_the_same_as_having_sealed_together(count: int, cuts: set[int]) -> None:
    rows = events(count)
    edges = [0, *sorted(cut for cut in cuts if cut < count), count]
    parts = [rows[start:end] for start, end in pairwise(edges)]
    with TemporaryDirectory() as name:
        folder = Path(name)
        entries = []
        for number, part in enumerate(parts):
            write_wal(folder / f"{number}.wal", part, 1)
            entries += seal_file(folder / f"{number}.wal", folder, DISK)
        merged = merge(entries, out_dir=folder, disk=DISK)
        check_segment(folder, merged)
        together = folder / "together"
        together.mkdir()
        write_wal(together / "wal", rows, 1)
        [sealed] = seal_file(together / "wal", together, DISK)
        assert merged.content_sha256 == sealed.content_sha256
        for file in (folder / merged.path).iterdir():
            assert file.read_bytes() == (together / sealed.path / file.name).read_bytes()


def texts_of(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, int) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts_of(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_of(inner)


@settings(deadline=None, max_examples=200)
@given(members=st.lists(MEMBERS, min_size=1, max_size=4))
def test_every_word_of_the_facts_is_in_the_filter_or_in_a_column(members: list[dict[str, Any]]) -> None:
    rows = [disclosure(index, facts(index, **each), {}) for index, each in enumerate(members)]
    bloom = build_bloom(hash_words(free_text(row.facts for row in rows if row.facts is not None)))
    for row, each in zip(rows, members, strict=True):
        assert row.facts is not None
        fields = derive(row.facts, None)
        columns = {
            word for name in SUMMARISED for text in texts_of(getattr(fields, name)) for word in filter_words(text)
        }
        whole = {key: value for key, value in facts(row.index, **each).items() if key != "occurred_at"}
        for text in texts_of(whole):
            for word in filter_words(text):
                assert word in columns or bloom_contains(bloom, hash_key(word)), (text, word)
