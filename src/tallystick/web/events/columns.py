"""The columns of the table of events: every field of the query language can be one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from tallystick.errors import InvalidInputError
from tallystick.event.template import find_values
from tallystick.query.fields import FIELDS, Kind, find_field
from tallystick.query.model import Equals, FieldRef, Term
from tallystick.query.moments import format_moment
from tallystick.query.writer import format_query
from tallystick.search.model import Row
from tallystick.web.present import plain

DEFAULT: Final = ("time", "actor", "action", "target", "scope", "outcome")
COLUMNS_MAX: Final = 24
MESSAGE: Final = "what"
_OPEN: Final = re.compile(r"(metadata|context|raw)((?:\.[\w-]{1,64}){1,8})")
#: Kinds whose values are one word to ask for; words of a text and times are looked for in other ways.
_ASKABLE: Final = frozenset({Kind.KEYWORD, Kind.EXACT, Kind.CHOICE, Kind.SCOPE, Kind.ADDRESS, Kind.SEVERITY, Kind.JSON})
_LABELS: Final = {"time": "Time", MESSAGE: "What happened", "ip": "IP address", "id": "Event id"}
_TYPE_KEY_CHARS: Final = 8


class ColumnUnknownError(InvalidInputError):
    """A column was asked for that events do not have."""

    code = "column-unknown"
    advice = "Columns are named as fields of the query language are; `metadata.ticket` is one as well."


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its name in the address, and the field that it shows."""

    name: str
    label: str
    field: FieldRef | None
    kind: Kind


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a cell; `term` asks for it, empty where no term does."""

    text: str
    term: str
    title: str = ""


def known_columns() -> tuple[Column, ...]:
    """Return every column that has a name of its own, sorted by label."""
    names = ["time", MESSAGE, *(name for name in FIELDS if name not in {"occurred_at", "metadata", "context", "raw"})]
    return tuple(sorted((parse_column(name) for name in names), key=lambda column: column.label.lower()))


def parse_columns(text: str) -> tuple[Column, ...]:
    """Return the columns that a list of names asks for, the usual ones for an empty list."""
    names = [name.strip() for name in text.split(",") if name.strip()] or list(DEFAULT)
    if len(names) > COLUMNS_MAX:
        raise ColumnUnknownError(f"a table has up to {COLUMNS_MAX} columns")
    return tuple(parse_column(name) for name in dict.fromkeys(names))


def parse_column(name: str) -> Column:
    """Return one column; raises ColumnUnknownError."""
    if name == "time":
        return Column(name, _LABELS[name], FieldRef("occurred_at"), Kind.TIME)
    if name == MESSAGE:
        return Column(name, _LABELS[name], None, Kind.TEXT)
    found = find_field(name)
    if found is not None and not found.is_open:
        label = _LABELS.get(found.name) or found.name.replace("_", " ").replace(".", " ").capitalize()
        return Column(found.name, label, FieldRef(found.name), found.kind)
    opened = _OPEN.fullmatch(name)
    if opened is None:
        raise ColumnUnknownError(f"there is no column {name[:64]!r}")
    return Column(name, name, FieldRef(opened[1], tuple(opened[2].split(".")[1:])), Kind.JSON)


def values_of(column: Column, row: Row) -> list[Value]:
    """Return what a row has in a column, in order; times as RFC 3339."""
    if column.field is None:
        return [Value(row.message, "")]
    if column.name == "actor":
        return actor_values(row.event)
    if column.name == "target":
        return target_values(row.event)
    return [_value(column, found) for found in _found(column.field, row)]


def actor_values(event: dict[str, Any]) -> list[Value]:
    """Return the actor by name where it may be seen, else by id, else by the start of the pseudonym key."""
    actor = event.get("actor", {})
    if "id" in actor:
        term = format_query(Term(FieldRef("actor"), Equals(str(actor["id"]))))
        return [Value(str(actor.get("name") or actor["id"]), term, str(actor["id"]))]
    key = str(actor.get("key", ""))
    return [Value(f"key {key[:_TYPE_KEY_CHARS]}…", f"actor.key:{key}", key)] if key else []


def target_values(event: dict[str, Any]) -> list[Value]:
    """Return every target by name where it may be seen, else by id, with its type before it."""
    found = []
    for target in event.get("targets", ()):
        identity = str(target.get("id", target.get("key", "")))
        field = FieldRef("target" if "id" in target else "target.key")
        text = f"{target.get('type', '')} {target.get('name') or identity}".strip()
        found.append(Value(text, format_query(Term(field, Equals(identity))) if identity else "", identity))
    return found


def _found(ref: FieldRef, row: Row) -> list[Any]:
    record = {
        "index": row.index,
        "id": row.id,
        "received_at": format_moment(row.received_at),
        "source": row.source,
        "class": row.class_name,
    }
    if ref.name in record:
        return [record[ref.name]]
    path = ref.path and (ref.name, *ref.path)
    return find_values(row.event, path or FIELDS[ref.name].path)


def _value(column: Column, found: Any) -> Value:
    text = plain(found)
    askable = column.kind in _ASKABLE and not isinstance(found, (dict, list))
    assert column.field is not None
    return Value(text, format_query(Term(column.field, Equals(text))) if askable else "")
