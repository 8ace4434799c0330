"""Alerts, the firings that each counts in, the events linked to it, and every step of its history.

Times are microseconds. `key` stands for what an alert is about by a keyed digest, `occasion` for one firing likewise.
Texts (sentences, comments, reasons, what the key says) are personal: an erasure takes them away, and then they are NULL.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, String, Table, Text

from tallystick.store.tables.metadata import METADATA

ALERT = Table(
    "alert",
    METADATA,
    Column("alert", String(16), primary_key=True),
    Column("kind", String(256), nullable=False),
    Column("key", String(32), nullable=False),
    Column("about", Text),
    Column("scope", String(512), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("title", Text, nullable=False),
    Column("sentence", Text),
    Column("version", String(64)),
    Column("state", String(16), nullable=False),
    Column("verdict", String(32)),
    Column("duplicate_of", String(16)),
    Column("assignee_kind", String(8)),
    Column("assignee", String(128)),
    Column("count", BigInteger, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("opened_index", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("changed_index", BigInteger, nullable=False),
    Column("severity_index", BigInteger, nullable=False),
    Column("recovered_at", BigInteger),
    Column("recovered_index", BigInteger),
    Column("acknowledged_at", BigInteger),
    Column("acknowledged_index", BigInteger),
    Column("closed_at", BigInteger),
    Column("closed_index", BigInteger),
    Column("reopened_at", BigInteger),
    Column("reopened_index", BigInteger),
    Column("acknowledge_by", BigInteger),
    Column("close_by", BigInteger),
    Column("closed_late", Boolean, nullable=False),
    Column("asked_index", BigInteger),
    Column("asked_by", String(256)),
    Column("asked_verdict", String(32)),
    Column("asked_duplicate_of", String(16)),
    Column("asked_digest", String(64)),
    Index("alert_opened", "opened_index"),
    Index("alert_opened_at", "opened_at"),
    Index("alert_changed", "changed_index"),
    Index("alert_key", "key", "state"),
    Index("alert_state", "state", "opened_index"),
)
ALERT_OCCASION = Table(
    "alert_occasion",
    METADATA,
    Column("occasion", String(32), primary_key=True),
    Column("alert", String(16), nullable=False),
    Column("log_index", BigInteger, nullable=False),
)
ALERT_EVENT = Table(
    "alert_event",
    METADATA,
    Column("alert", String(16), primary_key=True),
    Column("event_index", BigInteger, primary_key=True, autoincrement=False),
    Column("linked_index", BigInteger, nullable=False),
    Column("fired", Boolean, nullable=False),
)
ALERT_STEP = Table(
    "alert_step",
    METADATA,
    Column("log_index", BigInteger, primary_key=True, autoincrement=False),
    Column("alert", String(16), nullable=False),
    Column("scope", String(512), nullable=False),
    Column("action", String(128), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", String(256), nullable=False),
    Column("actor_type", String(16), nullable=False),
    Column("actor_name", Text),
    Column("via", String(32)),
    Column("facts", Text, nullable=False),
    Column("reason", Text),
    Column("sentence", Text),
    Index("alert_step_of", "alert", "log_index"),
)
