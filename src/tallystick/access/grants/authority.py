"""Who may decide about a request, and by which grants.

Authority comes from grants that others decided, from the setup, or from a group; never from a broken glass. It does not
count where the people who gain from the request made it: what one of them decided since asking, directly or through
somebody whose own authority came from there, and a group that was joined since then. Nor does it count where one of
them has a hand in the account, unless somebody else decided since then that it may decide.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from tallystick.access.grants.hands import Hands
from tallystick.access.grants.members import find_member, groups_of, members_of
from tallystick.access.grants.model import Grant, Ground, Subject
from tallystick.access.grants.rows import allowed_by, find_grant, in_force, load_grants, load_roles, of_subjects
from tallystick.access.permissions import Permission
from tallystick.event.identifier import is_within


@dataclass(frozen=True, slots=True)
class Interest:
    """Who gains from a request, and since when: the index at which it was made."""

    people: frozenset[str]
    since: int


def interest_of(connection: Connection, request: Grant) -> Interest:
    """Return who asked and who gets the access, every member of a group included."""
    gains = {request.requester}
    if request.subject.kind == "person":
        gains.add(request.subject.id)
    else:
        gains.update(member.id for member in members_of(connection, request.subject.id))
    return Interest(frozenset(gains), request.requested_index)


def authority_of(
    connection: Connection, person: str, scope: str, now_us: int, interest: Interest | None = None
) -> tuple[str, ...]:
    """Return the grants by which a person may decide in a scope now; none when she may not.

    With an interest only those count that do not come from the people who gain.
    """
    member = find_member(connection, person)
    if member is None or member.disabled:
        return ()
    groups = groups_of(connection, person)
    if interest is not None:
        groups = {group: since for group, since in groups.items() if since < interest.since}
    subjects = [Subject("person", person), *(Subject("group", group) for group in groups)]
    roles = load_roles(connection)
    hands = None if interest is None else Hands(connection, interest.people)
    return tuple(
        sorted(
            grant.id
            for grant in load_grants(connection, in_force(now_us), of_subjects(subjects))
            if grant.ground != Ground.GLASS
            and is_within(scope, grant.scope)
            and Permission.GRANTS_APPROVE in allowed_by(grant, roles)
            and not (interest is not None and _comes_from(connection, grant, interest, {}))
            and (hands is None or hands.counts(person, grant))
        )
    )


def decides_freely(
    connection: Connection, person: str, permission: Permission, scope: str, now_us: int, gains: str
) -> bool:
    """Return whether a person holds a permission that does not come from who gains by her decision.

    It does where the one who gains has a hand in her account, unless somebody else decided since then.
    """
    subjects = [Subject("person", person), *(Subject("group", group) for group in groups_of(connection, person))]
    roles, hands = load_roles(connection), Hands(connection, {gains})
    return any(
        is_within(scope, grant.scope) and permission in allowed_by(grant, roles) and hands.counts(person, grant)
        for grant in load_grants(connection, in_force(now_us), of_subjects(subjects))
    )


def can_anybody_decide(connection: Connection, scope: str, now_us: int, interest: Interest) -> bool:
    """Return whether there is a person who could decide about a request of these people."""
    roles = load_roles(connection)
    for grant in load_grants(connection, in_force(now_us)):
        if Permission.GRANTS_APPROVE not in allowed_by(grant, roles) or not is_within(scope, grant.scope):
            continue
        subject = grant.subject
        people = [subject.id] if subject.kind == "person" else [each.id for each in members_of(connection, subject.id)]
        if any(
            person not in interest.people and authority_of(connection, person, scope, now_us, interest)
            for person in people
        ):
            return True
    return False


def _comes_from(connection: Connection, grant: Grant, interest: Interest, seen: dict[str, bool]) -> bool:
    """Return whether a grant exists because one of these people decided so since asking.

    Every grant by which it was decided must come from them: one that does not is authority enough. A grant was decided
    by grants that are older than itself, so this ends.
    """
    if grant.decided_index is None or grant.decided_index < interest.since:
        return False
    if grant.id not in seen:
        seen[grant.id] = grant.decided_by in interest.people or (
            bool(grant.authority) and all(_origin(connection, each, interest, seen) for each in grant.authority)
        )
    return seen[grant.id]


def _origin(connection: Connection, grant_id: str, interest: Interest, seen: dict[str, bool]) -> bool:
    grant = find_grant(connection, grant_id)
    return grant is not None and _comes_from(connection, grant, interest, seen)
