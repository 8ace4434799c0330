"""The verbs of those who manage people: look, invite, change, disable, enable, end sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from sqlalchemy import Connection

from tallystick.access.acts import Change, Target, act
from tallystick.access.model import Caller
from tallystick.access.people.acting import acting
from tallystick.access.people.book import Book, Event
from tallystick.access.people.creation import password_set, person_created, require_free
from tallystick.access.people.errors import NotAPersonError, PersonStateError
from tallystick.access.people.links import INVITATION_US, find_link, new_link
from tallystick.access.people.model import Link, Person, Profile, Session, SignedIn, Visit, new_id, parse_profile
from tallystick.access.people.passwords import Hasher, check_password
from tallystick.access.people.policy import SignInPolicy
from tallystick.access.people.ports import AdminReading, EndAccess, EndExceeding
from tallystick.access.people.rows import has, people_of, person_of, relinked_by
from tallystick.access.people.sessions import SessionService
from tallystick.access.permissions import Permission
from tallystick.access.require import require

_EVERYWHERE: Final = ""
Events = list[Event]
Before = Callable[[Connection, int], Events]


class PeopleService:
    """People of one installation; may be used from any thread. Managing them needs `people.manage` for everything.

    `endings` say what a leaver loses besides her sessions: tokens and grants; `exceeding` what an account loses when
    somebody who may do less could get into it.
    """

    def __init__(
        self,
        book: Book,
        hasher: Hasher,
        sessions: SessionService,
        reading: AdminReading,
        endings: tuple[EndAccess, ...],
        exceeding: EndExceeding,
        policy: SignInPolicy,
    ) -> None:
        self._book = book
        self._hasher = hasher
        self._sessions = sessions
        self._reading = reading
        self._endings = endings
        self._exceeding = exceeding
        self._policy = policy

    def list(self, caller: Caller) -> Sequence[Person]:
        """Return everybody, in the order in which they came; needs `access.read`. The look is recorded."""
        require(caller, Permission.ACCESS_READ)
        self._reading.looked(caller, "people")
        with self._book.projection.engine.connect() as connection:
            return people_of(connection)

    def get(self, caller: Caller, person: str) -> Person:
        """Return one person; needs `access.read` unless it is the caller. Raises PersonUnknownError."""
        if person != caller.id:
            require(caller, Permission.ACCESS_READ)
            self._reading.looked(caller, "people")
        with self._book.projection.engine.connect() as connection:
            return person_of(connection, person)

    def sessions_of(self, caller: Caller, person: str) -> Sequence[Session]:
        """Return the open sessions of a person; needs `people.manage`."""
        require(caller, Permission.PEOPLE_MANAGE, _EVERYWHERE)
        self._reading.looked(caller, "sessions")
        with self._book.projection.engine.connect() as connection:
            person_of(connection, person)
        return self._sessions.of_person(person)

    def invite(self, caller: Caller, profile: Profile) -> tuple[Person, Link]:
        """Return a new account without a password, and the link that sets one within three days.

        Raises PersonInvalidError, HandleTakenError.
        """
        _require_person(caller)
        profile = parse_profile(profile.handle, profile.name, profile.email)
        person = new_id("p")

        def create(connection: Connection, now: int) -> Events:
            require_free(connection, profile.handle)
            return [person_created(caller, person, profile, "invitation", now)]

        link = self._link(caller, person, profile.name, create)
        with self._book.projection.engine.connect() as connection:
            return person_of(connection, person), link

    def invite_again(self, caller: Caller, person: str) -> Link:
        """Return a new link for somebody who has no password yet or forgot it; the password she has stays until then.

        Raises PersonUnknownError, PersonStateError.
        """
        _require_person(caller)
        with self._book.projection.engine.connect() as connection:
            found = person_of(connection, person)
        if found.external:
            raise PersonStateError("the identity provider vouches for her, and no password does")

        def check(connection: Connection, _: int) -> Events:
            if person_of(connection, person).state == "disabled":
                raise PersonStateError("the account is disabled", advice="Enable it first.")
            return []

        return self._link(caller, person, found.name, check)

    def check_invitation(self, token: str) -> Person:
        """Return who is invited by a link. Raises LinkInvalidError."""
        with self._book.projection.engine.connect() as connection:
            row = find_link(self._book, connection, "invitation", token, self._book.now_us())
            return person_of(connection, row.person)

    def accept(self, token: str, password: str, visit: Visit) -> SignedIn | None:
        """Set the password that an invitation asks for; the link is used up. Where the account had a password before and
        no second factor guards it, what the maker of the link may not do herself ends with it.

        Returns a session, or None where a second factor is still to be shown at sign-in. Sessions opened with an older
        password end. Raises LinkInvalidError, PasswordWeakError, LocalSignInOffError.
        """
        self._policy.require_local()
        invited = self.check_invitation(token)
        check_password(password, [invited.handle, invited.email])
        secret = self._book.prepare("password", self._hasher.hash(password))
        new = self._sessions.prepare(invited.id, "invitation", visit, self._book.now_us())
        needs_second: list[bool] = []

        def decide(connection: Connection) -> Events:
            now = self._book.now_us()
            row = find_link(self._book, connection, "invitation", token, now)
            caller = acting(row.person, visit, name=invited.name)
            needs_second.append(has(connection, row.person, "totp"))
            accepted = {"person": row.person, "credential": row.name}
            is_guarded = needs_second[-1] or not has(connection, row.person, "password")
            makers = [] if is_guarded else [row.made_by]
            return [
                act(caller, "access.invitation_accepted", Target("person", row.person, invited.name), accepted, now),
                password_set(caller, row.person, secret, now),
                *self._sessions.ending(connection, caller, row.person, now),
                *self._beyond(connection, caller, row.person, makers, now),
                *([] if needs_second[-1] else [new.event]),
            ]

        self._book.run(decide, activates=[secret, new.secret])
        for kind in ("invitation", "password"):
            self._book.sweep(kind)
        if needs_second[-1]:
            self._sessions.discard(new)
            return None
        return new.signed_in

    def change(self, caller: Caller, person: str, profile: Profile) -> Person:
        """Change what a person is called; her own name anybody may change. Raises HandleTakenError and its like."""
        profile = parse_profile(profile.handle, profile.name, profile.email)

        def decide(connection: Connection) -> Events:
            before = person_of(connection, person)
            is_own = person == caller.id and caller.session is not None
            stays = (profile.handle, profile.email) == (before.handle, before.email)
            if not (is_own and stays):
                require(caller, Permission.PEOPLE_MANAGE, _EVERYWHERE)
            if person == caller.id and not stays:
                # By these her own events are found: whoever chose them herself would read those of somebody else.
                raise PersonStateError(
                    "nobody changes her own handle or e-mail address", advice="Ask somebody else who manages people."
                )
            require_free(connection, profile.handle, person)
            pairs = {"handle": profile.handle, "name": profile.name, "email": profile.email}
            changes = [
                Change(field, getattr(before, field), new)
                for field, new in pairs.items()
                if getattr(before, field) != new
            ]
            if not changes:
                return []
            target = Target("person", person, profile.name)
            now = self._book.now_us()
            return [act(caller, "access.person_changed", target, {"person": person}, now, changes=changes)]

        if person != caller.id:
            require(caller, Permission.PEOPLE_MANAGE, _EVERYWHERE)
        self._book.run(decide)
        with self._book.projection.engine.connect() as connection:
            return person_of(connection, person)

    def disable(self, caller: Caller, person: str, *, reason: str = "") -> None:
        """End an account with its sessions, tokens and grants in one batch: all or nothing, at once.

        Raises PersonUnknownError; doing it twice does nothing.
        """
        require(caller, Permission.PEOPLE_MANAGE, _EVERYWHERE)

        def decide(connection: Connection) -> Events:
            now = self._book.now_us()
            found = person_of(connection, person)
            if found.state == "disabled":
                return []
            target = Target("person", person, found.name)
            return [
                act(caller, "access.person_disabled", target, {"person": person}, now, reason=reason or None),
                *self._sessions.ending(connection, caller, person, now),
                *(event for end in self._endings for event in end(connection, caller, person, now)),
            ]

        self._book.run(decide)
        self._book.sweep("invitation")
        self._sessions.forget_ended()

    def enable(self, caller: Caller, person: str) -> None:
        """Let a person sign in again, with the password she had; grants and tokens do not come back."""
        _require_person(caller)

        def decide(connection: Connection) -> Events:
            found = person_of(connection, person)
            if found.state != "disabled":
                return []
            target = Target("person", person, found.name)
            return [act(caller, "access.person_enabled", target, {"person": person}, self._book.now_us())]

        self._book.run(decide)

    def reset_second_factor(self, caller: Caller, person: str, *, reason: str) -> None:
        """Switch off the second factor of somebody who lost it; never one's own. Her sessions end.

        Whoever made the link by which she set a new password could now get in: what that maker may not do herself ends.
        Raises PersonUnknownError, PersonStateError.
        """
        _require_person(caller)
        if person == caller.id:
            raise PersonStateError("your own second factor is switched off on your account page")

        def decide(connection: Connection) -> Events:
            now = self._book.now_us()
            found = person_of(connection, person)
            if not found.has_totp:
                raise PersonStateError("no second factor is on")
            target = Target("person", person, found.name)
            return [
                act(caller, "access.totp_disabled", target, {"person": person}, now, reason=reason),
                *self._sessions.ending(connection, caller, person, now),
                *self._beyond(connection, caller, person, relinked_by(connection, person), now),
            ]

        self._book.run(decide)
        for kind in ("totp", "recovery"):
            self._book.sweep(kind)
        self._sessions.forget_ended()

    def revoke_sessions(self, caller: Caller, person: str) -> None:
        """End every session of a person."""
        require(caller, Permission.PEOPLE_MANAGE, _EVERYWHERE)

        def decide(connection: Connection) -> Events:
            person_of(connection, person)
            return self._sessions.ending(connection, caller, person, self._book.now_us())

        self._book.run(decide)
        self._sessions.forget_ended()

    def _beyond(
        self, connection: Connection, caller: Caller, person: str, makers: Iterable[str], now_us: int
    ) -> Events:
        """Return the events that end what a person may do beyond those who made links into her account."""
        known = [maker for maker in makers if people_of(connection, maker)]
        ended = (event for maker in known for event in self._exceeding(connection, caller, person, maker, now_us))
        return list({event["target"]["id"]: event for event in ended}.values())

    def _link(self, caller: Caller, person: str, name: str, before: Before) -> Link:
        token, secret = new_link(self._book, "invitation")
        until = self._book.now_us() + INVITATION_US

        def decide(connection: Connection) -> Events:
            now = self._book.now_us()
            metadata = {"person": person, "credential": secret.name, "digest": secret.digest, "until": until}
            invited = act(caller, "access.invited", Target("person", person, name), metadata, now)
            return [*before(connection, now), invited]

        self._book.run(decide, activates=[secret])
        self._book.sweep("invitation")
        return Link(token, until)


def _require_person(caller: Caller) -> None:
    """Raise unless the caller manages people and is one, or the operator: an account is never a nameless token's work."""
    require(caller, Permission.PEOPLE_MANAGE, _EVERYWHERE)
    if caller.type == "service":
        raise NotAPersonError("a service cannot do this", advice="Sign in, or use a token that a person made.")
