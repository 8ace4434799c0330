"""Settings that somebody changed; one that is not here has its default."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table, Text

from tallystick.store.tables.metadata import METADATA

SETTING = Table(
    "setting",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("changed_by", String(256)),
    Column("changed_index", BigInteger, nullable=False),
)
