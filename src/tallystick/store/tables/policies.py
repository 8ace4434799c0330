"""Policy projects, their policies in force, what waits for approval, and everything that was done in them.

Lists and contents are JSON texts; times are microseconds. What is personal is NULL once it was erased.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, String, Table, Text

from tallystick.store.tables.metadata import METADATA

POLICY_PROJECT = Table(
    "policy_project",
    METADATA,
    Column("project", String(32), primary_key=True),
    Column("title", Text, nullable=False),
    Column("scope", String(512), nullable=False),
    Column("governed", Text, nullable=False),
    Column("kept", String(16), nullable=False),
    Column("repository", Text, nullable=False),
    Column("branch", String(256), nullable=False),
    Column("path", String(512), nullable=False),
    Column("approval", Boolean, nullable=False),
    Column("signers", Text),
    Column("keys", Text),
    Column("state", String(16), nullable=False),
    Column("reason", String(64)),
    Column("registered_at", BigInteger, nullable=False),
    Column("registered_index", BigInteger, nullable=False),
    Column("changed_index", BigInteger, nullable=False),
    Column("synced_commit", String(64)),
    Column("synced_at", BigInteger),
    Column("synced_index", BigInteger),
    Column("digest", String(64)),
    Column("text", Text),
    Column("rejected_at", BigInteger),
    Column("rejected_index", BigInteger),
    Column("rejected_digest", String(64)),
    Column("rejected_commit", String(64)),
    Column("rejected_line", BigInteger),
    Column("rejected_column", BigInteger),
    Column("rejected_message", Text),
)
POLICY = Table(
    "policy",
    METADATA,
    Column("project", String(32), primary_key=True),
    Column("policy", String(32), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("name", String(255), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("content", Text, nullable=False),
    Column("created_index", BigInteger, nullable=False),
    Column("changed_index", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)
POLICY_PROPOSAL = Table(
    "policy_proposal",
    METADATA,
    Column("proposal", String(32), primary_key=True),
    Column("project", String(32), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("based_on", String(64)),
    Column("state", String(16), nullable=False),
    Column("text", Text),
    Column("reason", Text),
    Column("proposed_by", String(256), nullable=False),
    Column("proposed_at", BigInteger, nullable=False),
    Column("proposed_index", BigInteger, nullable=False),
    Column("decided_by", String(256)),
    Column("decided_at", BigInteger),
    Column("decided_index", BigInteger),
    Column("decision_reason", Text),
    Index("policy_proposal_of", "project", "proposed_index"),
)
#: `reach` and `reach_before` name sets of governed scopes, which many events share.
POLICY_STEP = Table(
    "policy_step",
    METADATA,
    Column("log_index", BigInteger, primary_key=True, autoincrement=False),
    Column("project", String(32), nullable=False),
    Column("scope", String(512), nullable=False),
    Column("action", String(128), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("policy", String(32)),
    Column("kind", String(32)),
    Column("name", Text),
    Column("commit", String(64)),
    Column("actor", String(256)),
    Column("actor_type", String(16), nullable=False),
    Column("actor_name", Text),
    Column("facts", Text, nullable=False),
    Column("personal", Text, nullable=False),
    Column("changes", Text),
    Column("reason", Text),
    Column("reach", String(64)),
    Column("reach_before", String(64)),
    Index("policy_step_of", "project", "log_index"),
    Index("policy_step_commit", "project", "commit"),
    Index("policy_step_reach", "reach", "log_index"),
    Index("policy_step_reach_before", "reach_before", "log_index"),
)
POLICY_REACH = Table(
    "policy_reach",
    METADATA,
    Column("reach", String(64), primary_key=True),
    Column("scope", String(512), primary_key=True),
    Index("policy_reach_scope", "scope"),
)
