"""Saved views and exports. What is personal in their events is NULL once it was erased."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table, Text

from tallystick.store.tables.metadata import METADATA

VIEW = Table(
    "saved_view",
    METADATA,
    Column("view", String(32), primary_key=True),
    Column("owner", String(256), nullable=False),
    Column("shared_in", String(512)),
    Column("name", Text),
    Column("question", Text),
    Column("columns", Text),
    Column("saved_at", BigInteger, nullable=False),
    Column("saved_index", BigInteger, nullable=False),
)
EXPORT = Table(
    "export",
    METADATA,
    Column("export", String(32), primary_key=True),
    Column("owner", String(256), nullable=False),
    Column("owner_type", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("format", String(16), nullable=False),
    Column("scope", String(512), nullable=False),
    Column("rights", Text, nullable=False),
    Column("asked", Text),
    Column("requested_at", BigInteger, nullable=False),
    Column("requested_index", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("code", String(64)),
    Column("sha256", String(64)),
    Column("events", BigInteger),
    Column("bytes", BigInteger),
)
