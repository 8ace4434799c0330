"""Where alerts are told of: the routes with every version, receivers, silences, and what became of each notification.

What is personal in their events (the text with its comments, addresses, reasons) is NULL once it was erased.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, String, Table, Text

from tallystick.store.tables.metadata import METADATA

ALERT_ROUTING = Table(
    "alert_routing",
    METADATA,
    Column("log_index", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
    Column("config", Text, nullable=False),
    Column("text", Text),
    Column("set_at", BigInteger, nullable=False),
    Column("set_by", String(256), nullable=False),
)
ALERT_RECEIVER = Table(
    "alert_receiver",
    METADATA,
    Column("receiver", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("place", String(256), nullable=False),
    Column("address", Text),
    Column("send_resolved", Boolean, nullable=False),
    Column("personal_scopes", Text, nullable=False),
    Column("header_names", Text, nullable=False),
    Column("secret", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("set_at", BigInteger, nullable=False),
    Column("set_by", String(256), nullable=False),
    Column("tested_at", BigInteger),
    Column("test_outcome", String(16)),
    Column("test_code", BigInteger),
)
SILENCE = Table(
    "silence",
    METADATA,
    Column("silence", String(32), primary_key=True),
    Column("matchers", Text, nullable=False),
    Column("scope", String(512), nullable=False),
    Column("reason", Text),
    Column("author", String(256), nullable=False),
    Column("placed_at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_by", String(256)),
    Column("changed_index", BigInteger, nullable=False),
    Index("silence_until", "until"),
)
ALERT_NOTIFICATION = Table(
    "alert_notification",
    METADATA,
    Column("key", String(36), primary_key=True),
    Column("log_index", BigInteger, nullable=False),
    Column("receiver", String(64), nullable=False),
    Column("route", String(256), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("scope", String(512), nullable=False),
    Column("firing", Text, nullable=False),
    Column("resolved", Text, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("attempts", Text, nullable=False),
    Index("alert_notification_at", "log_index"),
)
ALERT_HELD = Table(
    "alert_held",
    METADATA,
    Column("log_index", BigInteger, primary_key=True, autoincrement=False),
    Column("alert", String(16), primary_key=True),
    Column("scope", String(512), nullable=False),
    Column("receiver", String(64), nullable=False),
    Column("reason", String(16), nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("alert_held_by", "by"),
)
