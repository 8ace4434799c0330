"""The unsealed tail: what is derived when, and that answers stay the same however frames were grouped."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from tests.search_world import Reader, World

from tallystick.search import tail
from tallystick.search.model import Search
from tallystick.search.upkeep import SearchUpkeep
from tallystick.segment.columns import derive_columns

EVERYTHING = Search(text="class:*")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def derived(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect how many rows each derivation is of."""
    rows: list[int] = []

    def counting(content: pa.Table) -> pa.Table:
        rows.append(content.num_rows)
        return derive_columns(content)

    monkeypatch.setattr(tail, "derive_columns", counting)
    monkeypatch.setattr(tail, "BLOCK_ROWS", 8)
    monkeypatch.setattr(tail, "PIECE_ROWS", 32)
    return rows


def found(world: World, search: Search = EVERYTHING) -> list[int]:
    return [row.index for row in world.all_rows(search, Reader(), limit=7)]


def test_every_row_is_derived_once_however_searches_and_new_frames_alternate(world: World, derived: list[int]) -> None:
    for seed in range(1, 12):
        world.fill(seed, 9)
        search = Search(text="gamma class:*" if seed % 2 else "class:*")
        assert found(world, search) == world.by_reference(search, Reader())
    world.service.facets(EVERYTHING, Reader())
    assert sum(derived) == world.ledger.snapshot().size


def test_a_search_finds_derived_what_was_looked_at_ahead(world: World, derived: list[int]) -> None:
    world.fill(1, 90)
    pauses: list[None] = []
    while world.service.look_ahead(3, lambda: pauses.append(None)):
        pass
    before = list(derived)
    assert sum(before) == world.ledger.snapshot().size
    assert len(pauses) == len(before)
    world.service.facets(EVERYTHING, Reader())
    assert found(world) == world.by_reference(EVERYTHING, Reader())
    assert derived == before


def test_looking_ahead_begins_with_the_newest_and_stops_when_told(world: World, derived: list[int]) -> None:
    world.fill(1, 90)
    assert world.service.look_ahead(1, lambda: None)
    assert len(derived) == 1


def test_events_that_are_sealed_meanwhile_are_found_once(world: World, derived: list[int]) -> None:
    world.fill(1, 50)
    world.service.look_ahead(2, lambda: None)
    world.seal()
    world.fill(2, 50)
    assert found(world) == world.by_reference(EVERYTHING, Reader())
    assert not world.service.look_ahead(100, lambda: None)


def test_searches_at_the_same_time_share_the_work(world: World, derived: list[int]) -> None:
    world.fill(1, 120)
    expected = world.by_reference(EVERYTHING, Reader())
    with SearchUpkeep(world.service), ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: found(world), range(8)))
    assert answers == [expected] * 8
    assert sum(derived) == world.ledger.snapshot().size
