"""The table of searchable fields: the only place that says what a field is called, means and reveals.

`columns` are the names in a segment's columns that hold the field; the evaluator reads the same value from the event
by `path`. A field is a *fact*, *personal*, or *mixed* (a fact where the catalogue declares it, otherwise personal).
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How values of a field are written and compared."""

    KEYWORD = "keyword"
    EXACT = "exact"
    CHOICE = "choice"
    SCOPE = "scope"
    TEXT = "text"
    ADDRESS = "address"
    SEVERITY = "severity"
    TIME = "time"
    INTEGER = "number"
    JSON = "json"


class Part(StrEnum):
    """Which part of an event a field belongs to; `record` is what the ledger itself adds."""

    RECORD = "record"
    FACT = "fact"
    PERSONAL = "personal"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Field:
    """One row of the table.

    `path` leads to the value in a merged event; a list on the way stands for each of its items. `columns` hold what
    is a fact, `personal_columns` what is personal, `key_column` the pseudonym keys that stand in for a personal id.
    Where `in_content` is true, values also (or only) stand in the content itself.
    """

    name: str
    kind: Kind
    part: Part
    path: tuple[str, ...]
    help: str
    columns: tuple[str, ...] = ()
    personal_columns: tuple[str, ...] = ()
    key_column: str = ""
    in_content: bool = False
    many: bool = False
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether the field is written with a path of its own below the name."""
        return self.name in OPEN_FIELDS


SEVERITIES = ("informational", "low", "medium", "high", "critical")
OUTCOMES = ("success", "failure", "denied", "unknown")
OPEN_FIELDS = ("metadata", "context", "raw")

_FIELDS = (
    Field("index", Kind.INTEGER, Part.RECORD, (), "Position in the ledger, from 0.", ("index",)),
    Field("id", Kind.EXACT, Part.RECORD, (), "The event's UUID.", ("id",)),
    Field("received_at", Kind.TIME, Part.RECORD, (), "When the ledger received the event.", ("received_at",)),
    Field("source", Kind.KEYWORD, Part.RECORD, (), "Name of the registered source that sent the event.", ("source",)),
    Field(
        "class",
        Kind.KEYWORD,
        Part.RECORD,
        (),
        "Retention class. Events of class `reading` are hidden unless the query names `class:`.",
        ("class_number",),
    ),
    Field(
        "occurred_at",
        Kind.TIME,
        Part.FACT,
        ("occurred_at",),
        "When it happened, as the sender says.",
        ("occurred_at",),
    ),
    Field("action", Kind.KEYWORD, Part.FACT, ("action",), "What was done, such as `release.updated`.", ("action",)),
    Field(
        "actor",
        Kind.KEYWORD,
        Part.FACT,
        ("actor", "id"),
        "Who did it, by id or pseudonym key; see *Actors* below.",
        ("actor_id",),
        ("personal_actor_id",),
        key_column="actor_key",
        aliases=("actor.id",),
    ),
    Field("actor.key", Kind.EXACT, Part.FACT, ("actor", "key"), "Pseudonym key of the actor.", ("actor_key",)),
    Field("actor.type", Kind.KEYWORD, Part.FACT, ("actor", "type"), "`user`, `service`, `system` ...", ("actor_type",)),
    Field(
        "actor.name",
        Kind.TEXT,
        Part.PERSONAL,
        ("actor", "name"),
        "Words of the actor's name.",
        personal_columns=("personal_actor_name",),
    ),
    Field(
        "actor.email",
        Kind.KEYWORD,
        Part.PERSONAL,
        ("actor", "email"),
        "The actor's e-mail address.",
        personal_columns=("personal_actor_email",),
    ),
    Field(
        "on_behalf_of",
        Kind.KEYWORD,
        Part.FACT,
        ("on_behalf_of", "id"),
        "For whom it was done, by id or pseudonym key.",
        ("on_behalf_of_id",),
        ("personal_on_behalf_of_id",),
        key_column="on_behalf_of_key",
        aliases=("on_behalf_of.id",),
    ),
    Field(
        "on_behalf_of.type",
        Kind.KEYWORD,
        Part.FACT,
        ("on_behalf_of", "type"),
        "Type of the one for whom it was done.",
        ("on_behalf_of_type",),
    ),
    Field(
        "on_behalf_of.name",
        Kind.TEXT,
        Part.PERSONAL,
        ("on_behalf_of", "name"),
        "Words of the name of the one for whom it was done.",
        personal_columns=("personal_on_behalf_of_name",),
    ),
    Field(
        "on_behalf_of.email",
        Kind.KEYWORD,
        Part.PERSONAL,
        ("on_behalf_of", "email"),
        "E-mail address of the one for whom it was done.",
        personal_columns=("personal_on_behalf_of_email",),
    ),
    Field(
        "on_behalf_of.key",
        Kind.EXACT,
        Part.FACT,
        ("on_behalf_of", "key"),
        "Pseudonym key of the one for whom it was done.",
        ("on_behalf_of_key",),
    ),
    Field(
        "target",
        Kind.KEYWORD,
        Part.FACT,
        ("targets", "id"),
        "What it was done to: id or pseudonym key of any target.",
        ("target_id",),
        ("personal_target_ids",),
        key_column="target_key",
        many=True,
        aliases=("target.id",),
    ),
    Field(
        "target.key",
        Kind.EXACT,
        Part.FACT,
        ("targets", "key"),
        "Pseudonym key of any target.",
        ("target_key",),
        many=True,
    ),
    Field(
        "target.type", Kind.KEYWORD, Part.FACT, ("targets", "type"), "Type of any target.", ("target_type",), many=True
    ),
    Field(
        "target.name",
        Kind.TEXT,
        Part.PERSONAL,
        ("targets", "name"),
        "Words of the name of any target.",
        personal_columns=("personal_target_names",),
        many=True,
    ),
    Field(
        "scope", Kind.SCOPE, Part.FACT, ("scope",), "The scope and every scope below it, by whole segments.", ("scope",)
    ),
    Field("outcome", Kind.CHOICE, Part.FACT, ("outcome",), "How it ended.", ("outcome",), choices=OUTCOMES),
    Field(
        "severity", Kind.SEVERITY, Part.FACT, ("severity",), "How much it matters.", ("severity",), choices=SEVERITIES
    ),
    Field(
        "request_id",
        Kind.KEYWORD,
        Part.FACT,
        ("context", "request_id"),
        "Request id.",
        in_content=True,
        aliases=("context.request_id",),
    ),
    Field(
        "session_id",
        Kind.KEYWORD,
        Part.FACT,
        ("context", "session_id"),
        "Session id.",
        in_content=True,
        aliases=("context.session_id",),
    ),
    Field(
        "changes.field",
        Kind.KEYWORD,
        Part.FACT,
        ("changes", "field"),
        "Name of any field that was changed.",
        ("changed",),
        many=True,
        aliases=("changed",),
    ),
    Field("changes.old", Kind.JSON, Part.MIXED, ("changes", "old"), "Old value of any change.", in_content=True),
    Field("changes.new", Kind.JSON, Part.MIXED, ("changes", "new"), "New value of any change.", in_content=True),
    Field(
        "ip",
        Kind.ADDRESS,
        Part.PERSONAL,
        ("context", "ip"),
        "Address: exact, with `*`, or a network such as `10.0.0.0/8`.",
        personal_columns=("personal_ip",),
        aliases=("context.ip",),
    ),
    Field(
        "user_agent",
        Kind.TEXT,
        Part.PERSONAL,
        ("context", "user_agent"),
        "Words of the user agent.",
        personal_columns=("personal_user_agent",),
        aliases=("context.user_agent",),
    ),
    Field(
        "message",
        Kind.TEXT,
        Part.PERSONAL,
        ("message",),
        "Words of the message that the sender wrote.",
        personal_columns=("personal_message",),
    ),
    Field(
        "reason",
        Kind.TEXT,
        Part.PERSONAL,
        ("reason",),
        "Words of the reason that the sender gave.",
        personal_columns=("personal_reason",),
    ),
    Field(
        "metadata",
        Kind.JSON,
        Part.MIXED,
        ("metadata",),
        "Any value below `metadata`, such as `metadata.ticket:OPS-17`.",
        in_content=True,
    ),
    Field(
        "context",
        Kind.JSON,
        Part.MIXED,
        ("context",),
        "Any other value below `context`, such as `context.auth_method:saml`.",
        in_content=True,
    ),
    Field(
        "raw",
        Kind.JSON,
        Part.PERSONAL,
        ("raw",),
        "Any value of the vendor's own event, such as `raw.eventName:GetObject`.",
        in_content=True,
    ),
)

FIELDS: dict[str, Field] = {entry.name: entry for entry in _FIELDS}
ALIASES: dict[str, str] = {alias: entry.name for entry in _FIELDS for alias in entry.aliases}


def find_field(name: str) -> Field | None:
    """Return the field written `name`, by its own name or another, letter case as in the table."""
    return FIELDS.get(ALIASES.get(name, name))


def nearest_names(name: str) -> list[str]:
    """Return up to three field names that look like `name`, nearest first."""
    known = [*FIELDS, *ALIASES, "from", "to", "has"]
    near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.6)
    last = [entry for entry in known if entry.rpartition(".")[2] == name.lower() and entry not in near]
    return (near + last)[:3]
