"""People and their groups, as the tables of a connection have them; it may show an earlier time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from tallystick.store.tables.people import PERSON, PERSON_GROUP


@dataclass(frozen=True, slots=True)
class Member:
    """A person of the installation, as far as it matters here. Where the name was erased the id stands for it."""

    id: str
    name: str
    disabled: bool


def find_member(connection: Connection, person: str) -> Member | None:
    """Return a person, or None."""
    row = connection.execute(select(PERSON).where(PERSON.c.person == person)).first()
    return None if row is None else Member(row.person, row.name or row.person, row.disabled_index is not None)


def find_by_handle(connection: Connection, handle: str) -> Member | None:
    """Return who signs in with a handle, or None; what is the id of somebody is nobody's handle."""
    if find_member(connection, handle) is not None:
        return None
    row = connection.execute(
        select(PERSON.c.person).where(PERSON.c.handle == handle.strip().lower(), PERSON.c.disabled_index.is_(None))
    ).first()
    return None if row is None else find_member(connection, row.person)


def groups_of(connection: Connection, person: str) -> Mapping[str, int]:
    """Return the groups of a person, each with the index in the log since which she is in it."""
    query = select(PERSON_GROUP.c.name, PERSON_GROUP.c.since_index).where(PERSON_GROUP.c.person == person)
    return {row.name: row.since_index for row in connection.execute(query)}


def members_of(connection: Connection, group: str) -> list[Member]:
    """Return who is in a group, by id."""
    query = (
        select(PERSON)
        .join(PERSON_GROUP, PERSON_GROUP.c.person == PERSON.c.person)
        .where(PERSON_GROUP.c.name == group)
        .order_by(PERSON.c.person)
    )
    return [
        Member(row.person, row.name or row.person, row.disabled_index is not None) for row in connection.execute(query)
    ]
