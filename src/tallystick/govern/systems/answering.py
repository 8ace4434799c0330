"""Who answers for a system, and that no two are called alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from tallystick.access.grants.members import find_by_handle, find_member
from tallystick.govern.systems.errors import SystemConflictError, SystemInvalidError
from tallystick.govern.systems.model import Facts
from tallystick.govern.systems.rows import load_systems


def with_people(connection: Connection, facts: Facts, known: Sequence[str]) -> Facts:
    """Return the facts with owner and deputies by their ids; raises SystemInvalidError for who has no account, unless
    she is `known` here since before: who leaves does not keep others from changing the rest.
    """
    return replace(
        facts,
        owner=_person(connection, facts.owner, known, "/owner"),
        deputies=tuple(_person(connection, each, known, "/deputies") for each in facts.deputies),
    )


def _person(connection: Connection, named: str, known: Sequence[str], pointer: str) -> str:
    if named in known:
        return named
    found = find_by_handle(connection, named) or find_member(connection, named)
    if found is None or found.disabled:
        raise SystemInvalidError(f"there is no person {named[:64]!r} with an account", pointer=pointer)
    return found.id


def require_free(connection: Connection, name: str, system: str | None) -> None:
    """Raise SystemConflictError when another system is called so, whatever its letter case."""
    wanted = name.casefold()
    for each in load_systems(connection):
        if each.retired_index is None and each.id != system and each.facts.name.casefold() == wanted:
            raise SystemConflictError(f"there is a system called {each.facts.name!r}")
