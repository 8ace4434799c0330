"""Where events are streamed to, with every version of the settings, and whose GitLab may send events here.

What is personal in their events (names, queries) is NULL once it was erased.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, String, Table, Text

from tallystick.store.tables.metadata import METADATA

STREAM = Table(
    "stream",
    METADATA,
    Column("destination", String(32), primary_key=True),
    Column("name", Text),
    Column("state", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("start_index", BigInteger, nullable=False),
    Column("stopped_index", BigInteger),
    Column("stopped_at", BigInteger),
    Column("rewind_index", BigInteger, nullable=False),
    Column("rewind_to", BigInteger, nullable=False),
)
STREAM_VERSION = Table(
    "stream_version",
    METADATA,
    Column("destination", String(32), primary_key=True),
    Column("from_index", BigInteger, primary_key=True),
    Column("set_at", BigInteger, nullable=False),
    Column("maker", String(256), nullable=False),
    Column("maker_type", String(16), nullable=False),
    Column("url", Text, nullable=False),
    Column("format", String(16), nullable=False),
    Column("scope", String(512), nullable=False),
    Column("personal", Boolean, nullable=False),
    Column("reading", Boolean, nullable=False),
    Column("batch", BigInteger, nullable=False),
    Column("header_names", Text, nullable=False),
    Column("query", Text),
    Column("rights", Text, nullable=False),
    Column("secret", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
)
GITLAB_SENDER = Table(
    "gitlab_sender",
    METADATA,
    Column("source", String(64), primary_key=True),
    Column("secret", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("set_at", BigInteger, nullable=False),
    Column("set_by", String(256), nullable=False),
)
