"""Systems in every version of their facts, the declarations of what is critical in them, and the gaps that were noticed.

Lists and declarations are JSON texts; times are microseconds. What is personal is NULL once it was erased. Versions and
declarations are never overwritten, so that what was in force at any index can be read.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from tallystick.store.tables.metadata import METADATA

SYSTEM = Table(
    "system",
    METADATA,
    Column("system", String(32), primary_key=True),
    Column("registered_index", BigInteger, nullable=False),
    Column("retired_index", BigInteger),
    Column("retired_at", BigInteger),
)
SYSTEM_VERSION = Table(
    "system_version",
    METADATA,
    Column("from_index", BigInteger, primary_key=True, autoincrement=False),
    Column("system", String(32), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", String(256), nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("environment", String(32), nullable=False),
    Column("data_class", String(32), nullable=False),
    Column("owner", String(256), nullable=False),
    Column("deputies", Text, nullable=False),
    Column("endpoints", Text),
    Column("assets", Text),
    Column("third_parties", Text),
    Column("runbook", Text),
    Column("procedure", Text),
    Column("changed", Text, nullable=False),
    Index("system_version_of", "system", "from_index"),
)
DECLARATION = Table(
    "declaration",
    METADATA,
    Column("declaration", String(32), primary_key=True),
    Column("system", String(32), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("based_on", String(32)),
    Column("text", Text),
    Column("reason", Text),
    Column("proposed_by", String(256), nullable=False),
    Column("proposed_index", BigInteger, nullable=False),
    Column("proposed_at", BigInteger, nullable=False),
    Column("decision", String(16)),
    Column("decided_by", String(256)),
    Column("decided_index", BigInteger),
    Column("decided_at", BigInteger),
    Column("decision_reason", Text),
    Index("declaration_of", "system", "proposed_index"),
)
COVERAGE_GAP = Table(
    "coverage_gap",
    METADATA,
    Column("opened_index", BigInteger, primary_key=True, autoincrement=False),
    Column("system", String(32), nullable=False),
    Column("gap", String(256), nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("closed_index", BigInteger),
    Column("closed_at", BigInteger),
    Index("coverage_gap_of", "system", "gap"),
)
