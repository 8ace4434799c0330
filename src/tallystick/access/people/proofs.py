"""Checking what somebody gives to show who she is; nothing here changes anything but the count of tries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from sqlalchemy import Connection, select

from tallystick.access.people.attempts import Attempts, Key, site_of
from tallystick.access.people.book import Book
from tallystick.access.people.devices import known_device
from tallystick.access.people.errors import SignInRefusedError
from tallystick.access.people.failures import FailureLog
from tallystick.access.people.model import Visit
from tallystick.access.people.passwords import Hasher
from tallystick.access.people.totp import code_number, step_of
from tallystick.store.tables.people import CREDENTIAL, PERSON, RECOVERY_CODE_USED, SESSION


@dataclass(frozen=True, slots=True)
class Proof:
    """What was shown: by which means, and which facts its event has to carry so that nothing counts twice."""

    method: str
    credential: str
    totp_step: int | None = None
    recovery: tuple[str, int] | None = None


class Proofs:
    """Passwords, codes and recovery codes, counted and timed alike whether the account exists or not."""

    def __init__(self, book: Book, hasher: Hasher, attempts: Attempts, failures: FailureLog) -> None:
        self._book = book
        self._hasher = hasher
        self._attempts = attempts
        self._failures = failures

    def keys(self, person: str, account: str, visit: Visit) -> list[Key]:
        """Return what tries from there at this account are counted by; a known device only by itself."""
        device = known_device(self._book, person, visit.device)
        if device is not None and person:
            return [("device", device)]
        site = site_of(visit.address)
        keys: list[Key] = [("pair", f"{account} {site}"), ("address", site)]
        return keys if self._is_known_address(person, visit) else [*keys, ("person", account)]

    def password(self, person: str, password: str, visit: Visit, keys: Sequence[Key]) -> Proof:
        """Return the proof that a password gives; raises SignInRefusedError after the same work in every case."""
        self._attempts.enter(keys)
        with self._book.projection.engine.connect() as connection:
            enabled = _is_enabled(connection, person)
            secret = self._book.in_force(connection, "password", person, self._book.now_us())
        fits = self._hasher.matches(password, secret.record if secret and enabled else None)
        if not fits or secret is None:
            self.refuse(person, visit, "password")
        return Proof("password", secret.name)

    def totp(self, person: str, code: str, visit: Visit, keys: Sequence[Key]) -> Proof:
        """Return the proof that six digits give. The event must still find its step newer than the last one used."""
        self._attempts.enter(keys)
        now = self._book.now_us()
        with self._book.projection.engine.connect() as connection:
            secret = self._book.in_force(connection, "totp", person, now)
            enabled = _is_enabled(connection, person)
        step = step_of(secret.record.decode(), code, now) if secret and enabled else None
        if secret is None or step is None:
            self.refuse(person, visit, "totp")
        return Proof("totp", secret.name, totp_step=step)

    def recovery(self, person: str, code: str, visit: Visit, keys: Sequence[Key]) -> Proof:
        """Return the proof that a recovery code gives. The event must still find it unused."""
        self._attempts.enter(keys)
        with self._book.projection.engine.connect() as connection:
            secret = self._book.in_force(connection, "recovery", person, self._book.now_us())
            enabled = _is_enabled(connection, person)
        number = code_number(secret, code) if secret and enabled else None
        if secret is None or number is None:
            self.refuse(person, visit, "recovery")
        return Proof("recovery", secret.name, recovery=(secret.name, number))

    def require_unused(self, connection: Connection, person: str, proof: Proof, row: Any) -> None:
        """Raise SignInRefusedError when the proof is no longer one: used meanwhile, or its credential replaced."""
        still = select(CREDENTIAL.c.name).where(CREDENTIAL.c.name == proof.credential, CREDENTIAL.c.person == person)
        if connection.execute(still).first() is None:
            raise _refusal()
        if proof.totp_step is not None and row.totp_step is not None and proof.totp_step <= row.totp_step:
            raise _refusal()
        if proof.recovery is not None:
            name, number = proof.recovery
            used = select(RECOVERY_CODE_USED).where(
                RECOVERY_CODE_USED.c.credential == name, RECOVERY_CODE_USED.c.number == number
            )
            if connection.execute(used).first() is not None:
                raise _refusal()

    def refuse(self, person: str, visit: Visit, method: str) -> NoReturn:
        """Record a failure and raise SignInRefusedError."""
        self._failures.record(person or None, visit, method)
        raise _refusal()

    def succeeded(self, keys: Sequence[Key], cost: int) -> None:
        """Forget the tries of who came in after so many steps."""
        self._attempts.succeeded(keys, cost)

    def _is_known_address(self, person: str, visit: Visit) -> bool:
        query = select(SESSION.c.session).where(SESSION.c.person == person, SESSION.c.address == visit.address).limit(1)
        with self._book.projection.engine.connect() as connection:
            return connection.execute(query).first() is not None


def _is_enabled(connection: Connection, person: str) -> bool:
    query = select(PERSON.c.person).where(PERSON.c.person == person, PERSON.c.disabled_index.is_(None))
    return connection.execute(query).first() is not None


def _refusal() -> SignInRefusedError:
    return SignInRefusedError("this does not sign anybody in")
