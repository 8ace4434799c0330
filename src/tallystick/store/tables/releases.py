"""Releases with their assets, the milestones that scopes know, and everything that was done with a release.

Lists and changes are JSON texts; times are microseconds. What is personal is NULL once it was erased.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from tallystick.store.tables.metadata import METADATA

RELEASE = Table(
    "release",
    METADATA,
    Column("release", String(32), primary_key=True),
    Column("scope", String(512), nullable=False),
    Column("tag", String(256), nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("commit", String(64)),
    Column("milestones", Text, nullable=False),
    Column("released_at", String(40), nullable=False),
    Column("created_index", BigInteger, nullable=False),
    Column("changed_index", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    Index("release_tag", "scope", "tag"),
    Index("release_created", "created_index"),
)
RELEASE_ASSET = Table(
    "release_asset",
    METADATA,
    Column("release", String(32), primary_key=True),
    Column("name", String(256), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("url", Text),
    Column("digest", String(64)),
    Column("bytes", BigInteger),
    Column("added_index", BigInteger, nullable=False),
)
MILESTONE = Table(
    "milestone",
    METADATA,
    Column("scope", String(512), primary_key=True),
    Column("title", String(256), primary_key=True),
    Column("named_index", BigInteger, nullable=False),
)
RELEASE_STEP = Table(
    "release_step",
    METADATA,
    Column("log_index", BigInteger, primary_key=True, autoincrement=False),
    Column("release", String(32)),
    Column("scope", String(512), nullable=False),
    Column("action", String(128), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", String(256), nullable=False),
    Column("actor_type", String(16), nullable=False),
    Column("actor_name", Text),
    Column("via", String(32)),
    Column("address", String(64)),
    Column("name", Text),
    Column("facts", Text, nullable=False),
    Column("changes", Text),
    Index("release_step_of", "release", "log_index"),
    Index("release_step_action", "action", "at"),
)
