"""Replaying the log makes every table again, row by row, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests import postgresql
from tests.installation import settings
from tests.people_home import Home
from tests.rich_history import contents, live

from tallystick.config import DatabaseSetting
from tallystick.follow.product_log import product_events
from tallystick.follow.projection import Projection
from tallystick.server import open_instance, segments_of
from tallystick.server.handlers import HANDLERS
from tallystick.store.database import clear_database, open_database
from tallystick.testing import ManualClock

Rows = dict[str, list[tuple[object, ...]]]
#: Tables that no chapter of the history fills yet, each for a reason.
UNTOLD = {
    "backup": "made by the backup command",
    "export": "made by a job in the background",
    "person_group": "told by an identity provider",
    "saved_view": "wired with the pages that show them",
}


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    clock = ManualClock()
    database = DatabaseSetting(postgresql.cluster().new_url()) if request.param == "postgresql" else None
    with open_instance(settings(tmp_path, database=database), clock=clock) as instance:
        yield Home(instance, clock)


def around(home: Home, act: Callable[[], object]) -> tuple[Rows, Rows]:
    """Return what the tables hold before and after something is done, while nothing else is decided."""
    engine = home.instance.projection.engine

    def done() -> tuple[Rows, Rows]:
        before = contents(engine)
        act()
        return before, contents(engine)

    before, after = home.instance.commands.hold_still(done)
    for rows in (before, after):
        rows.pop("cursor")  # moves on with readings that are put on record meanwhile, and with nothing else
    return before, after


def test_a_rich_history_is_replayed_to_the_same_rows_in_every_table(home: Home) -> None:
    live(home)
    before, after = around(home, home.instance.projection.rebuild)
    assert {name for name, rows in before.items() if not rows} == set(UNTOLD), (
        "a table that nothing fills proves nothing"
    )
    assert after == before


def test_rows_that_somebody_edited_or_removed_are_put_right(home: Home) -> None:
    live(home)
    engine = home.instance.projection.engine

    def lose_and_rebuild() -> None:
        clear_database(engine)
        assert not any(contents(engine).values())
        home.instance.projection.rebuild()

    before, after = around(home, lose_and_rebuild)
    assert after == before


def test_both_databases_hold_the_same(tmp_path: Path) -> None:
    clock, url = ManualClock(), postgresql.cluster().new_url()
    with open_instance(settings(tmp_path, database=DatabaseSetting(url)), clock=clock) as instance:
        home, ledger = Home(instance, clock), instance.ledger
        live(home)
        segments = segments_of(instance.settings)
        sqlite = open_database(tmp_path / "beside.db", None, "beside")
        beside = Projection(
            sqlite,
            ledger.origin,
            HANDLERS,
            read=lambda first: product_events(ledger.snapshot(), segments, first),
            size=lambda: ledger.snapshot().size,
        )
        on_postgresql, _ = around(home, beside.catch_up)
        on_sqlite = contents(sqlite)
        sqlite.dispose()
    on_sqlite.pop("cursor")
    assert on_postgresql == on_sqlite
