"""Who could do something at a time: answered from the log alone, by replaying it up to then into tables of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, create_engine, select
from sqlalchemy.pool import StaticPool

from tallystick.access.grants.members import Member, find_member, groups_of, members_of
from tallystick.access.grants.model import Grant, Ground, Holder, Subject
from tallystick.access.grants.rows import allowed_by, in_force, load_grants, load_roles, of_subjects
from tallystick.access.permissions import Permission
from tallystick.access.rights import Rights
from tallystick.event.identifier import is_within
from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import SCHEMA_VERSION, Handler
from tallystick.store.tables import METADATA, TOKEN

_ROOMS: Final = ("access.", "person.", "token.", "source.")
"""How the actions that matter here begin."""


class History:
    """The tables of access as they stood at any time; `read` yields the product's events from an index on."""

    def __init__(
        self,
        handlers: Mapping[tuple[str, int], Handler],
        read: Callable[[int], Iterable[ProductEvent]],
    ) -> None:
        self._handlers = {action: each for (action, version), each in handlers.items() if version == SCHEMA_VERSION}
        self._read = read

    @contextmanager
    def at(self, at_us: int) -> Iterator[Connection]:
        """Yield tables that stand for every event received up to a time; they are gone afterwards.

        Costs as much as replaying the product's own events does: a hundred thousand take some ten seconds.
        """
        engine = create_engine("sqlite://", poolclass=StaticPool)
        try:
            with engine.begin() as connection:
                METADATA.create_all(connection)
                for event in self._read(0):
                    if event.received_at > at_us:
                        break
                    handler = self._handlers.get(event.action)
                    if handler is not None and event.action.startswith(_ROOMS):
                        handler(connection, event)
                yield connection
        finally:
            engine.dispose()


def holders(connection: Connection, permission: Permission, scope: str, at_us: int) -> list[Holder]:
    """Return everybody who could do something in a scope or a part of it, each way she could as one holder."""
    roles = load_roles(connection)
    found: list[Holder] = []
    for grant in load_grants(connection, in_force(at_us)):
        if permission in allowed_by(grant, roles) and _meet(scope, grant.scope):
            found += [_by_grant(grant, member, scope) for member in _people_of(connection, grant.subject)]
    found += _by_tokens(connection, permission, scope, at_us)
    return sorted(found, key=lambda each: (each.name.casefold(), each.person or "", each.scope, each.since_index))


def rights_from(
    connection: Connection, person: str, at_us: int, *, glass: bool = True, until_us: int | None = None
) -> Rights:
    """Return what the grants of a person and of her groups allow, as these tables have them; emergencies if `glass`, and
    with a time only what holds until then.
    """
    roles = load_roles(connection)
    subjects = [Subject("person", person), *(Subject("group", group) for group in groups_of(connection, person))]
    return Rights.of(
        (permission, grant.scope)
        for grant in load_grants(connection, in_force(at_us), of_subjects(subjects))
        if (glass or grant.ground is not Ground.GLASS) and (until_us is None or _lasts(grant, until_us))
        for permission in allowed_by(grant, roles)
    )


def _lasts(grant: Grant, until_us: int) -> bool:
    return grant.terms.until_us is None or grant.terms.until_us >= until_us


def _people_of(connection: Connection, subject: Subject) -> list[Member]:
    if subject.kind == "group":
        return [member for member in members_of(connection, subject.id) if not member.disabled]
    member = find_member(connection, subject.id)
    return [] if member is None or member.disabled else [member]


def _meet(asked: str, held: str) -> bool:
    return is_within(asked, held) or is_within(held, asked)


def _by_grant(grant: Grant, member: Member, asked: str) -> Holder:
    assert grant.decided_at is not None
    assert grant.decided_index is not None
    return Holder(
        person=member.id,
        name=member.name,
        role=grant.terms.role,
        scope=grant.scope,
        grant=grant.id,
        group=grant.subject.id if grant.subject.kind == "group" else None,
        token=None,
        ground=grant.ground,
        since=grant.decided_at,
        since_index=grant.decided_index,
        until=grant.terms.until_us,
        whole=is_within(asked, grant.scope),
    )


def _by_tokens(connection: Connection, permission: Permission, asked: str, at_us: int) -> Iterator[Holder]:
    """Yield the tokens in force; one that a person made never exceeds what she could do herself."""
    query = select(TOKEN).where(TOKEN.c.revoked_index.is_(None)).order_by(TOKEN.c.created_index)
    for row in connection.execute(query):
        ends = [end for end in (row.expires_at, row.ends_at) if end is not None]
        if permission not in json.loads(row.permissions) or (ends and min(ends) <= at_us):
            continue
        scopes: Iterable[str] = json.loads(row.scopes)
        person = None
        if row.owner_kind == "person":
            person = find_member(connection, row.owner)
            if person is None or person.disabled:
                continue
            limit = Rights.of((permission, scope) for scope in scopes)
            scopes = rights_from(connection, row.owner, at_us).within(limit).scopes(permission)
        for scope in scopes:
            if _meet(asked, scope):
                yield Holder(
                    person=person.id if person else None,
                    name=person.name if person else row.owner,
                    role=None,
                    scope=scope,
                    grant=None,
                    group=None,
                    token=row.token,
                    ground="token",
                    since=row.created_at,
                    since_index=row.created_index,
                    until=min(ends, default=None),
                    whole=is_within(asked, scope),
                )
