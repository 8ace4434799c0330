"""The first account: whoever opens the one-time link makes it, and nobody else can."""

from __future__ import annotations

from sqlalchemy import Connection

from tallystick.access.acts import Target, act
from tallystick.access.operator import OPERATOR
from tallystick.access.people.acting import acting
from tallystick.access.people.book import Book, Event
from tallystick.access.people.creation import password_set, person_created, require_free
from tallystick.access.people.errors import SetupDoneError
from tallystick.access.people.links import SETUP_US, find_link, new_link
from tallystick.access.people.model import Link, Profile, SignedIn, Visit, new_id, parse_profile
from tallystick.access.people.passwords import Hasher, check_password
from tallystick.access.people.ports import Bootstrap
from tallystick.access.people.rows import anybody
from tallystick.access.people.sessions import SessionService


class SetupLink:
    """Makes and redeems the link. It exists only while nobody can sign in."""

    def __init__(self, book: Book, hasher: Hasher, sessions: SessionService, bootstrap: Bootstrap) -> None:
        self._book = book
        self._hasher = hasher
        self._sessions = sessions
        self._bootstrap = bootstrap

    def is_needed(self) -> bool:
        """Return whether there is nobody who could sign in."""
        with self._book.projection.engine.connect() as connection:
            return not anybody(connection)

    def make(self) -> Link:
        """Return a new link, in force for a day; one made before opens nothing any more. Raises SetupDoneError."""
        token, secret = new_link(self._book, "setup")
        until = self._book.now_us() + SETUP_US

        def decide(connection: Connection) -> list[Event]:
            if anybody(connection):
                raise SetupDoneError("somebody can sign in already")
            metadata = {"credential": secret.name, "digest": secret.digest, "until": until}
            target = Target("ledger", "setup")
            return [act(OPERATOR, "access.setup_link_made", target, metadata, self._book.now_us())]

        self._book.run(decide, activates=[secret])
        self._book.sweep("setup")
        return Link(token, until)

    def check(self, token: str) -> None:
        """Raise LinkInvalidError unless the link is in force; changes nothing."""
        with self._book.projection.engine.connect() as connection:
            find_link(self._book, connection, "setup", token, self._book.now_us())

    def complete(self, token: str, profile: Profile, password: str, visit: Visit) -> SignedIn:
        """Make the first account, give it the roles of the first administrator, and sign it in: all or nothing.

        Raises LinkInvalidError, PersonInvalidError, PasswordWeakError, SetupDoneError.
        """
        self.check(token)
        profile = parse_profile(profile.handle, profile.name, profile.email)
        check_password(password, [profile.handle, profile.email])
        person, caller_name = new_id("p"), profile.name
        secret = self._book.prepare("password", self._hasher.hash(password))
        new = self._sessions.prepare(person, "password", visit, self._book.now_us())

        def decide(connection: Connection) -> list[Event]:
            now = self._book.now_us()
            row = find_link(self._book, connection, "setup", token, now)
            if anybody(connection):
                raise SetupDoneError("somebody can sign in already")
            require_free(connection, profile.handle)
            caller = acting(person, visit, name=caller_name)
            completed = {"person": person, "credential": row.name}
            return [
                person_created(caller, person, profile, "setup", now),
                act(caller, "access.setup_completed", Target("person", person, profile.name), completed, now),
                password_set(caller, person, secret, now),
                *self._bootstrap(person, now),
                new.event,
            ]

        self._book.run(decide, activates=[secret, new.secret])
        self._book.sweep("setup")
        return new.signed_in
