"""What a reader may do to the server with one search: ask for what is slow to judge."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.search_world import Reader, World

from tallystick.event.disclosure import Disclosure
from tallystick.search.model import Search
from tallystick.search.scan import Scan


def test_events_that_are_slow_to_judge_do_not_outlast_the_time_of_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path)
    world.fill(1, 400)
    world.seal()
    search, judged, matches = Search(text="alpha* OR raw.x:*"), 0, Scan._matches

    def slowly(scan: Scan, disclosure: Disclosure) -> bool:
        nonlocal judged
        judged += 1
        world.clock.advance(1)
        return matches(scan, disclosure)

    monkeypatch.setattr(Scan, "_matches", slowly)
    page = world.service.search(search, Reader(), limit=1000)
    assert page.out_of_time
    assert judged < 100
    found = [row.index for row in page.rows]
    while page.next_cursor is not None:
        page = world.service.search(search, Reader(), cursor=page.next_cursor, limit=1000)
        found += [row.index for row in page.rows]
    monkeypatch.undo()
    assert found == world.by_reference(search, Reader())
    world.close()
