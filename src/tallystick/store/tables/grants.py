"""Roles, grants, and the steps of each grant's life."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, String, Table, Text

from tallystick.store.tables.metadata import METADATA

ROLE = Table(
    "role",
    METADATA,
    Column("role", String(64), primary_key=True),
    Column("title", Text),
    Column("description", Text),
    Column("permissions", Text, nullable=False),
    Column("built_in", Boolean, nullable=False),
    Column("changed_index", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("retired_index", BigInteger),
)
GRANT = Table(
    "access_grant",
    METADATA,
    Column("grant", String(32), primary_key=True),
    Column("ground", String(16), nullable=False),
    Column("subject_kind", String(16), nullable=False),
    Column("subject", String(256), nullable=False),
    Column("role", String(64), nullable=False),
    Column("scope", String(512), nullable=False),
    Column("permissions", Text, nullable=False),
    Column("until_at", BigInteger),
    Column("extends", String(32)),
    Column("digest", String(64), nullable=False),
    Column("reason", Text),
    Column("requester", String(256), nullable=False),
    Column("requested_index", BigInteger, nullable=False),
    Column("requested_at", BigInteger, nullable=False),
    Column("decision", String(16)),
    Column("decided_by", String(256)),
    Column("decided_index", BigInteger),
    Column("decided_at", BigInteger),
    Column("authority", Text, nullable=False),
    Column("ended", String(16)),
    Column("ended_at", BigInteger),
    Column("expiry_index", BigInteger),
)
GRANT_STEP = Table(
    "access_grant_step",
    METADATA,
    Column("log_index", BigInteger, primary_key=True, autoincrement=False),
    Column("grant", String(32), nullable=False),
    Column("step", String(32), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", String(256), nullable=False),
    Column("actor_type", String(16), nullable=False),
    Column("via", String(32)),
    Column("reason", Text),
    Index("access_grant_step_of", "grant", "log_index"),
)
