"""How grants come into being: a request, a request to go on, the setup, a broken glass."""

from __future__ import annotations

import secrets as randomness
from typing import Any, Final

from sqlalchemy import Connection

from tallystick.access.grants.errors import (
    GrantNotActiveError,
    GrantTermsInvalidError,
    PersonRequiredError,
    RoleUnknownError,
    SubjectUnknownError,
)
from tallystick.access.grants.events import PRODUCT, asking
from tallystick.access.grants.members import find_by_handle, find_member
from tallystick.access.grants.model import Grant, Ground, State, Subject, Terms
from tallystick.access.grants.rows import load_roles
from tallystick.access.model import Caller
from tallystick.access.operator import OPERATOR
from tallystick.access.permissions import Permission
from tallystick.access.roles import BUILT_IN, RoleType

REASON_CHARS_MAX: Final = 1000
GROUP_CHARS_MAX: Final = 128
DAY_US: Final = 86_400 * 1_000_000
MINUTE_US: Final = 60 * 1_000_000
DAYS_MAX: Final = 366
GLASS_MINUTES_MAX: Final = 60
SETUP_ROLES: Final = ("administrator", "analyst")
#: What would let an emergency outlast its hour, or let somebody decide without having been chosen to.
LASTING: Final = frozenset(
    {
        Permission.GRANTS_APPROVE,
        Permission.GRANTS_REVOKE,
        Permission.GRANTS_BREAK_GLASS,
        Permission.ROLES_MANAGE,
        Permission.PEOPLE_MANAGE,
        Permission.TOKENS_MANAGE,
        Permission.TOKENS_CREATE_OWN,
        Permission.SOURCES_MANAGE,
        Permission.SETTINGS_MANAGE,
        Permission.STREAMS_MANAGE,
        Permission.POLICIES_APPROVE,
        Permission.RULES_APPROVE,
        Permission.SYSTEMS_APPROVE,
        Permission.EXCEPTIONS_APPROVE,
        Permission.RETENTION_APPROVE,
        Permission.REVIEWS_SIGN,
    }
)
_ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"
_ID_CHARS: Final = 12


def is_operator(caller: Caller) -> bool:
    """Return whether the caller holds the data directory itself."""
    return caller.via == OPERATOR.via


def acting_person(caller: Caller) -> Caller:
    """Return the person, or the operator whatever sender a command records as.

    Raises PersonRequiredError for a service: access is a matter between people.
    """
    if is_operator(caller):
        return OPERATOR
    if caller.type != "user":
        raise PersonRequiredError("a service cannot do this")
    return caller


def checked_reason(reason: str) -> str:
    """Return a reason without blanks around it; raises GrantTermsInvalidError for none, or a very long one."""
    reason = reason.strip()
    if not reason or len(reason) > REASON_CHARS_MAX:
        raise GrantTermsInvalidError(f"a reason has 1 to {REASON_CHARS_MAX:,} characters", pointer="/reason")
    return reason


def checked_end(until_us: int, now_us: int) -> int:
    """Return the end of a grant; raises GrantTermsInvalidError unless it lies ahead, and not too far."""
    if until_us <= now_us:
        raise GrantTermsInvalidError("the end lies in the past", pointer="/until")
    if until_us > now_us + DAYS_MAX * DAY_US:
        raise GrantTermsInvalidError(f"a grant lasts at most {DAYS_MAX} days", pointer="/until")
    return until_us


def known_role(connection: Connection, name: str) -> RoleType:
    """Return a role that can be asked for, or raise RoleUnknownError."""
    role = load_roles(connection).get(name)
    if role is None:
        raise RoleUnknownError(f"there is no role {name[:64]!r}")
    return role


def known_subject(connection: Connection, subject: Subject) -> Subject:
    """Return who may get access: a person who is not disabled, or a group. Raises SubjectUnknownError."""
    if subject.kind == "group":
        if not subject.id or len(subject.id) > GROUP_CHARS_MAX:
            raise SubjectUnknownError(f"a group is named with 1 to {GROUP_CHARS_MAX} characters", pointer="/subject")
        return subject
    member = find_member(connection, subject.id)
    if member is None or member.disabled:
        raise SubjectUnknownError(f"there is no person {subject.id[:64]!r} who can get access", pointer="/subject")
    return subject


def requested_terms(connection: Connection, subject: Subject, role: str, scope: str, until_us: int) -> Terms:
    """Return what a request is about: the role as it is now, and the id of a person who was named by her handle."""
    permissions = known_role(connection, role).permissions
    if subject.kind == "person" and (member := find_by_handle(connection, subject.id)) is not None:
        subject = Subject("person", member.id)
    return Terms(new_grant_id(), known_subject(connection, subject), role, permissions, scope, until_us)


def extension_terms(connection: Connection, grant: Grant, until_us: int, now_us: int) -> Terms:
    """Return what a request to go on is about. Raises GrantNotActiveError unless the grant is one that can."""
    if grant.state(now_us) is not State.ACTIVE or grant.ground is not Ground.DECISION:
        raise GrantNotActiveError(f"grant {grant.id} is not one in force that can go on")
    assert grant.terms.until_us is not None
    if until_us <= grant.terms.until_us:
        raise GrantTermsInvalidError("the new end is not later than the old one", pointer="/until")
    terms, permissions = grant.terms, known_role(connection, grant.terms.role).permissions
    return Terms(
        new_grant_id(),
        known_subject(connection, terms.subject),
        terms.role,
        permissions,
        terms.scope,
        until_us,
        grant.id,
    )


def glass_terms(connection: Connection, person: str, role: str, scope: str, until_us: int) -> Terms:
    """Return what a broken glass gives: the role without what would outlast the emergency."""
    permissions = known_role(connection, role).permissions - LASTING
    if not permissions:
        raise GrantTermsInvalidError(f"nothing of role {role} can be taken in an emergency", pointer="/role")
    subject = known_subject(connection, Subject("person", person))
    return Terms(new_grant_id(), subject, role, permissions, scope, until_us)


def setup_events(person: str, now_us: int) -> list[dict[str, Any]]:
    """Return the events that make a person the first administrator, of everything and without an end.

    She is an analyst too: while she is alone nobody could decide that she may read. Each can be revoked by itself.
    """
    roles = [BUILT_IN[name] for name in SETUP_ROLES]
    terms = [Terms(new_grant_id(), Subject("person", person), each.name, each.permissions, "", None) for each in roles]
    return [asking(PRODUCT, "access.set_up", each, None, now_us) for each in terms]


def new_grant_id() -> str:
    """Return a fresh id such as `g-7f3k2m9q4tab`."""
    return "g-" + "".join(randomness.choice(_ALPHABET) for _ in range(_ID_CHARS))
