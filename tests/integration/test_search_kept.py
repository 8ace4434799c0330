"""Rows that pages showed are kept and shown again: only to those who may see as much, and only until an erasure."""

from __future__ import annotations

import gc
import itertools
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.search_world import SOURCES, Reader, World

from tallystick.event.disclosure import Disclosure
from tallystick.event.erasure import Part
from tallystick.ledger.erase import ErasureOrder
from tallystick.query.sql import Names
from tallystick.search.kept import KeptRows
from tallystick.search.model import Row, Search

CHANGED = Search(text="action:release.updated")
SEES_ALL = Reader()
SEES_FACTS = Reader("masked", personal=False)
SEES_HERS = Reader("ana", "user", read_scopes=("acme",), personal=False, own_scopes=("acme",))
SEES_ONE = Reader("half", personal_in=("acme/web",))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.add([event("acme/web", "ana"), event("acme/web", "ben"), event("globex", "ana"), event("acme", "cai")])
    yield made
    made.close()


def event(scope: str, actor: str) -> dict[str, object]:
    return {
        "action": "release.updated",
        "actor": {"id": actor, "type": "user", "name": f"Name of {actor}"},
        "targets": [{"id": "r-1", "type": "release"}],
        "scope": scope,
        "occurred_at": "2026-03-01T10:00:00Z",
        "reason": f"what {actor} did in {scope}",
    }


def disclosure(world: World) -> Disclosure:
    return world.service.disclose(rows(world, SEES_ALL)[0].index, SEES_ALL)[0]


def rows(world: World, reader: Reader) -> tuple[Row, ...]:
    return world.service.search(CHANGED, reader).rows


@pytest.mark.parametrize("order", [*itertools.permutations((SEES_ALL, SEES_FACTS, SEES_HERS, SEES_ONE))])
def test_whoever_looked_before_each_reader_gets_what_she_would_get_alone(
    world: World, order: tuple[Reader, ...]
) -> None:
    alone = [world.make_service().search(CHANGED, reader).rows for reader in order]
    assert [rows(world, reader) for reader in order] == alone
    assert [rows(world, reader) for reader in reversed(order)] == alone[::-1], "now all of them are kept"


def test_readers_who_may_see_as_much_get_the_very_same_row(world: World) -> None:
    first, again = rows(world, SEES_ALL), rows(world, Reader("somebody else", "user"))
    assert all(one is other for one, other in zip(first, again, strict=True))
    masked = rows(world, SEES_FACTS)
    assert not any(one is other for one, other in zip(first, masked, strict=True))
    assert not any("reason" in row.event for row in masked)


def test_a_row_that_was_kept_is_gone_once_its_personal_data_is_erased(world: World) -> None:
    world.seal()
    row = rows(world, SEES_ALL)[0]
    kept, index = weakref.ref(row), row.index
    world.clock.advance(500 * 86_400)
    world.ledger.erase(
        ErasureOrder(ranges=((index, 1),), part=Part.PERSONAL),
        lambda body, now_us: world.admission.admit(body, SOURCES[0], now_us=now_us),
    )
    assert rows(world, SEES_ALL)[0].erased
    assert "reason" not in rows(world, SEES_ALL)[0].event
    del row
    gc.collect()
    assert kept() is None, "nobody holds what was erased"


def test_a_row_is_made_anew_for_another_name_of_its_source(world: World) -> None:
    kept = KeptRows(1 << 20)
    content = disclosure(world)
    before = kept.row(content, Names({content.source: "old"}, {}), world.register, personal=True)
    after = kept.row(content, Names({content.source: "new"}, {}), world.register, personal=True)
    assert (before.source, after.source) == ("old", "new")


def test_no_more_rows_are_kept_than_the_size_allows(world: World) -> None:
    content = disclosure(world)
    size = len(content.facts or b"") + len(content.personal or b"")
    kept = KeptRows(2 * size)
    names = [Names({content.source: name}, {}) for name in ("one", "two", "three")]
    made = [kept.row(content, each, world.register, personal=True) for each in names]
    again = [kept.row(content, each, world.register, personal=True) for each in reversed(names)][::-1]
    assert [one is other for one, other in zip(made, again, strict=True)] == [False, True, True]
    assert made == again
