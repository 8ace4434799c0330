"""Rows of the tables as values, and the two questions that everything else is made of: which grants are in force, and
what they allow.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, or_, select

from tallystick.access.grants.model import Grant, Ground, Step, Subject, Terms
from tallystick.access.permissions import Permission
from tallystick.access.roles import RoleType
from tallystick.store.tables.grants import GRANT, GRANT_STEP, ROLE

_KNOWN = {each.value for each in Permission}
_PLAIN = (
    "reason",
    "requester",
    "requested_index",
    "requested_at",
    "decision",
    "decided_by",
    "decided_index",
    "decided_at",
    "ended",
    "ended_at",
    "expiry_index",
)


def parse_permissions(text: str) -> frozenset[Permission]:
    """Return the permissions of a JSON list; those that this version does not know allow nothing."""
    return frozenset(Permission(name) for name in json.loads(text) if name in _KNOWN)


def load_roles(connection: Connection, *, retired: bool = False) -> dict[str, RoleType]:
    """Return the roles by name, built-in ones first; those that are retired only when asked for."""
    query = select(ROLE).order_by(ROLE.c.built_in.desc(), ROLE.c.changed_index, ROLE.c.role)
    if not retired:
        query = query.where(ROLE.c.retired_index.is_(None))
    return {
        row.role: RoleType(
            row.role, row.title or row.role, row.description or "", parse_permissions(row.permissions), row.built_in
        )
        for row in connection.execute(query)
    }


def find_grant(connection: Connection, grant: str) -> Grant | None:
    """Return a grant with the steps of its life, or None."""
    row = connection.execute(select(GRANT).where(GRANT.c.grant == grant)).mappings().first()
    return None if row is None else _grant(row, load_steps(connection, grant))


def load_grants(connection: Connection, *conditions: ColumnElement[bool]) -> list[Grant]:
    """Return grants, the newest request first, without their steps."""
    query = select(GRANT).where(*conditions).order_by(GRANT.c.requested_index.desc(), GRANT.c.grant)
    return [_grant(row) for row in connection.execute(query).mappings()]


def load_steps(connection: Connection, grant: str) -> tuple[Step, ...]:
    """Return the events of a grant's life, oldest first."""
    query = select(GRANT_STEP).where(GRANT_STEP.c.grant == grant).order_by(GRANT_STEP.c.log_index)
    return tuple(
        Step(row.log_index, row.at, row.step, row.actor, row.actor_type, row.via, row.reason)
        for row in connection.execute(query)
    )


def in_force(now_us: int) -> ColumnElement[bool]:
    """Return the condition of grants that are in force at a time: approved, not ended, not run out."""
    until = GRANT.c.until_at
    return and_(GRANT.c.decision == "approved", GRANT.c.ended.is_(None), or_(until.is_(None), until > now_us))


def of_subjects(subjects: Iterable[Subject]) -> ColumnElement[bool]:
    """Return the condition of grants that one of the subjects holds."""
    return or_(*(and_(GRANT.c.subject_kind == each.kind, GRANT.c.subject == each.id) for each in subjects))


def allowed_by(grant: Grant, roles: Mapping[str, RoleType]) -> frozenset[Permission]:
    """Return what a grant that is in force allows: what was approved and the role still has."""
    role = roles.get(grant.terms.role)
    return frozenset() if role is None else grant.terms.permissions & role.permissions


def _grant(row: RowMapping | Mapping[str, Any], steps: tuple[Step, ...] = ()) -> Grant:
    terms = Terms(
        grant=row["grant"],
        subject=Subject(row["subject_kind"], row["subject"]),
        role=row["role"],
        permissions=parse_permissions(row["permissions"]),
        scope=row["scope"],
        until_us=row["until_at"],
        extends=row["extends"],
    )
    plain = {name: row[name] for name in _PLAIN}
    authority = tuple(json.loads(row["authority"]))
    return Grant(terms=terms, ground=Ground(row["ground"]), authority=authority, steps=steps, **plain)
