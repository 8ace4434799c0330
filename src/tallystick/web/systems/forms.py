"""Forms of systems and declarations: what was typed, and what it means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tallystick.access.scopes import parse_scope
from tallystick.api.system_views import SystemView
from tallystick.durations import format_duration, parse_duration
from tallystick.govern.systems.errors import DeclarationInvalidError, SystemInvalidError
from tallystick.govern.systems.model import Category, DataClass, Environment, Facts
from tallystick.web.forms import Form

_LISTS: Final = ("scopes", "deputies", "endpoints", "assets", "third_parties")
_TEXTS: Final = ("name", "owner", "runbook", "procedure")
FACTS: Final = ("name", "scopes", "environment", "data_class", "owner", *_LISTS[1:], "runbook", "procedure")
PARTS: Final = ("name", "query", "why", "sources", "silence")
DECLARATION: Final = (
    *(f"{category}-{part}" for category in Category for part in (*PARTS, "reason")),
    "based_on",
    "reason",
)
_BLANK_ROWS: Final = 2


class FactsTyped(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of the form of a system; lists have one entry a line."""

    name: str = ""
    scopes: str = ""
    environment: str = Environment.PRODUCTION.value
    data_class: str = DataClass.INTERNAL.value
    owner: str = ""
    deputies: str = ""
    endpoints: str = ""
    assets: str = ""
    third_parties: str = ""
    runbook: str = ""
    procedure: str = ""


class PatternTyped(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the form of a declaration."""

    name: str = ""
    query: str = ""
    why: str = ""
    sources: str = ""
    silence: str = ""


class CategoryTyped(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a declaration's form about one category; `reason` says why it does not apply."""

    category: str
    rows: list[PatternTyped]
    reason: str = ""


def typed_facts(form: Form) -> FactsTyped:
    """Return what was typed, to be shown again."""
    return FactsTyped(**{name: form[name] for name in FACTS})


def facts_as_typed(system: SystemView) -> FactsTyped:
    """Return a system as its form shows it."""
    return FactsTyped(
        name=system.name,
        scopes="\n".join(system.scopes),
        environment=system.environment,
        data_class=system.data_class,
        owner=system.owner.id,
        deputies="\n".join(each.id for each in system.deputies),
        endpoints="\n".join(system.endpoints or ()),
        assets="\n".join(system.assets or ()),
        third_parties="\n".join(system.third_parties or ()),
        runbook=system.runbook or "",
        procedure=system.procedure or "",
    )


def read_facts(form: Form) -> Facts:
    """Return the facts that a form says; raises SystemInvalidError, ScopeInvalidError."""
    said: dict[str, Any] = {name: form[name] for name in _TEXTS}
    for name in _LISTS:
        said[name] = tuple(line.strip() for line in form[name].split("\n") if line.strip())
    said["scopes"] = tuple(parse_scope(each) for each in said["scopes"])
    try:
        environment, data_class = Environment(form["environment"]), DataClass(form["data_class"])
    except ValueError:
        raise SystemInvalidError("choose an environment and a data class", pointer="/environment") from None
    return Facts(environment=environment, data_class=data_class, **said)


def typed_declaration(form: Form) -> list[CategoryTyped]:
    """Return what was typed, to be shown again."""
    return [
        CategoryTyped(
            category=category.value,
            rows=_padded([PatternTyped(**row) for row in _rows(form, category)]),
            reason=form[f"{category}-reason"],
        )
        for category in Category
    ]


def declaration_as_typed(text: str | None) -> list[CategoryTyped]:
    """Return a declaration as its form shows it; None is an empty one."""
    said: Mapping[str, Any] = {} if text is None else json.loads(text)["categories"]
    found = []
    for category in Category:
        part = said.get(category.value, {})
        rows = [
            PatternTyped(
                name=each["name"],
                query=each["query"],
                why=each["why"],
                sources=" ".join(each["sources"]),
                silence=format_duration(60 * each["silence_minutes"]),
            )
            for each in part.get("patterns", [])
        ]
        found.append(CategoryTyped(category=category.value, rows=_padded(rows), reason=part.get("not_applicable", "")))
    return found


def read_declaration(form: Form) -> dict[str, Any]:
    """Return the document that a form says; raises DeclarationInvalidError for a time that is none."""
    categories: dict[str, Any] = {}
    for category in Category:
        reason = form[f"{category}-reason"]
        patterns = [_pattern(category, row) for row in _rows(form, category)]
        if reason:
            categories[category.value] = {"not_applicable": reason, **({"patterns": patterns} if patterns else {})}
        elif patterns:
            categories[category.value] = {"patterns": patterns}
    return {"categories": categories}


def _rows(form: Form, category: Category) -> list[dict[str, str]]:
    """Return the rows of a category in which anything was typed."""
    columns = [form.all(f"{category}-{part}") for part in PARTS]
    rows = [dict(zip(PARTS, row, strict=True)) for row in zip(*columns, strict=False)]
    return [row for row in rows if any(row.values())]


def _pattern(category: Category, row: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": row["name"],
        "query": row["query"],
        "why": row["why"],
        "sources": row["sources"].replace(",", " ").split(),
        "silence_minutes": _minutes(row["silence"].strip(), f"/categories/{category}/silence"),
    }


def _minutes(text: str, pointer: str) -> int:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise DeclarationInvalidError(f"{text[:20]!r} is not a time: {error}", pointer=pointer) from None
    if seconds % 60:
        raise DeclarationInvalidError(f"{text[:20]!r} is not a number of whole minutes", pointer=pointer)
    return seconds // 60


def _padded(rows: list[PatternTyped]) -> list[PatternTyped]:
    return [*rows, *(PatternTyped() for _ in range(_BLANK_ROWS))]
