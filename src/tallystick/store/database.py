"""The product's own tables: projections of source-0 events, which replaying the log makes again."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    text,
)
from sqlalchemy.exc import DatabaseError

METADATA = MetaData()
DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_telemetry = structlog.get_logger("tallystick.store")

CURSOR = Table(
    "cursor",
    METADATA,
    Column("projection", String(64), primary_key=True),
    Column("next_index", BigInteger, nullable=False),
)
SOURCE = Table(
    "source",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String(128), nullable=False, unique=True),
    Column("kind", String(64), nullable=False),
    Column("scope", String(512), nullable=False),
    Column("actor_ids", String(16), nullable=False),
    Column("strict", Boolean, nullable=False),
    Column("registered_index", BigInteger, nullable=False),
)
TOKEN = Table(
    "token",
    METADATA,
    Column("token", String(32), primary_key=True),
    Column("source", BigInteger, nullable=False),
    Column("can", String(16), nullable=False),
    Column("scope", String(512), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("expires_at", BigInteger),
    Column("created_index", BigInteger, nullable=False),
    Column("revoked_index", BigInteger),
)
RETENTION_CLASS = Table(
    "retention_class",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", String(64), nullable=False),
    Column("retention_days", Integer),
    Column("keeps_facts", Boolean, nullable=False),
    Column("defined_index", BigInteger, nullable=False),
)
DEFINITION = Table(
    "definition",
    METADATA,
    Column("action", String(128), primary_key=True),
    Column("from_index", BigInteger, primary_key=True, autoincrement=False),
    Column("definition", Text),
)
CATALOGUE = Table(
    "catalogue",
    METADATA,
    Column("from_index", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
)
QUARANTINE = Table(
    "quarantine",
    METADATA,
    Column("path", String(128), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("found_index", BigInteger, nullable=False),
)
HOLD = Table(
    "hold",
    METADATA,
    Column("hold", String(128), primary_key=True),
    Column("ranges", Text, nullable=False),
    Column("placed_index", BigInteger, primary_key=True, autoincrement=False),
    Column("released_index", BigInteger),
)


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
