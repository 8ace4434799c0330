"""Rows and columns of the table, and one row opened."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache, lru_cache, partial
from typing import Any, Final
from urllib.parse import quote

from tallystick.query.fields import ALIASES, FIELDS, Kind
from tallystick.query.model import Equals, FieldRef, Term
from tallystick.query.scanner import NAME_CHARACTERS
from tallystick.query.writer import format_query
from tallystick.search.model import Row
from tallystick.web.events.columns import Column, known_columns, values_of
from tallystick.web.events.drawn import DrawnRows
from tallystick.web.events.question import Asked, opposite
from tallystick.web.events.view import Cell, CellValue, ColumnChoice, ColumnView, Field, MoreView, RowView
from tallystick.web.present import plain

_KINDS: Final = {"time": "time", "received_at": "time", "outcome": "outcome", "severity": "severity"}
_FIELDS_MAX: Final = 200
_FIXED: Final = frozenset({Kind.KEYWORD, Kind.EXACT, Kind.CHOICE, Kind.SCOPE, Kind.ADDRESS, Kind.SEVERITY, Kind.JSON})
_NOT_LISTED: Final = frozenset({"changes", "raw"})
_drawn: Final = DrawnRows()
#: The menu of columns has two addresses a column; those of so many questions are kept, for all who ask them.
_QUESTIONS: Final = 16


def make_rows(asked: Asked, columns: tuple[Column, ...], rows: tuple[Row, ...]) -> tuple[RowView, ...]:
    """Return the rows of the table."""
    narrowed = cache(asked.narrowed)  # most values stand in many rows
    question = asked.link("")

    def made(row: Row) -> RowView:
        return RowView(
            index=row.index,
            id=row.id,
            message=row.message,
            cells=tuple(_cell(narrowed, column, row) for column in columns),
            withheld=row.withheld,
            erased=row.erased,
            opens=f"/events/{row.id}/row{question}",
        )

    return tuple(_drawn.get(row, question, partial(made, row)) for row in rows)


@lru_cache(_QUESTIONS)
def make_columns(asked: Asked, columns: tuple[Column, ...]) -> tuple[ColumnView, ...]:
    """Return the head of the table, each column with the addresses that move it or take it away."""
    names = [column.name for column in columns]

    def swapped(at: int, other: int) -> str:
        if not 0 <= other < len(names):
            return ""
        moved = list(names)
        moved[at], moved[other] = moved[other], moved[at]
        return _with(asked, moved)

    return tuple(
        ColumnView(
            name=column.name,
            label=column.label,
            without=_with(asked, [name for name in names if name != column.name]) if len(names) > 1 else "",
            left=swapped(at, at - 1),
            right=swapped(at, at + 1),
        )
        for at, column in enumerate(columns)
    )


@lru_cache(_QUESTIONS)
def make_choices(asked: Asked, columns: tuple[Column, ...]) -> tuple[ColumnChoice, ...]:
    """Return the columns that could be added, sorted by name."""
    names = [column.name for column in columns]
    return tuple(
        ColumnChoice(label=column.label, href=_with(asked, [*names, column.name]))
        for column in known_columns()
        if column.name not in names
    )


def make_more(asked: Asked, row: Row, width: int) -> MoreView:
    """Return one row opened: every field of the event by its path."""
    fields = [
        _field(asked, "index", row.index),
        _field(asked, "id", row.id),
        _field(asked, "source", row.source),
        _field(asked, "class", row.class_name),
    ]
    fields += [
        _field(asked, path, value, row.event)
        for name in sorted(row.event)
        if name not in _NOT_LISTED
        for path, value in _leaves(name, row.event[name])
    ]
    return MoreView(
        index=row.index,
        id=row.id,
        message=row.message,
        fields=tuple(fields[:_FIELDS_MAX]),
        changes=tuple(row.event.get("changes", ())),
        withheld=row.withheld,
        erased=row.erased,
        width=width,
    )


def timeline_of(kind: str, *parts: str) -> str:
    """Return the address of the timeline of a thing; empty when a part of its name is.

    A slash at the end keeps a name that ends like a JSON twin from being taken for one.
    """
    if not all(parts):
        return ""
    path = "/".join(quote(part, safe="") for part in parts)
    return f"/timeline/{kind}/{path}" + ("/" if path.endswith(".json") else "")


def _cell(narrowed: Callable[[str], str], column: Column, row: Row) -> Cell:
    values = tuple(
        CellValue(text=value.text, title=value.title, href=narrowed(value.term) if value.term else "")
        for value in values_of(column, row)
    )
    return Cell(kind=_KINDS.get(column.name, "text"), values=values)


def _with(asked: Asked, names: list[str]) -> str:
    return asked.link(cols=",".join(names))


def _leaves(path: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        return [leaf for name in sorted(value) for leaf in _leaves(f"{path}.{_step(name)}", value[name])]
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [leaf for at, item in enumerate(value) for leaf in _leaves(f"{path}[{at}]", item)]
    if isinstance(value, list):
        return [(path, item) for item in value]
    return [(path, value)]


def _step(name: str) -> str:
    """Return a member's name as a step of a path, in quotes where it would read as something else."""
    return name if name and set(name) <= NAME_CHARACTERS else json.dumps(name, ensure_ascii=False)


def _field(asked: Asked, path: str, value: Any, event: dict[str, Any] | None = None) -> Field:
    term = "" if isinstance(value, (dict, list)) else _term(path, plain(value))
    return Field(
        path=path,
        text=plain(value),
        only=asked.narrowed(term) if term else "",
        without=asked.narrowed(opposite(term)) if term else "",
        timeline=_timeline(path, event or {}),
    )


def _term(path: str, text: str) -> str:
    """Return the term that asks for a value at a path of an event; empty where the query language has none."""
    name, _, rest = path.partition(".")
    name = name.partition("[")[0].replace("targets", "target")
    whole = f"{name}.{rest}" if rest else name
    known = FIELDS.get(ALIASES.get(whole, whole))
    if known is None and rest in {"id", "key"}:
        known = FIELDS.get(name)
    if known is not None and not known.is_open:
        return format_query(Term(FieldRef(known.name), Equals(text))) if known.kind in _FIXED else ""
    if name in {"metadata", "context"} and rest and not set(rest) & set('["'):
        return format_query(Term(FieldRef(name, tuple(rest.split("."))), Equals(text)))
    return ""


def _timeline(path: str, event: dict[str, Any]) -> str:
    if path in {"actor.id", "actor.key"}:
        return timeline_of("actor", str(event["actor"][path[6:]]))
    if path == "context.request_id":
        return timeline_of("request", str(event["context"]["request_id"]))
    if path.startswith("targets[") and path.endswith((".id", ".key")):
        target = event["targets"][int(path[8:].partition("]")[0])]
        return timeline_of("target", str(target.get("type", "")), str(target[path.rpartition(".")[2]]))
    return ""
