"""People, what they sign in with, the groups they are in, and their sessions."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, String, Table, Text

from tallystick.store.tables.metadata import METADATA

#: Handle, name and e-mail are personal: an erasure takes them away, and then they are NULL.
PERSON = Table(
    "person",
    METADATA,
    Column("person", String(16), primary_key=True),
    Column("handle", String(64)),
    Column("name", Text),
    Column("email", Text),
    Column("identity", String(64)),
    Column("created_at", BigInteger, nullable=False),
    Column("created_index", BigInteger, nullable=False),
    Column("disabled_index", BigInteger),
    Column("signed_in_at", BigInteger),
    Column("totp_step", BigInteger),
    Index("person_handle", "handle"),
    Index("person_identity", "identity"),
)
PERSON_GROUP = Table(
    "person_group",
    METADATA,
    Column("person", String(16), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("since_index", BigInteger, nullable=False),
)
#: Who else had a hand in an account, and so may know how to get into it: whoever made the link by which its password was
#: set, switched off its second factor, or enabled it. `relinked` is whether it had a password before that link.
PERSON_HAND = Table(
    "person_hand",
    METADATA,
    Column("person", String(16), primary_key=True),
    Column("hand", String(256), primary_key=True),
    Column("since_index", BigInteger, nullable=False),
    Column("relinked", Boolean, nullable=False),
)
#: What is in force of `secrets.db`: a record counts only while a row here has its very digest.
CREDENTIAL = Table(
    "credential",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("person", String(16), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("made_by", String(256), nullable=False),
    Column("since_at", BigInteger, nullable=False),
    Column("until", BigInteger),
    Index("credential_person", "person", "kind"),
)
RECOVERY_CODE_USED = Table(
    "recovery_code_used",
    METADATA,
    Column("credential", String(64), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("used_index", BigInteger, nullable=False),
)
SESSION = Table(
    "session",
    METADATA,
    Column("session", String(16), primary_key=True),
    Column("person", String(16), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("method", String(32), nullable=False),
    Column("address", Text),
    Column("agent", Text),
    Column("opened_at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("fresh_at", BigInteger, nullable=False),
    Column("ended_index", BigInteger),
    Index("session_person", "person"),
)
