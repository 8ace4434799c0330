"""Opening the database that holds the product's tables: a file of SQLite, or PostgreSQL by URL.

Its tables are projections, so nothing in it is worth more than the time it takes to replay the log. Tables of an older
version are migrated; those that nobody here knows, or that cannot be read, are thrown away and made again.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError

from tallystick.store.migrations import bring_up_to_date, make_tables
from tallystick.store.postgresql import open_postgresql
from tallystick.store.tables import METADATA

DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
POOL_SIZE: Final = 8
POOL_OVERFLOW: Final = 32
_telemetry = structlog.get_logger("tallystick.store")


def open_database(path: Path, url: str | None = None, installation: str = "") -> Engine:
    """Return the database at `url`, or else in the file at `path`, its tables those of this version.

    `installation` says whose tables they are: a database at a URL serves one only, and one process of it, until the
    engine is disposed of. Losing the last transactions to a power cut is harmless here: the cursor goes back with
    them. A file that is damaged is set aside as `<name>.damaged` and an empty one takes its place: the log fills it
    again. Raises DatabaseUnusableError and what it is the family of.
    """
    if url is not None:
        engine = open_postgresql(url, installation)
        try:
            bring_up_to_date(engine)
        except BaseException:
            engine.dispose()  # gives the lock back
            raise
        return engine
    engine = _connect(path)
    if _is_sound(engine):
        return engine
    engine.dispose()
    _telemetry.warning("the tables are damaged and are made again from the log", file=path.name)
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(part.with_name(part.name + ".damaged"))
    engine = _connect(path)
    bring_up_to_date(engine)
    return engine


def clear_database(engine: Engine) -> None:
    """Throw every table away and make it empty again."""
    with engine.begin() as connection:
        METADATA.drop_all(connection)
        make_tables(connection)


def drop_traces(engine: Engine) -> bool:
    """Write over what deleted rows left behind, and return whether that could be done now.

    In SQLite the write-ahead log is folded into the file and cut, which a reader may put off; deleted rows themselves
    were overwritten. PostgreSQL gives their pages free for others (`VACUUM`): what its own log and backups hold ends
    with them.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "sqlite":
            busy, *_ = connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()
            return not busy
        connection.execute(text("VACUUM FULL"))
        return True


def _connect(path: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": 30},
        hide_parameters=True,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
    )
    event.listen(engine, "connect", _tune_sqlite)
    return engine


def _is_sound(engine: Engine) -> bool:
    """Bring the tables up to date and return whether SQLite can read what is there."""
    try:
        bring_up_to_date(engine)
        with engine.connect() as connection:
            return bool(connection.scalar(text("PRAGMA quick_check(1)")) == "ok")
    except DatabaseError as error:
        if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF not in DAMAGED:
            raise
        return False


def _tune_sqlite(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten, not only unlinked
    cursor.close()
