"""What everybody does with their own account: password, second factor, recovery codes."""

from __future__ import annotations

import secrets as randomness

from sqlalchemy import Connection, func, select

from tallystick.access.acts import Target, act
from tallystick.access.model import Caller
from tallystick.access.people.book import Book, Event
from tallystick.access.people.creation import password_set
from tallystick.access.people.errors import CodeWrongError, NotAPersonError, SecondFactorError
from tallystick.access.people.model import Person, Seed, new_id
from tallystick.access.people.passwords import Hasher, check_password
from tallystick.access.people.rows import has, person_of
from tallystick.access.people.sessions import SessionService
from tallystick.access.people.totp import CODES, codes_record, new_codes, new_seed, seed_uri, step_of
from tallystick.store.secrets import NONCE_BYTES, Secret
from tallystick.store.tables.people import CREDENTIAL, RECOVERY_CODE_USED


class AccountService:
    """A person's own account; may be used from any thread. Whatever weakens or replaces a proof needs a fresh session."""

    def __init__(self, book: Book, hasher: Hasher, sessions: SessionService) -> None:
        self._book = book
        self._hasher = hasher
        self._sessions = sessions

    def me(self, caller: Caller) -> Person:
        """Return the caller's own account. Raises NotAPersonError."""
        with self._book.projection.engine.connect() as connection:
            return _own(connection, caller)

    def change_password(self, caller: Caller, password: str) -> None:
        """Set a new password; every other session of the caller ends.

        Raises ReauthenticationNeededError, PasswordWeakError.
        """
        me = self.me(caller)
        self._sessions.require_fresh(caller)
        check_password(password, [me.handle, me.email])
        secret = self._book.prepare("password", self._hasher.hash(password))

        def decide(connection: Connection) -> list[Event]:
            now = self._book.now_us()
            others = self._sessions.ending(connection, caller, me.id, now, spared=caller.session)
            return [password_set(caller, me.id, secret, now), *others]

        self._book.run(decide, activates=[secret])
        self._book.sweep("password")
        self._sessions.forget_ended()

    def start_totp(self, caller: Caller) -> Seed:
        """Return a fresh seed for an authenticator; it counts once a code of it is confirmed.

        Raises ReauthenticationNeededError, SecondFactorError when one is on.
        """
        me = self.me(caller)
        self._sessions.require_fresh(caller)
        if me.has_totp:
            raise SecondFactorError("a second factor is on already", advice="Switch it off first.")
        seed = new_seed()
        secret = self._book.prepare("totp", seed.encode())
        return Seed(secret.name, seed, seed_uri(seed, me.handle or me.id, "Tallystick"))

    def confirm_totp(self, caller: Caller, name: str, code: str) -> list[str]:
        """Switch the second factor on with a code from the authenticator, and return recovery codes, shown once.

        Raises CodeWrongError, SecondFactorError, ReauthenticationNeededError.
        """
        me = self.me(caller)
        self._sessions.require_fresh(caller)
        secret = self._book.secrets.find("totp", name)
        if secret is None:
            raise SecondFactorError("this seed is not known any more", advice="Begin again.")
        step = step_of(secret.record.decode(), code, self._book.now_us())
        if step is None:
            raise CodeWrongError("this is not the code that the authenticator shows now", pointer="/code")
        codes, recovery = self._prepare_codes()

        def decide(connection: Connection) -> list[Event]:
            now = self._book.now_us()
            taken = select(CREDENTIAL.c.name).where(CREDENTIAL.c.name == name)
            if has(connection, me.id, "totp") or connection.execute(taken).first() is not None:
                raise SecondFactorError("a second factor is on already")
            metadata = {"person": me.id, "credential": name, "digest": secret.digest, "totp_step": step}
            enabled = act(caller, "access.totp_enabled", Target("person", me.id, me.name), metadata, now)
            return [enabled, _codes_made(caller, me, recovery, now)]

        self._book.run(decide, activates=[recovery])
        for kind in ("totp", "recovery"):
            self._book.sweep(kind)
        return codes

    def disable_totp(self, caller: Caller) -> None:
        """Switch the second factor off, and its recovery codes with it.

        Raises ReauthenticationNeededError, SecondFactorError.
        """
        me = self.me(caller)
        self._sessions.require_fresh(caller)

        def decide(connection: Connection) -> list[Event]:
            _require_totp(connection, me)
            target = Target("person", me.id, me.name)
            return [act(caller, "access.totp_disabled", target, {"person": me.id}, self._book.now_us())]

        self._book.run(decide)
        for kind in ("totp", "recovery"):
            self._book.sweep(kind)

    def new_recovery_codes(self, caller: Caller) -> list[str]:
        """Return fresh recovery codes, shown once; those made before are void.

        Raises ReauthenticationNeededError, SecondFactorError.
        """
        me = self.me(caller)
        self._sessions.require_fresh(caller)
        codes, recovery = self._prepare_codes()

        def decide(connection: Connection) -> list[Event]:
            _require_totp(connection, me)
            return [_codes_made(caller, me, recovery, self._book.now_us())]

        self._book.run(decide, activates=[recovery])
        self._book.sweep("recovery")
        return codes

    def codes_left(self, caller: Caller) -> int:
        """Return how many recovery codes the caller has left."""
        with self._book.projection.engine.connect() as connection:
            made = select(CREDENTIAL.c.name).where(CREDENTIAL.c.person == caller.id, CREDENTIAL.c.kind == "recovery")
            name = connection.scalar(made)
            used = select(func.count()).where(RECOVERY_CODE_USED.c.credential == name)
            return CODES - (connection.scalar(used) or 0) if name else 0

    def _prepare_codes(self) -> tuple[list[str], Secret]:
        codes, nonce = new_codes(), randomness.token_bytes(NONCE_BYTES)
        secret = Secret("recovery", new_id("c"), nonce, codes_record(nonce, codes))
        self._book.secrets.save(secret)
        return codes, secret


def _own(connection: Connection, caller: Caller) -> Person:
    if caller.session is None:
        raise NotAPersonError("only a person who signed in has an account of her own")
    return person_of(connection, caller.id)


def _require_totp(connection: Connection, me: Person) -> None:
    if not has(connection, me.id, "totp"):
        raise SecondFactorError("no second factor is on")


def _codes_made(caller: Caller, me: Person, secret: Secret, now_us: int) -> Event:
    metadata = {"person": me.id, "credential": secret.name, "digest": secret.digest, "count": CODES}
    return act(caller, "access.recovery_codes_made", Target("person", me.id, me.name), metadata, now_us)
