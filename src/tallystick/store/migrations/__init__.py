"""Bringing tables that an older version made to what this version expects (Alembic).

A new database gets today's tables at once and is marked with `HEAD`. An older one is migrated step by step. One that
carries a mark nobody here knows, of a newer version or of a build that was never released, is emptied: the cursor goes
with the tables, and the projection replays the log. A migration whose new columns only the log can fill deletes the
cursor's rows, which has the same effect. A test compares the migrations with the tables on both kinds of database.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog
from sqlalchemy import Connection, Engine, MetaData, inspect, text

from tallystick.store.tables import METADATA

if TYPE_CHECKING:
    from alembic.config import Config

HEAD: Final = "0001"
"""The newest revision in `versions`."""
FOLDER: Final = Path(__file__).parent
VERSION_TABLE: Final = "schema_version"
OWNER_TABLE: Final = "database_owner"
"""Of a database at a URL: whose it is. No projection, and never dropped."""
_telemetry = structlog.get_logger("tallystick.store")


def bring_up_to_date(engine: Engine) -> None:
    """Make tables as this version expects them, of whatever is there; either wholly or not at all."""
    with engine.begin() as connection:
        found = revision_of(connection)
        if found == HEAD:
            METADATA.create_all(connection)  # one that was dropped by hand; the projection sees that it does not fit
        elif found in revisions():
            _telemetry.info("the tables are migrated", found=found, wanted=HEAD)
            migrate(connection)
        else:
            if set(inspect(connection).get_table_names()) - {OWNER_TABLE}:
                _telemetry.warning("the tables are of an unknown version and are made again", found=found, wanted=HEAD)
            drop_everything(connection)
            make_tables(connection)


def make_tables(connection: Connection) -> None:
    """Make every table of this version where it is missing, and mark the database with it."""
    METADATA.create_all(connection)
    connection.execute(text(f"create table if not exists {VERSION_TABLE} (version_num varchar(32) primary key)"))
    connection.execute(text(f"delete from {VERSION_TABLE}"))  # noqa: S608  a constant
    connection.execute(text(f"insert into {VERSION_TABLE} values (:head)"), {"head": HEAD})  # noqa: S608


def revision_of(connection: Connection) -> str | None:
    """Return the revision that a database is marked with, or None."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.scalar(text(f"select version_num from {VERSION_TABLE}"))  # noqa: S608
    return found


def revisions() -> frozenset[str]:
    """Return every revision that there is a path from."""
    return frozenset(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def migrate(connection: Connection, target: str = "head") -> None:
    """Run the migrations up to `target`, in the transaction of the caller."""
    from alembic import command  # costs a tenth of a second, which only a migration is worth

    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, target)


def alembic_config() -> Config:
    """Return Alembic's configuration; there is no file of it."""
    from alembic.config import Config

    config = Config()
    # What Alembic runs stands in a folder that is no package: it makes sense to nobody else who imports it.
    for option, folder in (("script_location", "environment"), ("version_locations", "versions")):
        config.set_main_option(option, str(FOLDER / folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def drop_everything(connection: Connection) -> None:
    """Drop every table that is there, known or not, except the owner's."""
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name != OWNER_TABLE)
    found.drop_all(connection)
