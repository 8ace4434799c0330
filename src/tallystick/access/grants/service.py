"""The verbs of grants. Each checks what the caller may do itself, so that pages, API and commands cannot differ."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_

from tallystick.access.grants.asking import (
    GLASS_MINUTES_MAX,
    MINUTE_US,
    acting_person,
    checked_end,
    checked_reason,
    extension_terms,
    glass_terms,
    is_operator,
    known_role,
    known_subject,
    requested_terms,
    setup_events,
)
from tallystick.access.grants.authority import authority_of, can_anybody_decide, interest_of
from tallystick.access.grants.errors import (
    GrantChangedError,
    GrantDecidedError,
    GrantNotActiveError,
    GrantTermsInvalidError,
    GrantUnknownError,
    OwnDecisionError,
    PersonRequiredError,
)
from tallystick.access.grants.events import asking, deciding, ending, expiring, succeeding
from tallystick.access.grants.hands import Hands
from tallystick.access.grants.history import History, holders, rights_from
from tallystick.access.grants.members import find_member
from tallystick.access.grants.model import Grant, Ground, Holder, State, Subject
from tallystick.access.grants.ports import AdminReading
from tallystick.access.grants.rights import RightsInForce
from tallystick.access.grants.rows import allowed_by, find_grant, in_force, load_grants, load_roles, of_subjects
from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.access.rights import Rights
from tallystick.errors import PermissionMissingError
from tallystick.follow.commands import Commands
from tallystick.follow.kept import Kept
from tallystick.follow.projection import Projection
from tallystick.store.tables.grants import GRANT

Events = list[dict[str, Any]]


class GrantService:
    """Grants of one installation; may be used from any thread.

    `now_us` is the time that decisions go by: never before the newest event in the log. Scopes are slash paths, the
    empty one is everything. A grant that the caller may not see is unknown to her.
    """

    def __init__(
        self,
        projection: Projection,
        commands: Commands,
        now_us: Callable[[], int],
        reading: AdminReading,
        history: History,
        glass_minutes_max: Callable[[], int] = lambda: GLASS_MINUTES_MAX,
    ) -> None:
        self._projection = projection
        self._commands = commands
        self._now_us = now_us
        self._reading = reading
        self._history = history
        self._glass_minutes_max = glass_minutes_max
        self._rights = RightsInForce(projection, now_us)
        self._glass: Kept[None, Sequence[Grant]] = Kept(projection, self._load_glass)

    def rights_of(self, person_id: str, groups: Collection[str], now_us: int) -> Rights:
        """Return the rights from every grant in force for a person or a group she is in; the same object until
        something about grants or roles changes. Says nothing about whether she may sign in.
        """
        return self._rights.of(person_id, groups, now_us)

    def lasting(self, connection: Connection, caller: Caller, until_us: int | None = None) -> Rights:
        """Return the rights of a caller without those that a broken glass alone gives, or that end before a time."""
        if caller.type != "user" or is_operator(caller):
            return caller.rights
        held = rights_from(connection, caller.id, self._now_us(), glass=False, until_us=until_us)
        return caller.rights.within(held)

    def request(self, caller: Caller, *, subject: Subject, role: str, scope: str, reason: str, until_us: int) -> str:
        """Ask for access and return the id of the grant that it would be."""
        caller = acting_person(caller)
        require(caller, Permission.GRANTS_REQUEST, scope)
        reason = checked_reason(reason)

        def decide(connection: Connection) -> Events:
            now_us = self._now_us()
            terms = requested_terms(connection, subject, role, scope, checked_end(until_us, now_us))
            made.append(terms.grant)
            return [asking(caller, "access.requested", terms, reason, now_us)]

        made: list[str] = []
        self._commands.run(decide)
        return made[-1]

    def extend(self, caller: Caller, grant_id: str, *, until_us: int, reason: str) -> str:
        """Ask for a grant in force to go on until later, and return the id of the new request."""
        caller = acting_person(caller)
        reason = checked_reason(reason)

        def decide(connection: Connection) -> Events:
            now_us = self._now_us()
            grant = _visible(connection, caller, grant_id)
            require(caller, Permission.GRANTS_REQUEST, grant.scope)
            terms = extension_terms(connection, grant, checked_end(until_us, now_us), now_us)
            made.append(terms.grant)
            return [asking(caller, "access.requested", terms, reason, now_us)]

        made: list[str] = []
        self._commands.run(decide)
        return made[-1]

    def break_glass(self, caller: Caller, *, role: str, scope: str, reason: str, minutes: int) -> str:
        """Take access at once, for so many minutes, and return the id of the grant."""
        if caller.type != "user" or is_operator(caller):
            raise PersonRequiredError("only a person who signed in can break the glass")
        require(caller, Permission.GRANTS_BREAK_GLASS, scope)
        reason = checked_reason(reason)
        most = self._glass_minutes_max()
        if not 1 <= minutes <= most:
            raise GrantTermsInvalidError(f"an emergency lasts 1 to {most} minutes", pointer="/minutes")

        def decide(connection: Connection) -> Events:
            now_us = self._now_us()
            terms = glass_terms(connection, caller.id, role, scope, now_us + minutes * MINUTE_US)
            made.append(terms.grant)
            return [asking(caller, "access.glass_broken", terms, reason, now_us)]

        made: list[str] = []
        self._commands.run(decide)
        return made[-1]

    def approve(self, caller: Caller, grant_id: str, *, reason: str = "") -> None:
        """Put what was asked for in force, until its end.

        Raises OwnDecisionError for who gains from it, GrantDecidedError for the second of two, and GrantChangedError
        where the role is no longer the one that was asked for.
        """
        caller = acting_person(caller)

        def decide(connection: Connection) -> Events:
            now_us = self._now_us()
            grant = _decidable(connection, caller, grant_id, now_us)
            authority = _authority(connection, caller, grant, now_us)
            if known_role(connection, grant.terms.role).permissions != grant.terms.permissions:
                raise GrantChangedError(f"role {grant.terms.role} has changed since it was asked for")
            known_subject(connection, grant.subject)
            events = [deciding(caller, "access.approved", grant, authority, reason.strip() or None, now_us)]
            if grant.terms.extends is not None:
                events += _succeeded(connection, caller, grant, now_us)
            return events

        self._commands.run(decide)

    def reject(self, caller: Caller, grant_id: str, *, reason: str) -> None:
        """Refuse what was asked for; raises as `approve` does."""
        caller = acting_person(caller)
        reason = checked_reason(reason)

        def decide(connection: Connection) -> Events:
            now_us = self._now_us()
            grant = _decidable(connection, caller, grant_id, now_us)
            authority = _authority(connection, caller, grant, now_us)
            return [deciding(caller, "access.rejected", grant, authority, reason, now_us)]

        self._commands.run(decide)

    def withdraw(self, caller: Caller, grant_id: str) -> None:
        """Take a request back: by who asked, or by whom it is for."""
        caller = acting_person(caller)

        def decide(connection: Connection) -> Events:
            now_us = self._now_us()
            grant = _visible(connection, caller, grant_id)
            if not (_is_own(caller, grant) or is_operator(caller)):
                raise PermissionMissingError("only who asked, or gets the access, takes a request back")
            _undecided(grant, now_us)
            return [deciding(caller, "access.withdrawn", grant, (), None, now_us)]

        self._commands.run(decide)

    def revoke(self, caller: Caller, grant_id: str, *, reason: str) -> None:
        """End a grant in force at once. Everybody may give up what is hers alone."""
        caller = acting_person(caller)
        reason = checked_reason(reason)

        def decide(connection: Connection) -> Events:
            now_us = self._now_us()
            grant = _visible(connection, caller, grant_id)
            if grant.subject != Subject("person", caller.id):
                require(caller, Permission.GRANTS_REVOKE, grant.scope)
            if grant.state(now_us) is not State.ACTIVE:
                raise GrantNotActiveError(f"grant {grant_id} is {grant.state(now_us)}")
            return [ending(caller, grant, reason, now_us)]

        self._commands.run(decide)

    def list(self, caller: Caller, *, state: State | None = None, subject: Subject | None = None) -> Sequence[Grant]:
        """Return the grants that the caller may see, the newest request first: where she may see access, and her own.

        Raises PermissionMissingError for a service that may not see access anywhere.
        """
        sees = caller.rights.scopes(Permission.ACCESS_READ)
        if caller.type != "user" and not sees:
            raise PermissionMissingError(f"this needs the permission {Permission.ACCESS_READ}")
        if sees:
            self._reading.looked(caller, "grants")
        conditions = [] if subject is None else [of_subjects([subject])]
        if "" not in sees:
            conditions.append(_seen_by(caller, sees))
        now_us = self._now_us()
        with self._projection.engine.connect() as connection:
            found = load_grants(connection, *conditions)
        return [grant for grant in found if state is None or grant.state(now_us) is state]

    def get(self, caller: Caller, grant_id: str) -> Grant:
        """Return a grant with the steps of its life. Raises GrantUnknownError."""
        with self._projection.engine.connect() as connection:
            grant = _visible(connection, caller, grant_id)
        if not _is_own(caller, grant):
            self._reading.looked(caller, f"grant {grant_id}", grant.scope)
        return grant

    def open_glass(self, caller: Caller) -> Sequence[Grant]:
        """Return the broken glass that is in force: the caller's own, and all of it where she may see access."""
        now_us = self._now_us()
        return [each for each in self._glass.get(None) if each.state(now_us) is State.ACTIVE and _may_see(caller, each)]

    def _load_glass(self, connection: Connection, _key: None) -> Sequence[Grant]:
        return load_grants(connection, in_force(self._now_us()), GRANT.c.ground == Ground.GLASS.value)

    def who_could(self, caller: Caller, permission: Permission, scope: str, at_us: int) -> Sequence[Holder]:
        """Return who could do something in a scope, or a part of it, at a time: answered from the log alone."""
        require(caller, Permission.ACCESS_READ, scope)
        self._reading.looked(caller, f"who could {permission}", scope)
        with self._history.at(at_us) as connection:
            return holders(connection, permission, scope, at_us)

    def names(self, people: Collection[str]) -> Mapping[str, str]:
        """Return what people are called, for who may see grants that name them; unknown ids are left out."""
        with self._projection.engine.connect() as connection:
            return {each.id: each.name for each in map(partial(find_member, connection), set(people)) if each}

    def bootstrap_events(self, person_id: str, now_us: int) -> Sequence[dict[str, Any]]:
        """Return the events that make a person the first administrator."""
        return setup_events(person_id, now_us)

    def leaving_events(
        self, connection: Connection, caller: Caller, person_id: str, now_us: int
    ) -> Sequence[dict[str, Any]]:
        """Return the events that end all that a leaver holds herself and take back what was asked for her."""
        grants = load_grants(connection, of_subjects([Subject("person", person_id)]))
        ended = [ending(caller, each, None, now_us) for each in grants if each.state(now_us) is State.ACTIVE]
        asked = (each for each in grants if each.state(now_us) is State.REQUESTED)
        return [*ended, *(deciding(caller, "access.withdrawn", each, (), None, now_us) for each in asked)]

    def exceeding_events(
        self, connection: Connection, caller: Caller, person_id: str, maker: str, now_us: int
    ) -> Sequence[dict[str, Any]]:
        """Return the events that end what a person holds herself and the maker of a way into her account does not."""
        roles, held = load_roles(connection), rights_from(connection, maker, now_us, glass=False)
        grants = load_grants(connection, in_force(now_us), of_subjects([Subject("person", person_id)]))
        return [
            ending(caller, grant, f"{maker}, who may do less, has made a way into the account", now_us)
            for grant in grants
            if not all(held.allows(permission, grant.scope) for permission in allowed_by(grant, roles))
        ]

    def notice_expired(self) -> None:
        """Write down which grants ran out. They allowed nothing since then, whether this runs or not."""
        if self._ran_out(self._now_us()):
            self._commands.run(lambda _: [expiring(each, self._now_us()) for each in self._ran_out(self._now_us())])

    def _ran_out(self, now_us: int) -> Sequence[Grant]:
        undecided = or_(GRANT.c.decision.is_(None), GRANT.c.decision == "approved")
        unnoticed = and_(GRANT.c.expiry_index.is_(None), GRANT.c.ended.is_(None), GRANT.c.until_at <= now_us)
        with self._projection.engine.connect() as connection:
            return load_grants(connection, undecided, unnoticed)


def _may_see(caller: Caller, grant: Grant) -> bool:
    return _is_own(caller, grant) or caller.rights.allows(Permission.ACCESS_READ, grant.scope)


def _is_own(caller: Caller, grant: Grant) -> bool:
    return caller.id == grant.requester or grant.subject == Subject("person", caller.id)


def _seen_by(caller: Caller, scopes: Sequence[str]) -> ColumnElement[bool]:
    own = [of_subjects([Subject("person", caller.id)]), GRANT.c.requester == caller.id]
    below = [GRANT.c.scope.startswith(f"{scope}/", autoescape=True) for scope in scopes]
    return or_(*own, GRANT.c.scope.in_(scopes), *below)


def _visible(connection: Connection, caller: Caller, grant_id: str) -> Grant:
    grant = find_grant(connection, grant_id)
    if grant is None or not _may_see(caller, grant):
        raise GrantUnknownError(f"there is no grant {grant_id[:64]!r}")
    return grant


def _undecided(grant: Grant, now_us: int) -> None:
    state = grant.state(now_us)
    if state is not State.REQUESTED:
        raise GrantDecidedError(f"the request {grant.id} is {state} already")


def _decidable(connection: Connection, caller: Caller, grant_id: str, now_us: int) -> Grant:
    """Return a request that the caller could decide about as far as her permissions go."""
    grant = _visible(connection, caller, grant_id)
    require(caller, Permission.GRANTS_APPROVE, grant.scope)
    _undecided(grant, now_us)
    return grant


def _authority(connection: Connection, caller: Caller, grant: Grant, now_us: int) -> tuple[str, ...]:
    """Return the grants by which the caller may decide, or raise OwnDecisionError.

    The operator has none and needs none, except for what was asked for at the command line: that she decides alone
    only while there is nobody else who could.
    """
    interest = interest_of(connection, grant)
    if is_operator(caller):
        if caller.id in interest.people and can_anybody_decide(connection, grant.scope, now_us, interest):
            raise OwnDecisionError("this was asked for here, and there are people who can decide")
        return ()
    if caller.id in interest.people:
        raise OwnDecisionError("nobody decides about access that she asked for or gets")
    if Hands(connection, {caller.id}).are_in(grant.requester):
        raise OwnDecisionError("nobody decides what was asked for with an account that she gave access to")
    authority = authority_of(connection, caller.id, grant.scope, now_us, interest)
    if not authority:
        raise OwnDecisionError("your authority to decide comes from those who gain from this request, or from no grant")
    return authority


def _succeeded(connection: Connection, caller: Caller, grant: Grant, now_us: int) -> Events:
    """Return the event that ends the grant which another goes on from; one that was ended cannot go on."""
    assert grant.terms.extends is not None
    before = find_grant(connection, grant.terms.extends)
    state = None if before is None else before.state(now_us)
    if before is not None and state is State.ACTIVE:
        return [succeeding(caller, before, grant.id, now_us)]
    if state is State.EXPIRED:
        return []
    raise GrantNotActiveError(f"grant {grant.terms.extends} is {state}: it cannot go on")
