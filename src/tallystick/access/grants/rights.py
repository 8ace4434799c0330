"""What a person may do now, from every grant in force: read once for each change of grants or roles, then kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, func, select

from tallystick.access.grants.model import Grant, Subject
from tallystick.access.grants.rows import allowed_by, in_force, load_grants, load_roles
from tallystick.access.permissions import Permission
from tallystick.access.rights import Rights
from tallystick.follow.projection import Projection
from tallystick.store.tables.grants import GRANT_STEP, ROLE

FOR_EVER: Final = 1 << 62
_NEWEST = select(func.max(GRANT_STEP.c.log_index).label("at")).union_all(select(func.max(ROLE.c.changed_index)))
_Key = tuple[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class _Allowed:
    """What one grant allows, where, and until when."""

    permissions: frozenset[Permission]
    scope: str
    until: int


@dataclass(frozen=True, slots=True)
class _Answer:
    """The rights of one person, good until the first of her grants ends."""

    rights: Rights
    until: int


@dataclass(frozen=True, slots=True)
class _InForce:
    """The grants in force by subject, as the tables had them when `newest` was the last event about any.

    `answers` is filled as people ask; a race computes one of them twice.
    """

    newest: tuple[int | None, ...]
    allowed: Mapping[Subject, tuple[_Allowed, ...]]
    answers: dict[_Key, _Answer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is kept, and the version of the tables that it was read from."""

    version: int
    in_force: _InForce


class RightsInForce:
    """Answers from memory while nothing changes. May be used from any thread.

    Time never runs backwards here: a clock that is set back revives no grant. `newest` returns the `received_at` of the
    log's newest event.
    """

    def __init__(self, projection: Projection, newest: Callable[[], int]) -> None:
        self._projection = projection
        self._newest = newest
        self._known = _Known(-1, _InForce((), {}))  # replaced, never changed
        self._latest = 0

    def of(self, person: str, groups: Collection[str], now_us: int) -> Rights:
        """Return what the grants of a person and of her groups allow; the same object until something changes."""
        now_us = self._latest = max(now_us, self._latest)
        known, version = self._known, self._projection.version
        if known.version != version:
            now_us = self._latest = max(now_us, self._newest())
            # The version is read before the tables: what is kept may be newer than it says, never older.
            known = self._known = _Known(version, self._load(known.in_force, now_us))
        in_force = known.in_force
        key = (person, frozenset(groups))
        answer = in_force.answers.get(key)
        if answer is None or answer.until <= now_us:
            answer = in_force.answers[key] = _answer(in_force, key, now_us)
        return answer.rights

    def _load(self, known: _InForce, now_us: int) -> _InForce:
        with self._projection.engine.connect() as connection:
            newest = tuple(connection.scalars(_NEWEST))
            if newest == known.newest:
                return known
            return _InForce(newest, _by_subject(connection, now_us))


def _by_subject(connection: Connection, now_us: int) -> dict[Subject, tuple[_Allowed, ...]]:
    roles = load_roles(connection)
    found: dict[Subject, list[_Allowed]] = {}
    for grant in load_grants(connection, in_force(now_us)):
        found.setdefault(grant.subject, []).append(_Allowed(allowed_by(grant, roles), grant.scope, _end_of(grant)))
    return {subject: tuple(allowed) for subject, allowed in found.items()}


def _end_of(grant: Grant) -> int:
    return FOR_EVER if grant.terms.until_us is None else grant.terms.until_us


def _answer(known: _InForce, key: _Key, now_us: int) -> _Answer:
    person, groups = key
    subjects = [Subject("person", person), *(Subject("group", group) for group in groups)]
    held = [each for subject in subjects for each in known.allowed.get(subject, ()) if each.until > now_us]
    rights = Rights.of((permission, each.scope) for each in held for permission in each.permissions)
    return _Answer(rights, min((each.until for each in held), default=FOR_EVER))
