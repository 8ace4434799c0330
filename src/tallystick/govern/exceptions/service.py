"""The verbs of exceptions. Each checks what the caller may do itself, so that pages, API and commands cannot differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, or_

from tallystick.access.grants.asking import acting_person, is_operator
from tallystick.access.grants.deciding import require_another
from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.errors import PermissionMissingError
from tallystick.follow.commands import Commands
from tallystick.follow.kept import Kept
from tallystick.follow.projection import Projection
from tallystick.govern.exceptions import events
from tallystick.govern.exceptions.check import REASON_CHARS_MAX, checked_text, terms_of
from tallystick.govern.exceptions.errors import (
    ExceptionDecidedError,
    ExceptionNotActiveError,
    ExceptionUnknownError,
)
from tallystick.govern.exceptions.events import WORD
from tallystick.govern.exceptions.model import ExceptionInForce, ExceptionRecord, Kind, Risk, State, Wish
from tallystick.govern.exceptions.rows import find_exception, load_exceptions, of_subject
from tallystick.govern.exceptions.uses import Uses
from tallystick.govern.ports import GovernPorts
from tallystick.store.tables.exceptions import EXCEPTION

Events = Sequence[Mapping[str, Any]]
DAYS_MAX = "exceptions.days_max"
"""The setting of how long an exception may last."""
LOOKED = "exceptions"
"""The place that looks at exceptions are recorded under."""
_GOING_ON = frozenset({State.ACTIVE, State.AGREED})


class ExceptionService:
    """The exceptions of one installation; may be used from any thread.

    An exception that the caller may not see is unknown to her. The time that decisions and ends go by is that of the
    log: never before its newest event.
    """

    def __init__(self, projection: Projection, commands: Commands, uses: Uses, ports: GovernPorts) -> None:
        self._projection = projection
        self._commands = commands
        self._uses = uses
        self._ports = ports
        self._approved: Kept[tuple[Kind, str], Sequence[ExceptionRecord]] = Kept(projection, _load_approved, (WORD,))

    def in_force(
        self, kind: Kind | str, subject: str, scope: str, now_us: int, connection: Connection | None = None
    ) -> tuple[ExceptionInForce, ...]:
        """Return the exceptions that hold for a subject in a scope at a time, the one that ends last first.

        With the connection of a decision they are read through it; otherwise from memory, until the tables change.
        """
        key = (Kind(kind), subject)
        found = self._approved.get(key) if connection is None else _load_approved(connection, key)
        holding = [each for each in found if each.covers(scope, now_us)]
        holding.sort(key=lambda each: each.terms.until_us, reverse=True)
        return tuple(ExceptionInForce(each.id, each.terms.query, each.terms.until_us) for each in holding)

    def used(self, exception: str, count: int, occasion: str) -> None:
        """Count what was done under an exception; durable on return, and on record within the hour.

        The same occasion counts once, however often it is told.
        """
        self._uses.add(exception, count, occasion)

    def request(self, caller: Caller, wish: Wish) -> str:
        """Ask for an exception and return its id. Raises ExceptionInvalidError, PermissionMissingError."""
        caller = acting_person(caller)
        require(caller, Permission.EXCEPTIONS_REQUEST, wish.scope)

        def decide(_: Connection) -> Events:
            now_us = self._ports.now_us()
            terms = terms_of(wish, now_us, self._ports.count(DAYS_MAX))
            made.append(terms.exception)
            return [events.requested(caller, terms, now_us)]

        made: list[str] = []
        self._commands.run(decide)
        return made[-1]

    def extend(
        self, caller: Caller, exception: str, *, until_us: int, justification: str, control: str, risk: Risk
    ) -> str:
        """Ask for an exception to go on after its end, and return the id of the new request: a new decision.

        Raises ExceptionNotActiveError for one that has ended, or is followed already.
        """
        caller = acting_person(caller)

        def decide(connection: Connection) -> Events:
            now_us = self._ports.now_us()
            record = self._visible(connection, caller, exception)
            terms = record.terms
            require(caller, Permission.EXCEPTIONS_REQUEST, terms.scope)
            if record.state(now_us) not in _GOING_ON or record.extended_by is not None:
                raise ExceptionNotActiveError(f"exception {exception} is not one that can go on")
            if terms.narrowed and terms.query is None:
                raise ExceptionNotActiveError("what it was narrowed to was erased; ask for a new one")
            wish = Wish(
                terms.kind, terms.subject, terms.scope, justification, control, risk, until_us, query=terms.query
            )
            made.append(terms_of(wish, now_us, self._ports.count(DAYS_MAX), record))
            return [events.requested(caller, made[-1], now_us)]

        made: list[Any] = []
        self._commands.run(decide)
        following: str = made[-1].exception
        return following

    def approve(self, caller: Caller, exception: str, digest: str, *, reason: str = "") -> None:
        """Agree to exactly what the digest stands for. Raises OwnDecisionError, ExceptionDecidedError."""
        caller = acting_person(caller)
        given = checked_text(reason, "/reason", "a reason", REASON_CHARS_MAX) if reason.strip() else None

        def decide(connection: Connection) -> Events:
            now_us = self._ports.now_us()
            record = self._decidable(connection, caller, exception, now_us)
            if digest != record.digest or record.terms.digest != record.digest:
                raise ExceptionDecidedError("this is not what was asked for, or a part of it was erased since")
            made = [events.decided(caller, events.APPROVED, record, given, now_us)]
            if record.terms.extends is not None:
                before = find_exception(connection, record.terms.extends)
                if before is None or before.extended_by is not None or before.state(now_us) is State.REVOKED:
                    raise ExceptionDecidedError("the exception that it extends was revoked, or goes on already")
                made.append(events.extended(caller, before, record.id, now_us))
            return made

        self._commands.run(decide)

    def reject(self, caller: Caller, exception: str, *, reason: str) -> None:
        """Refuse what somebody else asked for. Raises as `approve` does."""
        caller = acting_person(caller)
        reason = checked_text(reason, "/reason", "a reason", REASON_CHARS_MAX)

        def decide(connection: Connection) -> Events:
            now_us = self._ports.now_us()
            record = self._decidable(connection, caller, exception, now_us)
            return [events.decided(caller, events.REJECTED, record, reason, now_us)]

        self._commands.run(decide)

    def withdraw(self, caller: Caller, exception: str) -> None:
        """Take one's own request back."""
        caller = acting_person(caller)

        def decide(connection: Connection) -> Events:
            now_us = self._ports.now_us()
            record = self._visible(connection, caller, exception)
            if record.requester != caller.id and not is_operator(caller):
                raise PermissionMissingError("only who asked takes a request back")
            _undecided(record, now_us)
            return [events.decided(caller, events.WITHDRAWN, record, None, now_us)]

        self._commands.run(decide)

    def revoke(self, caller: Caller, exception: str, *, reason: str) -> None:
        """End an exception at once, and what was agreed to go on after it: by who may approve one, or who asked for it."""
        caller = acting_person(caller)
        reason = checked_text(reason, "/reason", "a reason", REASON_CHARS_MAX)

        def decide(connection: Connection) -> Events:
            now_us = self._ports.now_us()
            record = self._visible(connection, caller, exception)
            if record.requester != caller.id:
                require(caller, Permission.EXCEPTIONS_APPROVE, record.terms.scope)
            if record.state(now_us) not in _GOING_ON:
                raise ExceptionNotActiveError(f"exception {exception} is {record.state(now_us)}")
            return [events.revoked(caller, each, reason, now_us) for each in _with_following(connection, record)]

        self._commands.run(decide)

    def list(
        self,
        caller: Caller,
        *,
        scope: str = "",
        state: State | None = None,
        kind: Kind | None = None,
        subject: str | None = None,
    ) -> Sequence[ExceptionRecord]:
        """Return the exceptions in a scope and below it that the caller may see, the newest request first: where she may
        read the register, and her own. The look is recorded.
        """
        sees = caller.rights.scopes(Permission.EXCEPTIONS_READ)
        if not sees:
            require(caller, Permission.EXCEPTIONS_READ)
        conditions = [_within(scope), or_(EXCEPTION.c.requester == caller.id, *(_within(each) for each in sees))]
        if kind is not None:
            conditions.append(EXCEPTION.c.kind == kind.value)
        if subject is not None:
            conditions.append(EXCEPTION.c.subject == subject)
        now_us = self._ports.now_us()
        with self._projection.engine.connect() as connection:
            found = load_exceptions(connection, *conditions)
        self._ports.looked(caller, LOOKED, scope if caller.rights.allows(Permission.EXCEPTIONS_READ, scope) else "")
        return [each for each in found if state is None or each.state(now_us) is state]

    def get(self, caller: Caller, exception: str) -> ExceptionRecord:
        """Return an exception with its history; the look is recorded. Raises ExceptionUnknownError."""
        with self._projection.engine.connect() as connection:
            record = self._visible(connection, caller, exception)
        if record.requester != caller.id:
            self._ports.looked(caller, LOOKED, record.terms.scope)
        return record

    def now_us(self) -> int:
        """Return the time that states and ends go by."""
        return self._ports.now_us()

    def may_decide(self, caller: Caller, record: ExceptionRecord) -> bool:
        """Return whether a page offers the caller to decide; the decision itself asks again, and more."""
        allowed = caller.rights.allows(Permission.EXCEPTIONS_APPROVE, record.terms.scope)
        return allowed and caller.id != record.requester

    def _visible(self, connection: Connection, caller: Caller, exception: str) -> ExceptionRecord:
        record = find_exception(connection, exception)
        if record is None or not (
            record.requester == caller.id or caller.rights.allows(Permission.EXCEPTIONS_READ, record.terms.scope)
        ):
            raise ExceptionUnknownError(f"there is no exception {exception[:40]!r}")
        return record

    def _decidable(self, connection: Connection, caller: Caller, exception: str, now_us: int) -> ExceptionRecord:
        """Return a request that the caller may decide about: not her own, nor of who asked for what it extends."""
        record = self._visible(connection, caller, exception)
        scope = record.terms.scope
        require(caller, Permission.EXCEPTIONS_APPROVE, scope)
        _undecided(record, now_us)
        asked = _requesters(connection, record)
        require_another(connection, caller, Permission.EXCEPTIONS_APPROVE, scope, now_us, asked)
        return record


def _undecided(record: ExceptionRecord, now_us: int) -> None:
    if record.state(now_us) is not State.REQUESTED:
        raise ExceptionDecidedError(f"exception {record.id} is {record.state(now_us)}")


def _requesters(connection: Connection, record: ExceptionRecord) -> set[str]:
    """Return who asked for an exception, and for those that it goes on after: two who take turns decide for themselves."""
    asked, at = {record.requester}, record.terms.extends
    while at is not None and (before := find_exception(connection, at)) is not None:
        asked.add(before.requester)
        at = before.terms.extends
    return asked


def _with_following(connection: Connection, record: ExceptionRecord) -> list[ExceptionRecord]:
    """Return an exception and those that were agreed to go on after it, one after the other."""
    chain = [record]
    while (following := chain[-1].extended_by) is not None:
        found = find_exception(connection, following)
        if found is None or found.revoked_at is not None:
            break
        chain.append(found)
    return chain


def _load_approved(connection: Connection, key: tuple[Kind, str]) -> Sequence[ExceptionRecord]:
    return load_exceptions(connection, *of_subject(*key))


def _within(scope: str) -> ColumnElement[bool]:
    if not scope:
        return EXCEPTION.c.scope.is_not(None)
    return or_(EXCEPTION.c.scope == scope, EXCEPTION.c.scope.startswith(f"{scope}/", autoescape=True))
