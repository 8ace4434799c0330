"""Registered senders and the tokens of senders, services and people. Lists are JSON texts; times are microseconds."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, String, Table, Text

from tallystick.store.tables.metadata import METADATA

SOURCE = Table(
    "source",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String(128), nullable=False, unique=True),
    Column("kind", String(64), nullable=False),
    Column("owner", String(128), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("actor_ids", String(16), nullable=False),
    Column("silence_s", BigInteger),
    Column("strict", Boolean, nullable=False),
    Column("registered_index", BigInteger, nullable=False),
    Column("registered_at", BigInteger, nullable=False),
    Column("retired_index", BigInteger),
)
TOKEN = Table(
    "token",
    METADATA,
    Column("token", String(32), primary_key=True),
    Column("owner_kind", String(16), nullable=False),
    Column("owner", String(128), nullable=False),
    Column("label", Text),
    Column("permissions", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("addresses", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("expires_at", BigInteger),
    Column("predecessor", String(32)),
    Column("successor", String(32)),
    Column("ends_at", BigInteger),
    Column("created_index", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_index", BigInteger),
)
