"""What the log says about what became of its content: erasures and backups."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table, Text

from tallystick.store.tables.metadata import METADATA

ERASURE = Table(
    "erasure",
    METADATA,
    Column("erased_index", BigInteger, primary_key=True, autoincrement=False),
    Column("erased_at", BigInteger, nullable=False),
    Column("part", String(16), nullable=False),
    Column("ranges", Text, nullable=False),
    Column("ground", Text, nullable=False),
    Column("classes", Text),
    Column("spared", Text),
    Column("events", BigInteger),
)
BACKUP = Table(
    "backup",
    METADATA,
    Column("backup_index", BigInteger, primary_key=True, autoincrement=False),
    Column("backed_up_at", BigInteger, nullable=False),
    Column("name", Text),
    Column("size", BigInteger),
)
