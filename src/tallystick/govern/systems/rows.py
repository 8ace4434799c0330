"""Rows of the tables as values, as they stood at any size of the log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, or_, select

from tallystick.govern.systems.model import DataClass, Environment, Facts, Proposal, System, Version
from tallystick.store.tables.systems import COVERAGE_GAP, DECLARATION, SYSTEM, SYSTEM_VERSION

NEWEST: Final = 1 << 62
"""Beyond every size of a log: as things stand now."""


@dataclass(frozen=True, slots=True)
class NoticedGap:
    """A gap as it was put on record; open while `closed_index` is None."""

    opened_index: int
    system: str
    gap: str
    opened_at: int
    closed_index: int | None
    closed_at: int | None


def load_systems(connection: Connection, size: int = NEWEST, system: str | None = None) -> list[System]:
    """Return the systems that were registered in the first `size` events, as they stood after these, by name."""
    registered = select(SYSTEM).where(SYSTEM.c.registered_index < size)
    versions = select(SYSTEM_VERSION).where(SYSTEM_VERSION.c.from_index < size).order_by(SYSTEM_VERSION.c.from_index)
    approved = (
        select(DECLARATION)
        .where(DECLARATION.c.decision == "approved", DECLARATION.c.decided_index < size)
        .order_by(DECLARATION.c.decided_index)
    )
    if system is not None:
        registered = registered.where(SYSTEM.c.system == system)
        versions = versions.where(SYSTEM_VERSION.c.system == system)
        approved = approved.where(DECLARATION.c.system == system)
    newest = {row.system: row for row in connection.execute(versions)}
    in_force = {row.system: row for row in connection.execute(approved)}
    found = [
        System(
            id=row.system,
            version=_version(newest[row.system]),
            registered_index=row.registered_index,
            retired_index=row.retired_index if row.retired_index is not None and row.retired_index < size else None,
            in_force=_proposal(in_force[row.system]) if row.system in in_force else None,
        )
        for row in connection.execute(registered)
    ]
    return sorted(found, key=lambda each: (each.facts.name.casefold(), each.id))


def find_system(connection: Connection, system: str, size: int = NEWEST) -> System | None:
    """Return a system as it stood, or None."""
    found = load_systems(connection, size, system[:32])
    return found[0] if found else None


def load_versions(connection: Connection, system: str) -> list[Version]:
    """Return every version of a system's facts, the newest first."""
    table = SYSTEM_VERSION
    query = select(table).where(table.c.system == system).order_by(table.c.from_index.desc())
    return [_version(row) for row in connection.execute(query)]


def load_proposals(connection: Connection, system: str) -> list[Proposal]:
    """Return every declaration that was proposed for a system, the newest first."""
    query = select(DECLARATION).where(DECLARATION.c.system == system).order_by(DECLARATION.c.proposed_index.desc())
    return [_proposal(row) for row in connection.execute(query)]


def load_gaps(connection: Connection, *conditions: ColumnElement[bool]) -> list[NoticedGap]:
    """Return gaps as they are on record, the newest first."""
    query = select(COVERAGE_GAP).where(*conditions).order_by(COVERAGE_GAP.c.opened_index.desc())
    return [NoticedGap(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - the columns are its fields


def open_gaps(connection: Connection) -> list[NoticedGap]:
    """Return the gaps that are on record as open."""
    return load_gaps(connection, COVERAGE_GAP.c.closed_index.is_(None))


def recent_gaps(connection: Connection, since_us: int) -> list[NoticedGap]:
    """Return the gaps that are open or closed since a time."""
    return load_gaps(connection, or_(COVERAGE_GAP.c.closed_index.is_(None), COVERAGE_GAP.c.closed_at > since_us))


def _version(row: Row[Any]) -> Version:
    def listed(text: str | None) -> tuple[str, ...] | None:
        return None if text is None else tuple(json.loads(text))

    facts = Facts(
        name=row.name,
        scopes=tuple(json.loads(row.scopes)),
        environment=Environment(row.environment),
        data_class=DataClass(row.data_class),
        owner=row.owner,
        deputies=tuple(json.loads(row.deputies)),
        endpoints=listed(row.endpoints),
        assets=listed(row.assets),
        third_parties=listed(row.third_parties),
        runbook=row.runbook,
        procedure=row.procedure,
    )
    return Version(row.from_index, row.at, row.actor, facts, tuple(json.loads(row.changed)))


def _proposal(row: Row[Any]) -> Proposal:
    return Proposal(**row._mapping)  # noqa: SLF001 - the columns are its fields
