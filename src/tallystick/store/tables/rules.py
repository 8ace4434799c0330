"""Detection rules with all their versions, what was done with them, and the lists of indicators that they use.

Facts are JSON texts; times are microseconds. What is personal is NULL once it was erased.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, String, Table, Text

from tallystick.store.tables.metadata import METADATA

#: `active` is the version that watches, `newest` the one that was written last.
DETECTION_RULE = Table(
    "detection_rule",
    METADATA,
    Column("rule", String(64), primary_key=True),
    Column("scope", String(512), nullable=False),
    Column("origin", String(16), nullable=False),
    Column("link", Text),
    Column("license", Text),
    Column("state", String(16), nullable=False),
    Column("active", BigInteger),
    Column("newest", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_index", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("changed_index", BigInteger, nullable=False),
    Column("enabled_at", BigInteger),
    Column("enabled_index", BigInteger),
)
DETECTION_RULE_VERSION = Table(
    "detection_rule_version",
    METADATA,
    Column("rule", String(64), primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
    Column("text", Text),
    Column("about", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("drafted_by", String(256), nullable=False),
    Column("drafted_at", BigInteger, nullable=False),
    Column("drafted_index", BigInteger, nullable=False),
    Column("drafted_reason", Text),
    Column("tested_at", BigInteger),
    Column("tested_index", BigInteger),
    Column("tested_passed", Boolean),
    Column("decided_by", String(256)),
    Column("decided_at", BigInteger),
    Column("decided_index", BigInteger),
    Column("decision_reason", Text),
)
DETECTION_STEP = Table(
    "detection_step",
    METADATA,
    Column("log_index", BigInteger, primary_key=True, autoincrement=False),
    Column("rule", String(64), nullable=False),
    Column("version", BigInteger),
    Column("action", String(128), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", String(256), nullable=False),
    Column("actor_type", String(16), nullable=False),
    Column("reason", Text),
    Column("facts", Text, nullable=False),
    Index("detection_step_of", "rule", "log_index"),
)
INDICATOR_LIST = Table(
    "indicator_list",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("description", Text),
    Column("changed_by", String(256), nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("changed_index", BigInteger, nullable=False),
    Column("created_index", BigInteger, nullable=False),
)
#: A value counts until it expires; one that was taken off is not here.
INDICATOR = Table(
    "indicator",
    METADATA,
    Column("list", String(64), primary_key=True),
    Column("value", String(512), primary_key=True),
    Column("expires_at", BigInteger),
    Column("source", Text),
    Column("note", Text),
    Column("added_at", BigInteger, nullable=False),
    Column("added_index", BigInteger, nullable=False),
)
