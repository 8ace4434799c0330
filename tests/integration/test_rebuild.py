"""Replaying the log makes every table again, row by row, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import postgresql
from tests.installation import settings
from tests.people_home import Home
from tests.rich_history import contents, live

from tallystick.config import DatabaseSetting
from tallystick.server import open_instance
from tallystick.store.database import clear_database
from tallystick.testing import ManualClock

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


def test_a_rich_history_is_replayed_to_the_same_rows_in_every_table(home: Home) -> None:
    live(home)
    engine = home.instance.projection.engine
    before = contents(engine)
    assert {name for name, rows in before.items() if not rows} == set(UNTOLD), (
        "a table that nothing fills proves nothing"
    )
    home.instance.rebuild()
    assert contents(engine) == before


def test_rows_that_somebody_edited_or_removed_are_put_right(home: Home) -> None:
    live(home)
    engine = home.instance.projection.engine
    before = contents(engine)
    clear_database(engine)
    assert not any(contents(engine).values())
    home.instance.rebuild()
    assert contents(engine) == before


def test_both_databases_hold_the_same(tmp_path: Path) -> None:
    url = postgresql.cluster().new_url()
    clock = ManualClock()
    with open_instance(settings(tmp_path, database=None), clock=clock) as instance:
        live(Home(instance, clock))
        on_sqlite = contents(instance.projection.engine)
    with open_instance(settings(tmp_path, database=DatabaseSetting(url)), clock=clock) as instance:
        on_postgresql = contents(instance.projection.engine)
    # Closing puts the last looks on record, so that the log is longer; they move no other table.
    assert on_postgresql.pop("cursor") != on_sqlite.pop("cursor")
    assert on_postgresql == on_sqlite
