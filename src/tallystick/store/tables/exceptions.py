"""Exceptions from rules and duties, the steps of each one's life, and the uses of it that are on record.

Times are microseconds. What is personal is NULL once it was erased.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, String, Table, Text

from tallystick.store.tables.metadata import METADATA

EXCEPTION = Table(
    "exception",
    METADATA,
    Column("exception", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("subject", String(256), nullable=False),
    Column("scope", String(512), nullable=False),
    Column("narrowed", Boolean, nullable=False),
    Column("query", Text),
    Column("justification", Text),
    Column("control", Text),
    Column("risk", String(16), nullable=False),
    Column("start_at", BigInteger, nullable=False),
    Column("until_at", BigInteger, nullable=False),
    Column("extends", String(32)),
    Column("digest", String(64), nullable=False),
    Column("requester", String(256), nullable=False),
    Column("requested_index", BigInteger, nullable=False),
    Column("requested_at", BigInteger, nullable=False),
    Column("decision", String(16)),
    Column("decided_by", String(256)),
    Column("decided_index", BigInteger),
    Column("decided_at", BigInteger),
    Column("revoked_index", BigInteger),
    Column("revoked_at", BigInteger),
    Column("extended_by", String(32)),
    Column("used", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    Column("expiring_index", BigInteger),
    Column("expiry_index", BigInteger),
    Column("noticed_at", BigInteger),
    Index("exception_of", "kind", "subject"),
)
EXCEPTION_STEP = Table(
    "exception_step",
    METADATA,
    Column("log_index", BigInteger, primary_key=True, autoincrement=False),
    Column("exception", String(32), nullable=False),
    Column("step", String(16), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", String(256), nullable=False),
    Column("actor_type", String(16), nullable=False),
    Column("via", String(32)),
    Column("reason", Text),
    Column("count", BigInteger),
    Index("exception_step_of", "exception", "log_index"),
)
