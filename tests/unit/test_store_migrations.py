"""What the migrations make is what the tables say, on SQLite and on PostgreSQL, from wherever one begins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Engine, Integer, MetaData, Table, inspect, text
from tests import postgresql

from tallystick.store.database import clear_database, open_database
from tallystick.store.migrations import (
    HEAD,
    OWNER_TABLE,
    VERSION_TABLE,
    alembic_config,
    drop_everything,
    migrate,
    revision_of,
    revisions,
)
from tallystick.store.tables import CURSOR, METADATA


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str | None]:
    """Return what `open_database` takes."""
    url = postgresql.cluster().new_url() if request.param == "postgresql" else None
    return tmp_path / "tallystick.db", url


@pytest.fixture
def engine(place: tuple[Path, str | None]) -> Iterator[Engine]:
    opened = open_database(*place)
    yield opened
    opened.dispose()


def shape(engine: Engine) -> dict[str, Any]:
    """Return every table of the product with its columns, keys and indexes."""
    seen = inspect(engine)
    found = {}
    for name in set(seen.get_table_names()) - {OWNER_TABLE, VERSION_TABLE}:
        columns = {
            each["name"]: (str(each["type"]), each["nullable"], each["default"]) for each in seen.get_columns(name)
        }
        unique = sorted(tuple(each["column_names"]) for each in seen.get_unique_constraints(name))
        indexes = sorted(
            (each["name"] or "", tuple(each["column_names"]), each["unique"])
            for each in seen.get_indexes(name)
            if "duplicates_constraint" not in each
        )
        references = sorted(
            (tuple(each["constrained_columns"]), each["referred_table"]) for each in seen.get_foreign_keys(name)
        )
        found[name] = (columns, seen.get_pk_constraint(name)["constrained_columns"], unique, indexes, references)
    return found


def test_migrations_from_nothing_make_the_tables_of_this_version(engine: Engine) -> None:
    made = shape(engine)
    with engine.begin() as connection:
        drop_everything(connection)
        migrate(connection)
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        kept = {OWNER_TABLE, VERSION_TABLE}
        changes = [each for each in compare_metadata(context, METADATA) if getattr(each[1], "name", "") not in kept]
        assert changes == [], "run `python tools/write_migration.py`"
        assert revision_of(connection) == HEAD
    assert shape(engine) == made


def test_the_newest_revision_is_the_one_that_new_databases_are_marked_with(engine: Engine) -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [HEAD]
    assert HEAD in revisions()
    with engine.connect() as connection:
        assert revision_of(connection) == HEAD


def test_tables_of_a_version_that_nobody_here_knows_are_made_again(place: tuple[Path, str | None]) -> None:
    engine = open_database(*place)
    made = shape(engine)
    with engine.begin() as connection:
        connection.execute(CURSOR.insert().values(projection="p", next_index=7))
        connection.execute(text(f"update {VERSION_TABLE} set version_num = 'f00d'"))  # noqa: S608  a constant
        Table("of_the_future", MetaData(), Column("number", Integer, primary_key=True)).create(connection)
    engine.dispose()
    with structlog.testing.capture_logs() as said:
        engine = open_database(*place)
    assert [each["found"] for each in said] == ["f00d"]
    assert shape(engine) == made
    with engine.connect() as connection:
        assert connection.execute(CURSOR.select()).all() == []
    engine.dispose()


def test_a_new_database_is_made_without_a_warning(place: tuple[Path, str | None]) -> None:
    with structlog.testing.capture_logs() as said:
        open_database(*place).dispose()
        open_database(*place).dispose()
    assert said == []


def test_opening_again_keeps_what_is_there(place: tuple[Path, str | None]) -> None:
    engine = open_database(*place)
    with engine.begin() as connection:
        connection.execute(CURSOR.insert().values(projection="p", next_index=7))
    engine.dispose()
    engine = open_database(*place)
    with engine.connect() as connection:
        assert connection.scalar(CURSOR.select().with_only_columns(CURSOR.c.next_index)) == 7
    engine.dispose()


def test_clearing_leaves_the_tables_empty_and_marked(engine: Engine) -> None:
    made = shape(engine)
    with engine.begin() as connection:
        connection.execute(CURSOR.insert().values(projection="p", next_index=7))
    clear_database(engine)
    assert shape(engine) == made
    with engine.connect() as connection:
        assert connection.execute(CURSOR.select()).all() == []
        assert revision_of(connection) == HEAD
