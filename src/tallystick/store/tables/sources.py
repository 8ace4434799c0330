"""Registered senders and the tokens of services and people."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, String, Table

from tallystick.store.tables.metadata import METADATA

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
