"""Sessions: opened by a sign-in, ended by time, by their owner or by an administrator; kept on the server's side."""

from __future__ import annotations

import hmac
import re
import secrets as randomness
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Final

from sqlalchemy import Connection, select

from tallystick.access.acts import Change, Target, act
from tallystick.access.model import Caller
from tallystick.access.people.acting import acting
from tallystick.access.people.book import Book, Event
from tallystick.access.people.devices import AGENT_CHARS_MAX, in_words, new_device
from tallystick.access.people.errors import (
    NotAPersonError,
    ReauthenticationNeededError,
    SessionInvalidError,
    SessionUnknownError,
)
from tallystick.access.people.model import Session, SignedIn, Standing, Visit, new_id
from tallystick.access.people.ports import RightsOf
from tallystick.store.secrets import NONCE_BYTES, Secret, hash_secret
from tallystick.store.tables.people import PERSON, PERSON_GROUP, SESSION

KIND: Final = "session"
SEEN: Final = "session-seen"
SECOND_US: Final = 1_000_000
_COOKIE: Final = re.compile(r"(s-[a-z0-9]{10})\.[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lasts, in seconds. An operator may choose others."""

    absolute_s: int = 12 * 3600
    idle_s: int = 30 * 60
    fresh_s: int = 10 * 60
    save_seen_s: int = 5 * 60
    """How often the time of the last request is saved: so much of an idle time may be lost when the server stops."""


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that is about to begin: its event makes it so."""

    id: str
    person: str
    cookie: str
    device: str
    secret: Secret
    event: Event

    @property
    def signed_in(self) -> SignedIn:
        """What the browser is to keep."""
        return SignedIn(self.person, self.id, self.cookie, self.device)


@dataclass(frozen=True, slots=True)
class _Known:
    """An enabled person as the tables had her at one version."""

    name: str
    aliases: frozenset[str]
    groups: tuple[str, ...]


@dataclass(slots=True)
class _Open:
    """A session in memory, as the tables had it at one version: all that is needed to judge a request."""

    session: str
    person: str
    known: _Known
    secret: Secret
    until: int
    fresh_at: int
    caller: Caller | None = None  # replaced when the rights or the address are others


@dataclass(slots=True)
class _Cache:
    """What was loaded at one version of the tables; thrown away as a whole."""

    version: int
    newest: int
    open: dict[str, _Open] = field(default_factory=dict)
    people: dict[str, _Known | None] = field(default_factory=dict)


class SessionService:
    """The sessions of one installation; may be used from any thread."""

    def __init__(self, book: Book, rights_of: RightsOf, limits: Callable[[], Limits] = Limits) -> None:
        self._book = book
        self._rights_of = rights_of
        self._limits = limits
        self._cache = _Cache(-1, 0)  # replaced, never emptied
        self._seen: dict[str, int] = {}
        self._saved: dict[str, int] = {}
        self._due: SimpleQueue[Secret] = SimpleQueue()  # emptied by who holds the lock
        self._lock = threading.Lock()

    def authenticate(self, cookie: str | None, address: str) -> Caller:
        """Return who sends this cookie, with what she may do now. Raises SessionInvalidError.

        A wrong cookie takes as long as a right one; an ended, idle, expired or unknown session is answered alike.
        """
        match = _COOKIE.fullmatch(cookie or "")
        cache = self._current()
        known = self._find(cache, match[1]) if match else None
        offered = hash_secret(known.secret.nonce if known else b"", cookie or "")
        if known is None or not hmac.compare_digest(offered, known.secret.record):
            raise SessionInvalidError("the session is not in force")
        now = max(self._book.clock.now_us(), cache.newest)
        if known.until <= now or self._seen_at(known) + self._limits().idle_s * SECOND_US <= now:
            raise SessionInvalidError("the session is not in force")
        self._note_seen(known.session, now)
        rights = self._rights_of(known.person, known.known.groups, now)
        caller = known.caller
        if caller is None or caller.address != address or caller.rights is not rights:
            caller = known.caller = Caller(
                id=known.person,
                type="user",
                name=known.known.name,
                rights=rights,
                address=address,
                via="page",
                session=known.session,
                aliases=known.known.aliases,
            )
        return caller

    def prepare(self, person: str, method: str, visit: Visit, now_us: int, **facts: Any) -> NewSession:
        """Return a session that begins when its event is in the log; its cookie is random and never used before."""
        name = new_id("s")
        cookie = f"{name}.{randomness.token_urlsafe(32)}"
        nonce = randomness.token_bytes(NONCE_BYTES)
        secret = Secret(KIND, name, nonce, hash_secret(nonce, cookie))
        self._book.secrets.save(secret)
        metadata = {
            "person": person,
            "session": name,
            "digest": secret.digest,
            "method": method,
            "until": now_us + self._limits().absolute_s * SECOND_US,
            **facts,
        }
        event = act(
            acting(person, visit, session=name),
            "access.signed_in",
            Target("session", name),
            metadata,
            now_us,
            changes=[Change("agent", None, visit.agent[:AGENT_CHARS_MAX] or "unknown")],
        )
        return NewSession(name, person, cookie, new_device(self._book, person), secret, event)

    def discard(self, new: NewSession) -> None:
        """Forget a session that does not begin after all."""
        self._book.secrets.delete(KIND, new.id)

    def is_fresh(self, caller: Caller) -> bool:
        """Return whether the caller proved only minutes ago that it is her."""
        known = self._find(self._current(), caller.session) if caller.session else None
        return known is not None and known.fresh_at + self._limits().fresh_s * SECOND_US > self._book.now_us()

    def require_fresh(self, caller: Caller) -> None:
        """Raise ReauthenticationNeededError unless the caller proved only minutes ago that it is her."""
        if not self.is_fresh(caller):
            raise ReauthenticationNeededError("this needs you to confirm that it is you")

    def mine(self, caller: Caller) -> list[Session]:
        """Return the caller's own open sessions, newest first."""
        return self.of_person(_person_of(caller))

    def of_person(self, person: str) -> list[Session]:
        """Return the open sessions of a person, newest first; who may see them is for the caller to say."""
        with self._book.projection.engine.connect() as connection:
            rows = self._open_rows(connection, person, self._book.now_us())
        return [
            Session(
                id=row.session,
                person=row.person,
                method=row.method,
                address=row.address or "",
                agent=in_words(row.agent or ""),
                opened_at=row.opened_at,
                seen_at=self._seen_since(row.session, row.opened_at),
                until=row.until,
            )
            for row in rows
        ]

    def revoke(self, caller: Caller, session: str) -> None:
        """End one of the caller's own sessions. Raises SessionUnknownError for anything else."""
        person = _person_of(caller)

        def decide(connection: Connection) -> list[Event]:
            now = self._book.now_us()
            if all(row.session != session for row in self._open_rows(connection, person, now)):
                raise SessionUnknownError("you have no such session")
            return [_revoked(caller, person, session, now)]

        self._book.run(decide)
        self._forget(session)

    def revoke_others(self, caller: Caller) -> int:
        """End every session of the caller but the one she acts in, and return how many."""
        ended: list[str] = []

        def decide(connection: Connection) -> list[Event]:
            now = self._book.now_us()
            rows = self._open_rows(connection, _person_of(caller), now)
            ended.extend(row.session for row in rows if row.session != caller.session)
            return [_revoked(caller, caller.id, session, now) for session in ended]

        self._book.run(decide)
        for session in ended:
            self._forget(session)
        return len(ended)

    def close(self, caller: Caller) -> None:
        """End the session that the caller acts in: she signed out."""
        session = caller.session
        if session is None:
            raise NotAPersonError("nobody is signed in here")

        def decide(connection: Connection) -> list[Event]:
            now = self._book.now_us()
            if all(row.session != session for row in self._open_rows(connection, caller.id, now)):
                return []
            metadata = {"person": caller.id, "session": session}
            return [act(caller, "access.signed_out", Target("session", session), metadata, now)]

        self._book.run(decide)
        self._forget(session)

    def ending(
        self, connection: Connection, caller: Caller, person: str, now_us: int, *, spared: str | None = None
    ) -> list[Event]:
        """Return the events that end every open session of a person, but for the one that is spared."""
        rows = self._open_rows(connection, person, now_us)
        return [_revoked(caller, person, row.session, now_us) for row in rows if row.session != spared]

    def standing(self, person: str, now_us: int) -> Standing | None:
        """Return what a person is called and may do now, or None for one who is unknown, disabled or not there yet."""
        cache = self._current()
        if person not in cache.people:
            with self._book.projection.engine.connect() as connection:
                cache.people[person] = _load_person(connection, person)
        known = cache.people[person]
        if known is None:
            return None
        return Standing(known.name, self._rights_of(person, known.groups, max(now_us, cache.newest)), known.aliases)

    def forget_ended(self) -> None:
        """Forget the cookie hashes of sessions that are over."""
        with self._book.projection.engine.connect() as connection:
            query = select(SESSION.c.session).where(
                SESSION.c.ended_index.is_(None), SESSION.c.until > self._book.now_us()
            )
            kept = set(connection.scalars(query))
        for kind in (KIND, SEEN):
            for name in self._book.secrets.all(kind).keys() - kept:
                self._book.secrets.delete(kind, name)

    def _open_rows(self, connection: Connection, person: str, now_us: int) -> Sequence[Any]:
        query = (
            select(SESSION)
            .where(SESSION.c.person == person, SESSION.c.ended_index.is_(None), SESSION.c.until > now_us)
            .order_by(SESSION.c.opened_at.desc())
        )
        idle_us = self._limits().idle_s * SECOND_US
        rows = connection.execute(query).all()
        return [row for row in rows if self._seen_since(row.session, row.opened_at) + idle_us > now_us]

    def _current(self) -> _Cache:
        # The version is read before the tables: what is kept may be older than it says, never newer.
        cache, version = self._cache, self._book.projection.version
        if cache.version != version:
            cache = self._cache = _Cache(version, self._book.newest())
        return cache

    def _find(self, cache: _Cache, session: str) -> _Open | None:
        known = cache.open.get(session)
        if known is None:
            known = self._load(session)
            if known is not None:
                cache.open[session] = known
        return known

    def _load(self, session: str) -> _Open | None:
        """Return an open session of an enabled person; one whose record is not the one the log speaks of is none."""
        query = select(SESSION).where(SESSION.c.session == session, SESSION.c.ended_index.is_(None))
        with self._book.projection.engine.connect() as connection:
            row = connection.execute(query).first()
            person = _load_person(connection, row.person) if row is not None else None
        secret = self._book.genuine(KIND, session, row.digest) if row is not None else None
        if row is None or person is None or secret is None:
            return None
        return _Open(session, row.person, person, secret, row.until, row.fresh_at)

    def _seen_at(self, known: _Open) -> int:
        return self._seen_since(known.session, known.fresh_at)

    def _seen_since(self, session: str, opened_at: int) -> int:
        """Return when a session was last used; after a restart what was saved, at worst when it was opened."""
        seen = self._seen.get(session)
        if seen is None:
            saved = self._book.secrets.find(SEEN, session)
            seen = int.from_bytes(saved.record, "big") if saved else opened_at
            self._seen[session] = self._saved[session] = seen
        return max(seen, opened_at)

    def _note_seen(self, session: str, now_us: int) -> None:
        self._seen[session] = now_us
        if now_us - self._saved.get(session, 0) < self._limits().save_seen_s * SECOND_US:
            return
        self._saved[session] = now_us
        self._due.put(Secret(SEEN, session, b"", now_us.to_bytes(8, "big")))
        with self._lock:  # who waited here finds that another has saved hers with his: many come back at one moment
            due = [self._due.get_nowait() for _ in range(self._due.qsize())]
            if due:
                self._book.secrets.save_all(due)

    def _forget(self, session: str) -> None:
        for kind in (KIND, SEEN):
            self._book.secrets.delete(kind, session)
        self._seen.pop(session, None)
        self._saved.pop(session, None)


def _load_person(connection: Connection, person: str) -> _Known | None:
    row = connection.execute(select(PERSON).where(PERSON.c.person == person, PERSON.c.disabled_index.is_(None))).first()
    if row is None:
        return None
    groups = select(PERSON_GROUP.c.name).where(PERSON_GROUP.c.person == person).order_by(PERSON_GROUP.c.name)
    aliases = frozenset(alias for alias in (person, row.handle, row.email) if alias)
    return _Known(row.name or row.handle or person, aliases, tuple(connection.scalars(groups)))


def _person_of(caller: Caller) -> str:
    if caller.session is None:
        raise NotAPersonError("only a person who signed in has sessions")
    return caller.id


def _revoked(caller: Caller, person: str, session: str, now_us: int) -> Event:
    metadata = {"person": person, "session": session}
    return act(caller, "access.session_revoked", Target("session", session), metadata, now_us)
