"""The search service over a real ledger: pages, pins, scopes, masking, damage, following."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.search_world import NOW, SOURCES, Reader, World, random_event

from tallystick.errors import InvalidInputError
from tallystick.event.erasure import Part
from tallystick.ledger.erase import ErasureOrder
from tallystick.query.errors import PersonalWithheldError
from tallystick.search.errors import CursorError, EventNotFoundError
from tallystick.search.export import export_events
from tallystick.search.model import Search
from tallystick.search.service import SearchOptions
from tallystick.segment.manifest import COLUMNS, CONTENT, SUMMARY
from tallystick.store.engine import Engine

EVERYTHING = Search(text="class:*")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def event(**members: object) -> dict[str, object]:
    return {
        "action": "release.updated",
        "actor": {"id": "u-1", "type": "user", "name": "Ana Lima"},
        "targets": [{"id": "r-1", "type": "release"}],
        "scope": "acme/payments",
        "occurred_at": "2026-03-01T10:00:00Z",
        **members,
    }


def indexes(world: World, search: Search, reader: Reader | None = None) -> list[int]:
    return [row.index for row in world.all_rows(search, reader or Reader(), limit=3)]


def test_pages_hold_every_event_once_newest_first(world: World) -> None:
    world.fill(1, 40)
    world.seal()
    world.fill(2, 20)
    found = indexes(world, EVERYTHING)
    assert found == list(range(world.ledger.snapshot().size))[::-1]


def test_an_event_that_is_sealed_between_two_pages_appears_once(world: World) -> None:
    world.fill(1, 30)
    first = world.service.search(EVERYTHING, Reader(), limit=10)
    world.seal()
    world.fill(2, 30)
    rows = list(first.rows)
    cursor = first.next_cursor
    while cursor is not None:
        page = world.service.search(EVERYTHING, Reader(), cursor=cursor, limit=10)
        assert page.pinned_size == first.pinned_size
        assert page.count == first.count
        rows += page.rows
        cursor = page.next_cursor
    assert [row.index for row in rows] == list(range(first.pinned_size))[::-1]


def test_a_relative_time_means_the_same_on_every_page(world: World) -> None:
    world.add([event(occurred_at=f"2026-03-01T1{hour}:00:00Z") for hour in range(2)] * 3)
    search = Search(text="action:release.updated occurred_at>-90m")
    first = world.service.search(search, Reader(), limit=2)
    assert first.count == 3
    world.clock.advance(7200)
    second = world.service.search(search, Reader(), limit=2, cursor=first.next_cursor)
    assert len(second.rows) == 1


def test_a_cursor_opens_only_for_its_caller_and_its_query(world: World) -> None:
    world.fill(1, 20)
    cursor = world.service.search(Search(), Reader(), limit=5).next_cursor
    assert cursor is not None
    world.service.search(Search(), Reader(), limit=5, cursor=cursor)
    sealed = bytearray(base64.urlsafe_b64decode(cursor + "=="))
    sealed[-1] ^= 1
    forged = base64.urlsafe_b64encode(sealed).decode()
    for text, search, reader in (
        (cursor, Search(), Reader(name="another")),
        (cursor, Search(), Reader(read_scopes=("acme",))),
        (cursor, Search(), Reader(personal=False)),
        (cursor, Search(text="actor:ana"), Reader()),
        (cursor, Search(reading=True), Reader()),
        (forged, Search(), Reader()),
        ("", Search(), Reader()),
        ("é", Search(), Reader()),
        ("AAAA", Search(), Reader()),
    ):
        with pytest.raises(CursorError):
            world.service.search(search, reader, cursor=text)


def test_page_sizes_outside_the_limits_are_refused(world: World) -> None:
    for limit in (0, -1, 1001):
        with pytest.raises(InvalidInputError):
            world.service.search(Search(), Reader(), limit=limit)


def test_counts_are_exact_up_to_the_bound(world: World) -> None:
    world.add([event()] * 9_990)
    page = world.service.search(Search(text="action:release.updated"), Reader(), limit=1)
    assert (page.count, page.count_exact) == (9_990, True)
    world.add([event()] * 20)
    page = world.service.search(Search(text="action:release.updated"), Reader(), limit=1)
    assert (page.count, page.count_exact) == (10_000, False)


def test_scopes_match_by_whole_segments_and_letter_case(world: World) -> None:
    for scope in ("acme/payments", "acme/payments/api", "acme/pay", "acme/Payments", "acme"):
        world.add([event(scope=scope)])
    world.seal()
    world.add([event(scope="acme/payments/web")])
    reader = Reader(read_scopes=("acme/payments/",))
    scopes = {row.event["scope"] for row in world.all_rows(EVERYTHING, reader)}
    assert scopes == {"acme/payments", "acme/payments/api", "acme/payments/web"}
    facets, histogram = world.service.overview(EVERYTHING, reader)
    assert facets.total == histogram.total == 3
    assert {value.value for facet in facets.facets if facet.field == "scope" for value in facet.values} == scopes


def test_who_may_read_no_scope_finds_nothing(world: World) -> None:
    world.fill(1, 10)
    reader = Reader(read_scopes=())
    assert world.all_rows(EVERYTHING, reader) == []
    assert world.service.facets(EVERYTHING, reader).total == 0
    assert world.service.after_index(EVERYTHING, reader, -1).rows == ()
    with pytest.raises(EventNotFoundError):
        world.service.get(5, reader)


def test_a_masked_reader_sees_facts_and_is_told_what_is_withheld(world: World) -> None:
    world.add([event(metadata={"ticket": "OPS-17"}, reason="because"), event(actor={"id": "svc", "type": "service"})])
    rows = world.all_rows(Search(text="action:release.updated"), Reader(personal=False))
    assert [row.withheld for row in rows] == [False, True]
    assert "name" not in rows[1].event["actor"]
    assert "reason" not in rows[1].event
    page = world.service.search(Search(text="metadata.ticket:OPS-17"), Reader(personal=False))
    assert page.rows == ()
    assert page.fact_only == ("metadata.ticket",)
    assert len(world.all_rows(Search(text="metadata.ticket:ops-17"), Reader())) == 1


@pytest.mark.parametrize("text", ["ip:10.0.0.1", "-has:reason", "actor.name:ana OR outcome:success", "actor:a@b.org"])
def test_personal_filters_are_refused_to_masked_readers_on_every_path(world: World, text: str) -> None:
    world.fill(1, 5)
    search, reader = Search(text=text), Reader(personal=False)
    for ask in (world.service.search, world.service.facets, world.service.histogram, world.service.open_export):
        with pytest.raises(PersonalWithheldError):
            ask(search, reader)
    with pytest.raises(PersonalWithheldError):
        world.service.after_index(search, reader, -1)
    assert world.recorded == []


def test_a_personal_id_is_found_by_id_with_the_right_and_by_key_without(world: World) -> None:
    world.add([event(actor={"id": "ana", "type": "user"})], source=2)
    world.seal()
    row = world.all_rows(Search(text="actor:ana"), Reader())[0]
    key = row.event["actor"]["key"]
    masked = Reader(personal=False)
    assert world.all_rows(Search(text="actor:ana"), masked) == []
    for text in (f"actor.key:{key}", f"actor:{key}"):
        found = world.all_rows(Search(text=text), masked)
        assert [each.index for each in found] == [row.index]
        assert "id" not in found[0].event["actor"]
    actors = next(
        facet
        for facet in world.service.facets(Search(text=f"actor.key:{key}"), masked).facets
        if facet.field == "actor"
    )
    assert [value.value for value in actors.values] == [key]
    actors = next(
        facet
        for facet in world.service.facets(Search(text=f"actor.key:{key}"), Reader()).facets
        if facet.field == "actor"
    )
    assert [value.value for value in actors.values] == ["ana"]


def test_reading_events_are_hidden_unless_asked_for(world: World) -> None:
    world.fill(3, 40)
    world.seal()
    assert all(row.class_name != "reading" for row in world.all_rows(Search(), Reader()))
    asked = world.all_rows(Search(text="class:reading"), Reader())
    assert asked
    assert all(row.event["action"] == "events.searched" for row in asked)
    everything = indexes(world, Search(reading=True))
    assert len(everything) == len(indexes(world, Search())) + len(asked)


def test_an_event_is_found_by_id_index_and_pasted_id(world: World) -> None:
    world.fill(1, 30)
    world.seal()
    world.fill(2, 10)
    for row in world.all_rows(EVERYTHING, Reader())[::7]:
        assert world.service.get(row.id, Reader()) == row
        assert world.service.get(row.index, Reader()) == row
        assert indexes(world, Search(text=f"id:{row.id} class:*")) == [row.index]
        assert row.index in indexes(world, Search(text=f"{row.id} class:*"))
    for missing in ("no-id", "00000000-0000-4000-8000-000000000000", 10_000, -1):
        with pytest.raises(EventNotFoundError):
            world.service.get(missing, Reader())


def test_an_event_outside_the_callers_scopes_does_not_exist(world: World) -> None:
    world.add([event()])
    index = world.ledger.snapshot().size - 1
    world.service.get(index, Reader(read_scopes=("acme",)))
    with pytest.raises(EventNotFoundError):
        world.service.get(index, Reader(read_scopes=("globex",)))


def test_following_by_index_misses_nothing_and_repeats_nothing(world: World) -> None:
    world.fill(1, 30)
    world.seal()
    world.fill(2, 20)
    search = Search(text="class:* outcome:failure")
    expected = world.by_reference(search, Reader())[::-1]
    found, after = [], -1
    while True:
        pull = world.service.after_index(search, Reader(), after, limit=4)
        assert pull.next_after > after or pull.caught_up
        found += [row.index for row in pull.rows]
        after = pull.next_after
        if pull.caught_up:
            break
    assert found == expected
    assert after == world.ledger.snapshot().size - 1
    world.add([event(outcome="failure")])
    assert [row.index for row in world.service.after_index(search, Reader(), after).rows] == [after + 1]


def test_disclosures_prove_their_entries_and_hide_personal_data_from_masked_readers(world: World) -> None:
    world.fill(1, 10)
    full, looked_at = world.service.disclosures_after(Reader(), -1, 1000)
    masked, _ = world.service.disclosures_after(Reader(personal=False), -1, 1000)
    assert looked_at == len(full) - 1 == world.ledger.snapshot().size - 1
    assert [each.entry() for each in full] == [each.entry() for each in masked]
    assert all(each.personal is None and each.salt2 is None for each in masked)


@pytest.mark.parametrize("name", [CONTENT, COLUMNS, SUMMARY])
def test_a_damaged_segment_is_named_and_the_rest_is_searched(world: World, name: str) -> None:
    world.fill(1, 30)
    world.seal()
    world.fill(2, 30)
    world.seal()
    world.fill(3, 10)
    entry = next(entry for entry in world.ledger.snapshot().segments if entry.class_number == 2)
    path = world.segments / entry.path / name
    path.write_bytes(path.read_bytes()[:100] + bytes(200))
    service = world.make_service()
    page = service.search(Search(text="class:standard"), Reader(), limit=500)
    assert {(part.first, part.size) for part in page.incomplete} == {(entry.first, entry.size)}
    assert entry.path in page.incomplete[0].reason
    assert min(row.index for row in page.rows) >= entry.end
    assert len(page.rows) >= 40
    facets, histogram = service.overview(Search(text="class:standard outcome:success"), Reader())
    if name != CONTENT:
        assert facets.incomplete
        assert histogram.incomplete
    pull = service.after_index(Search(text="class:standard word"), Reader(), -1)
    assert pull.incomplete


def test_a_segment_whose_files_are_gone_is_named(world: World) -> None:
    world.fill(1, 30)
    world.seal()
    entry = next(entry for entry in world.ledger.snapshot().segments if entry.class_number == 2)
    for path in (world.segments / entry.path).iterdir():
        path.unlink()
    page = world.make_service().search(Search(text="class:*"), Reader(), limit=500)
    assert [part.first for part in page.incomplete] == [entry.first]


def test_a_segment_that_was_set_aside_is_named_everywhere_and_not_opened(world: World) -> None:
    world.fill(1, 30)
    world.seal()
    world.fill(2, 10)
    entry = next(entry for entry in world.ledger.snapshot().segments if entry.class_number == 2)
    world.register.set_aside[entry.path] = "its content is not what was written"
    page = world.service.search(Search(text="class:standard"), Reader(), limit=500)
    facets, histogram = world.service.overview(Search(), Reader())
    pull = world.service.after_index(Search(text="class:standard"), Reader(), -1)
    lines = b"".join(export_events(world.service, world.ledger, Search(), Reader(), "jsonl")).splitlines()
    for incomplete in (page.incomplete, facets.incomplete, histogram.incomplete, pull.incomplete):
        assert [(part.first, part.size) for part in incomplete] == [(entry.first, entry.size)]
        assert "not what was written" in incomplete[0].reason
    assert json.loads(lines[-1])["incomplete"][0]["first"] == entry.first
    assert all(row.index >= entry.end for row in (*page.rows, *pull.rows))


def test_a_search_that_runs_out_of_time_says_so_and_goes_on(tmp_path: Path) -> None:
    made = World(tmp_path, options=SearchOptions(page_s=0.0, facets_s=0.0))
    for seed in range(3):
        made.fill(seed, 20)
        made.seal()
    search = Search(text="alpha")
    page = made.service.search(search, Reader())
    assert page.out_of_time
    assert not page.count_exact
    assert page.searched_to > 0
    found = [row.index for row in page.rows]
    while page.next_cursor is not None:
        page = made.service.search(search, Reader(), cursor=page.next_cursor)
        found += [row.index for row in page.rows]
    assert found == made.by_reference(search, Reader())
    facets, histogram = made.service.overview(Search(), Reader())
    assert not facets.complete
    assert not histogram.complete
    made.close()


def test_facets_and_histogram_count_what_is_found(world: World) -> None:
    world.fill(1, 60)
    world.seal()
    world.fill(2, 20)
    for text in ("class:*", "class:* outcome:success", "class:* alpha", "class:* scope:acme"):
        rows = world.all_rows(Search(text=text), Reader())
        facets, histogram = world.service.overview(Search(text=text), Reader())
        assert facets.complete
        counted = {facet.field: {value.value: value.count for value in facet.values} for facet in facets.facets}
        for name in ("action", "outcome", "severity", "scope"):
            expected: dict[str, int] = {}
            for row in rows:
                expected[row.event[name]] = expected.get(row.event[name], 0) + 1
            assert counted[name] == expected
        assert counted["source"] == {
            name: sum(row.source == name for row in rows) for name in {row.source for row in rows}
        }
        kinds = {target["type"] for row in rows for target in row.event["targets"]}
        assert counted["target_type"] == {
            kind: sum(any(target["type"] == kind for target in row.event["targets"]) for row in rows) for kind in kinds
        }
        assert sum(bar.count for bar in histogram.bars) == len(rows)
        for facet in facets.facets:
            for value in facet.values[:3]:
                narrowed = world.service.facets(Search(text=f"({text}) {value.query}"), Reader())
                assert narrowed.total >= value.count


def test_a_histogram_covers_the_asked_range_with_empty_bars(world: World) -> None:
    world.add([event(occurred_at="2026-03-01T10:00:00Z"), event(occurred_at="2026-03-01T10:30:00Z")])
    search = Search(text="action:release.updated", start="2026-03-01T08:00:00Z", end="2026-03-01T11:59:59Z")
    histogram = world.service.histogram(search, Reader(), step_us=3_600_000_000)
    assert [bar.count for bar in histogram.bars] == [0, 0, 2, 0]
    assert histogram.bars[2].start == NOW - 2 * 3_600_000_000


def test_erased_personal_data_is_gone_from_rows_filters_and_memory(world: World) -> None:
    world.add([event(reason="remarkable words"), event()])
    world.seal()
    search = Search(text="remarkable class:*")
    index = world.all_rows(search, Reader())[0].index
    world.clock.advance(500 * 86_400)
    world.ledger.erase(
        ErasureOrder(ranges=((index, 1),), part=Part.PERSONAL),
        lambda body, now_us: world.admission.admit(body, SOURCES[0], now_us=now_us),
    )
    world.service.forget_replaced()
    assert world.all_rows(search, Reader()) == []
    assert world.all_rows(Search(text="actor.name:lima"), Reader())[0].index == index + 1
    row = world.service.get(index, Reader())
    assert row.erased
    assert not row.withheld
    assert "reason" not in row.event
    assert index in indexes(world, EVERYTHING)


def test_wide_gaps_are_judged_by_the_engine_with_the_same_rows(tmp_path: Path) -> None:
    calls = []

    class Counting(Engine):
        def select(self, *args: Any, **options: Any) -> pa.Table:
            calls.append(args)
            return super().select(*args, **options)

    made = World(tmp_path, options=SearchOptions(engine_rows_min=10))
    made.fill(1, 60)
    made.seal()
    made.fill(2, 20)
    made.engine = Counting([tmp_path], tmp_path / "spill")
    search = Search(text="-metadata.ticket:alpha class:*")
    expected = made.by_reference(search, Reader())
    service = made.make_service(SearchOptions(engine_rows_min=10))
    assert [row.index for row in service.search(search, Reader(), limit=500).rows] == expected
    assert calls
    before = len(calls)
    service.search(Search(text="metadata.ticket:alpha class:*"), Reader())
    assert len(calls) == before
    made.close()


def test_warming_loads_what_searches_need(world: World) -> None:
    world.fill(1, 30)
    world.seal()
    world.fill(2, 10)
    world.service.warm(10)
    world.service.warm(0)
    assert indexes(world, Search(text="gamma class:*")) == world.by_reference(Search(text="gamma class:*"), Reader())


def test_unknown_facets_are_refused(world: World) -> None:
    with pytest.raises(InvalidInputError):
        world.service.facets(Search(), Reader(), fields=("metadata",))


def test_edited_columns_cannot_change_what_is_shown(world: World) -> None:
    world.add([event(reason="the truth")])
    world.seal()
    row = world.all_rows(Search(text="action:release.updated"), Reader())[0]
    assert row.event["reason"] == "the truth"
    assert row.message


def test_a_shared_service_answers_while_events_arrive(world: World) -> None:
    import random
    import threading

    world.fill(1, 10)
    failures: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                rows = world.service.search(EVERYTHING, Reader(), limit=1000).rows
                assert [row.index for row in rows] == list(range(rows[0].index, -1, -1))
        except BaseException as error:  # noqa: BLE001 - handed to the test
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    rng = random.Random(5)
    for number in range(12):
        world.add([random_event(rng) for _ in range(5)])
        if number % 5 == 4:
            world.seal()
    done.set()
    for thread in threads:
        thread.join()
    assert not failures
