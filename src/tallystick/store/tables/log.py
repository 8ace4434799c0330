"""How far projections got, and what the log says about itself: classes, catalogue, quarantines, holds."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, String, Table, Text

from tallystick.store.tables.metadata import METADATA

CURSOR = Table(
    "cursor",
    METADATA,
    Column("projection", String(64), primary_key=True),
    Column("next_index", BigInteger, nullable=False),
)
RETENTION_CLASS = Table(
    "retention_class",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", String(64), nullable=False),
    Column("retention_days", Integer),
    Column("personal_days", Integer),
    Column("floor_days", Integer),
    Column("regulations", Text),
    Column("below_floor", Text),
    Column("changed_index", BigInteger, nullable=False),
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
    Column("ranges", Text),
    Column("classes", Text),
    Column("sources", Text),
    Column("received", Text),
    Column("owner", String(256)),
    Column("reason", Text),
    Column("placed_by", String(256)),
    Column("placed_at", BigInteger, nullable=False),
    Column("placed_index", BigInteger, primary_key=True, autoincrement=False),
    Column("released_at", BigInteger),
    Column("released_by", String(256)),
    Column("released_index", BigInteger),
)
