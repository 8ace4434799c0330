"""Systems and coverage as rows of a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tallystick.event.occurred import time_of_us
from tallystick.govern.systems.coverage import Coverage
from tallystick.govern.systems.model import Category, Proposal, System


class SystemRow(msgspec.Struct, frozen=True, kw_only=True):
    """A system as one row of the register's file."""

    system: str
    name: str
    scopes: list[str]
    environment: str
    data_class: str
    owner: str
    deputies: list[str]
    endpoints: list[str] | None
    assets: list[str] | None
    third_parties: list[str] | None
    runbook: str | None
    procedure: str | None
    retired: bool
    declaration: str | None
    declaration_digest: str | None
    approved_by: str | None
    approved_at: str | None
    approved_index: int | None


class CoverageRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line about coverage: a pattern with how it arrives, a category that does not apply, or a gap."""

    system: str
    name: str
    size: int
    at: str
    line: str
    category: str | None
    key: str
    query: str | None
    sentence: str
    count: int | None
    last_index: int | None
    last_at: str | None


def system_rows(found: list[System]) -> list[SystemRow]:
    """Return systems as rows of a file: people by their ids."""
    return [_row(each, each.in_force) for each in found]


def coverage_rows(found: list[Coverage]) -> list[CoverageRow]:
    """Return coverage as rows of a file."""
    rows = []
    for each in found:
        about: dict[str, Any] = {
            "system": each.system.id,
            "name": each.system.facts.name,
            "size": each.size,
            "at": time_of_us(each.at_us),
        }
        nothing: dict[str, Any] = {"query": None, "count": None, "last_index": None, "last_at": None}
        for state in each.patterns:
            pattern = state.pattern
            rows.append(
                CoverageRow(
                    **about,
                    line="pattern",
                    category=pattern.category.value,
                    key=pattern.name,
                    query=pattern.query,
                    sentence=pattern.why,
                    count=state.count,
                    last_index=state.last_index,
                    last_at=_time(state.last_at),
                )
            )
        declared: Mapping[Category, str] = {} if each.declaration is None else each.declaration.not_applicable
        for category, why in declared.items():
            line: dict[str, Any] = {"line": "not applicable", "category": category.value, "key": category.value}
            rows.append(CoverageRow(**about, **line, **nothing, sentence=why))
        rows += [
            CoverageRow(**about, line="gap", category=None, key=gap.key, sentence=gap.sentence, **nothing)
            for gap in each.gaps
        ]
    return rows


def _row(system: System, in_force: Proposal | None) -> SystemRow:
    facts = system.facts
    return SystemRow(
        system=system.id,
        name=facts.name,
        scopes=list(facts.scopes),
        environment=facts.environment.value,
        data_class=facts.data_class.value,
        owner=facts.owner,
        deputies=list(facts.deputies),
        endpoints=_list(facts.endpoints),
        assets=_list(facts.assets),
        third_parties=_list(facts.third_parties),
        runbook=facts.runbook,
        procedure=facts.procedure,
        retired=system.retired_index is not None,
        declaration=None if in_force is None else in_force.declaration,
        declaration_digest=None if in_force is None else in_force.digest,
        approved_by=None if in_force is None else in_force.decided_by,
        approved_at=None if in_force is None else _time(in_force.decided_at),
        approved_index=None if in_force is None else in_force.decided_index,
    )


def _list(found: tuple[str, ...] | None) -> list[str] | None:
    return None if found is None else list(found)


def _time(at_us: int | None) -> str | None:
    return None if at_us is None else time_of_us(at_us)
