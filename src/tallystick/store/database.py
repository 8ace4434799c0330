"""Opening the database that holds the product's tables."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError

from tallystick.store.tables import METADATA

DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_telemetry = structlog.get_logger("tallystick.store")


def open_database(path: Path) -> Engine:
    """Return the database in a file, its tables made where they are missing.

    Losing the last transactions to a power cut is harmless here: the cursor goes back with them. A file that is
    damaged is set aside as `<name>.damaged` and an empty one takes its place: the log fills it again.
    """
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
    METADATA.create_all(engine)
    return engine


def _connect(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
    event.listen(engine, "connect", _tune_sqlite)
    return engine


def _is_sound(engine: Engine) -> bool:
    """Make missing tables and return whether SQLite can read what is there."""
    try:
        METADATA.create_all(engine)
        with engine.connect() as connection:
            return bool(connection.scalar(text("PRAGMA quick_check(1)")) == "ok")
    except DatabaseError as error:
        if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF not in DAMAGED:
            raise
        return False


def clear_database(engine: Engine) -> None:
    """Throw every table away and make it empty again."""
    METADATA.drop_all(engine)
    METADATA.create_all(engine)


def _tune_sqlite(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()
