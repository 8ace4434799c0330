"""Signing in: a password, then the second factor where one is on; each answer says only how far it got."""

from __future__ import annotations

import secrets as randomness
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from tallystick.access.acts import Target, act
from tallystick.access.model import Caller
from tallystick.access.people.acting import acting
from tallystick.access.people.attempts import Key
from tallystick.access.people.book import Book, Event
from tallystick.access.people.errors import SignInRefusedError
from tallystick.access.people.model import SignedIn, Step, Visit
from tallystick.access.people.policy import SignInPolicy
from tallystick.access.people.proofs import Proof, Proofs
from tallystick.access.people.rows import has
from tallystick.access.people.sessions import SessionService
from tallystick.store.tables.people import PERSON

TICKET_S: Final = 300.0
TICKETS_MAX: Final = 10_000


@dataclass(slots=True)
class _Pending:
    """A password was right; the second factor is awaited."""

    person: str
    keys: list[Key]
    first: Proof
    ends_at: float
    tries: int = 1


class SignInService:
    """Lets people in; may be used from any thread. Tickets live in memory: a restart asks for the password again."""

    def __init__(self, book: Book, proofs: Proofs, sessions: SessionService, policy: SignInPolicy) -> None:
        self._book = book
        self._proofs = proofs
        self._sessions = sessions
        self._policy = policy
        self._tickets: dict[str, _Pending] = {}
        self._lock = threading.Lock()

    def password(self, handle: str, password: str, visit: Visit) -> Step:
        """Return `done` with a session, or `totp` with a ticket. Raises SignInRefusedError, SignInSlowedError,
        LocalSignInOffError.
        """
        self._policy.require_local()
        folded = handle.strip().casefold()
        person = self._find(folded)
        keys = self._proofs.keys(person, self._book.mark("account", folded), visit)
        proof = self._proofs.password(person, password, visit, keys)
        with self._book.projection.engine.connect() as connection:
            # What the log says decides: a seed that vanished from secrets.db must not switch the second factor off.
            needs_second = has(connection, person, "totp")
        if not needs_second:
            return Step("done", signed_in=self._enter(person, visit, keys, [proof], 1))
        ticket = randomness.token_urlsafe(32)
        now = self._book.clock.monotonic_s()
        with self._lock:
            for old in [name for name, pending in self._tickets.items() if pending.ends_at <= now]:
                del self._tickets[old]
            if len(self._tickets) >= TICKETS_MAX:
                del self._tickets[next(iter(self._tickets))]
            self._tickets[ticket] = _Pending(person, keys, proof, now + TICKET_S)
        return Step("totp", ticket=ticket)

    def takes_passwords(self) -> bool:
        """Return whether passwords open accounts now."""
        return self._policy.local()

    def totp(self, ticket: str, code: str, visit: Visit) -> Step:
        """Return `done` with a session. Raises SignInRefusedError, SignInSlowedError."""
        return self._second(ticket, code, visit, self._proofs.totp)

    def recovery(self, ticket: str, code: str, visit: Visit) -> Step:
        """Return `done` with a session; the code is used up. Raises SignInRefusedError, SignInSlowedError."""
        return self._second(ticket, code, visit, self._proofs.recovery)

    def reauthenticate(self, caller: Caller, password: str, code: str, visit: Visit) -> None:
        """Make the caller's session fresh by her password, and by a code where a second factor is on."""
        keys = self._proofs.keys(caller.id, self._book.mark("account", caller.id), visit)
        shown = [self._proofs.password(caller.id, password, visit, keys)]
        with self._book.projection.engine.connect() as connection:
            needs_second = has(connection, caller.id, "totp")
        if needs_second:
            keys = _with_second(keys, caller.id)
            shown.append(self._proofs.totp(caller.id, code, visit, keys))

        def decide(connection: Connection) -> list[Event]:
            now = self._book.now_us()
            row = _enabled_row(connection, caller.id)
            for proof in shown:
                self._proofs.require_unused(connection, caller.id, proof, row)
            metadata = {"person": caller.id, "session": caller.session, "method": _method(shown), **_facts(shown)}
            target = Target("session", caller.session or "")
            return [act(caller, "access.reauthenticated", target, metadata, now)]

        self._decide(decide, caller.id, visit, shown)
        self._proofs.succeeded(keys, len(shown))

    def _second(
        self, ticket: str, code: str, visit: Visit, prove: Callable[[str, str, Visit, list[Key]], Proof]
    ) -> Step:
        self._policy.require_local()
        with self._lock:
            pending = self._tickets.get(ticket)
            if pending is None or pending.ends_at <= self._book.clock.monotonic_s():
                raise SignInRefusedError("this does not sign anybody in", advice="Begin again with your password.")
            pending.tries += 1
        keys = _with_second(pending.keys, pending.person)
        proof = prove(pending.person, code, visit, keys)
        with self._lock:
            if self._tickets.pop(ticket, None) is None:
                raise SignInRefusedError("this does not sign anybody in")
        return Step("done", signed_in=self._enter(pending.person, visit, keys, [pending.first, proof], pending.tries))

    def _enter(self, person: str, visit: Visit, keys: list[Key], shown: list[Proof], cost: int) -> SignedIn:
        new = self._sessions.prepare(person, _method(shown), visit, self._book.now_us(), **_facts(shown))

        def decide(connection: Connection) -> list[Event]:
            row = _enabled_row(connection, person)
            for proof in shown:
                self._proofs.require_unused(connection, person, proof, row)
            return [*_codes_used(person, visit, shown, self._book.now_us()), new.event]

        try:
            self._decide(decide, person, visit, shown)
        except BaseException:
            self._sessions.discard(new)
            raise
        self._proofs.succeeded(keys, cost)
        return new.signed_in

    def _decide(
        self, decide: Callable[[Connection], list[Event]], person: str, visit: Visit, shown: list[Proof]
    ) -> None:
        """Run a decision; a proof that was used meanwhile is a failed sign-in like any other."""
        try:
            self._book.run(decide)
        except SignInRefusedError:
            self._proofs.refuse(person, visit, shown[-1].method)

    def _find(self, handle: str) -> str:
        """Return the id of who has a handle, or an empty text."""
        with self._book.projection.engine.connect() as connection:
            found = connection.scalar(select(PERSON.c.person).where(PERSON.c.handle == handle))
        return found or ""


def _enabled_row(connection: Connection, person: str) -> Any:
    row = connection.execute(select(PERSON).where(PERSON.c.person == person, PERSON.c.disabled_index.is_(None))).first()
    if row is None:
        raise SignInRefusedError("this does not sign anybody in")
    return row


def _with_second(keys: list[Key], person: str) -> list[Key]:
    return keys if keys[0][0] == "device" else [*keys, ("second", person)]


def _method(shown: list[Proof]) -> str:
    return "+".join(proof.method for proof in shown)


def _facts(shown: list[Proof]) -> dict[str, Any]:
    steps = [proof.totp_step for proof in shown if proof.totp_step is not None]
    return {"totp_step": steps[-1]} if steps else {}


def _codes_used(person: str, visit: Visit, shown: list[Proof], now_us: int) -> list[Event]:
    return [
        act(
            acting(person, visit),
            "access.recovery_code_used",
            Target("person", person),
            {"person": person, "credential": proof.recovery[0], "number": proof.recovery[1]},
            now_us,
        )
        for proof in shown
        if proof.recovery is not None
    ]
