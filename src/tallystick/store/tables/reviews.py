"""Duties, their reviews, what was marked and signed, and what is still to be done.

Terms, sections and items are JSON texts; times are microseconds. What is personal is NULL once it was erased.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from tallystick.store.tables.metadata import METADATA

REVIEW_DUTY = Table(
    "review_duty",
    METADATA,
    Column("duty", String(32), primary_key=True),
    Column("scope", String(512), nullable=False),
    Column("title", Text),
    Column("terms", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("retired_at", BigInteger),
)
REVIEW = Table(
    "review",
    METADATA,
    Column("review", String(48), primary_key=True),
    Column("duty", String(32), nullable=False),
    Column("terms", Text, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("scope", String(512), nullable=False),
    Column("period", String(16), nullable=False),
    Column("start_at", BigInteger, nullable=False),
    Column("end_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("opened_index", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("seed", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("sections", Text, nullable=False),
    Column("closed", String(16)),
    Column("closed_at", BigInteger),
    Column("late", Boolean, nullable=False),
    Column("exception", String(64)),
    Column("started_at", BigInteger),
    Column("marked", Boolean, nullable=False),
    Index("review_of_duty", "duty", "end_at"),
    Index("review_by_due", "due_at"),
)
REVIEW_ITEM = Table(
    "review_item",
    METADATA,
    Column("review", String(48), primary_key=True),
    Column("section", String(32), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("item", String(256), nullable=False),
    Column("facts", Text, nullable=False),
)
REVIEW_MARK = Table(
    "review_mark",
    METADATA,
    Column("review", String(48), primary_key=True),
    Column("section", String(32), primary_key=True),
    Column("item", String(256), primary_key=True),
    Column("person", String(128), primary_key=True),
    Column("name", Text),
    Column("verdict", String(16), nullable=False),
    Column("note", Text),
    Column("own", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("log_index", BigInteger, nullable=False),
)
REVIEW_SIGNATURE = Table(
    "review_signature",
    METADATA,
    Column("log_index", BigInteger, primary_key=True, autoincrement=False),
    Column("review", String(48), nullable=False),
    Column("place", String(8), nullable=False),
    Column("person", String(128), nullable=False),
    Column("name", Text),
    Column("at", BigInteger, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("reason", Text),
    Index("review_signature_of", "review"),
)
REVIEW_FOLLOW_UP = Table(
    "review_follow_up",
    METADATA,
    Column("follow_up", String(32), primary_key=True),
    Column("review", String(48), nullable=False),
    Column("duty", String(32), nullable=False),
    Column("scope", String(512), nullable=False),
    Column("section", String(32), nullable=False),
    Column("owner", String(128), nullable=False),
    Column("text", Text),
    Column("due_at", BigInteger, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("opened_index", BigInteger, nullable=False),
    Column("done_at", BigInteger),
    Column("done_by", String(128)),
    Column("outcome", Text),
    Index("review_follow_up_of", "duty"),
)
