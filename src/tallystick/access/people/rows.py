"""People as the tables have them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from tallystick.access.people.errors import PersonUnknownError
from tallystick.access.people.model import Person, State
from tallystick.store.tables.people import CREDENTIAL, PERSON, PERSON_GROUP, PERSON_HAND


def people_of(connection: Connection, person: str | None = None) -> list[Person]:
    """Return everybody, or one person, in the order in which they came."""
    query = select(PERSON).order_by(PERSON.c.created_index, PERSON.c.person)
    if person is not None:
        query = query.where(PERSON.c.person == person)
    kinds: dict[str, set[str]] = {}
    for each in connection.execute(select(CREDENTIAL.c.person, CREDENTIAL.c.kind)):
        kinds.setdefault(each.person, set()).add(each.kind)
    groups: dict[str, list[str]] = {}
    for each in connection.execute(select(PERSON_GROUP).order_by(PERSON_GROUP.c.name)):
        groups.setdefault(each.person, []).append(each.name)
    return [_person(row, kinds.get(row.person, set()), groups.get(row.person, [])) for row in connection.execute(query)]


def person_of(connection: Connection, person: str) -> Person:
    """Return one person. Raises PersonUnknownError."""
    found = people_of(connection, person)
    if not found:
        raise PersonUnknownError("there is no such person")
    return found[0]


def has(connection: Connection, person: str, kind: str) -> bool:
    """Return whether the log says that a person has a credential of a kind, whatever `secrets.db` holds."""
    query = select(CREDENTIAL.c.name).where(CREDENTIAL.c.person == person, CREDENTIAL.c.kind == kind)
    return connection.execute(query).first() is not None


def relinked_by(connection: Connection, person: str) -> list[str]:
    """Return whose link the password of a person was set by that she has in place of another."""
    query = select(PERSON_HAND.c.hand).where(PERSON_HAND.c.person == person, PERSON_HAND.c.relinked)
    return list(connection.scalars(query))


def anybody(connection: Connection) -> bool:
    """Return whether an enabled person exists who has signed in before."""
    query = select(func.count()).where(PERSON.c.disabled_index.is_(None), PERSON.c.signed_in_at.is_not(None))
    return bool(connection.scalar(query))


def _person(row: Any, kinds: set[str], groups: list[str]) -> Person:
    state: State = "enabled"
    if row.disabled_index is not None:
        state = "disabled"
    elif "password" not in kinds and not row.identity:
        state = "invited"
    return Person(
        id=row.person,
        handle=row.handle or "",
        name=row.name or "",
        email=row.email or "",
        state=state,
        has_password="password" in kinds,
        has_totp="totp" in kinds,
        external=row.identity is not None,
        groups=tuple(groups),
        created_at=row.created_at,
        signed_in_at=row.signed_in_at,
    )
