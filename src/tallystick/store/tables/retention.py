"""Which class events go to, what was proposed about retention and decided, and the runs that destroyed content.

Lists and bodies are JSON texts; times are microseconds. What is personal is NULL once it was erased.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from tallystick.store.tables.metadata import METADATA

RETENTION_RULE = Table(
    "retention_rule",
    METADATA,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("action", String(128)),
    Column("scope", String(512)),
    Column("source", BigInteger),
    Column("class_number", Integer, nullable=False),
    Column("assigned_index", BigInteger, nullable=False),
)
RETENTION_CHANGE = Table(
    "retention_change",
    METADATA,
    Column("change", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("body", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text),
    Column("proposed_by", String(256), nullable=False),
    Column("proposed_at", BigInteger, nullable=False),
    Column("proposed_index", BigInteger, nullable=False),
    Column("decided_by", String(256)),
    Column("decided_at", BigInteger),
    Column("decided_index", BigInteger),
    Column("decision_reason", Text),
)
RETENTION_REQUEST = Table(
    "retention_request",
    METADATA,
    Column("request_index", BigInteger, primary_key=True, autoincrement=False),
    Column("change", String(32), nullable=False, index=True),
    Column("approval_index", BigInteger),
)
RETENTION_RUN = Table(
    "retention_run",
    METADATA,
    Column("run_index", BigInteger, primary_key=True, autoincrement=False),
    Column("ran_at", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("erasures", Integer, nullable=False),
    Column("took_ms", BigInteger, nullable=False),
    Column("code", String(64)),
)
