"""Signing in through the organisation's identity provider: authorization code with PKCE, and accounts made on the way.

A person is who the provider calls by this subject, never who has this e-mail address: an address can be anybody's.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets as randomness
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from sqlalchemy import Connection, select

from tallystick.access.acts import Change, Target, act
from tallystick.access.people.acting import acting
from tallystick.access.people.book import Book, Event
from tallystick.access.people.creation import person_created
from tallystick.access.people.errors import PersonInvalidError, SignInRefusedError
from tallystick.access.people.failures import FailureLog
from tallystick.access.people.model import Profile, SignedIn, Visit, new_id, parse_profile
from tallystick.access.people.oidc_provider import LEEWAY_S, Provider
from tallystick.access.people.policy import SignInPolicy
from tallystick.access.people.rows import anybody, people_of
from tallystick.access.people.sessions import NewSession, SessionService
from tallystick.store.tables.people import PERSON

STARTED_S: Final = 600.0
STARTED_MAX: Final = 10_000
GROUPS_MAX: Final = 200
GROUP_CHARS_MAX: Final = 128
METHOD: Final = "oidc"
_NOT_HANDLE: Final = re.compile(r"[^a-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Started:
    """Where to send the browser, and what it has to keep so that nobody else's answer can be given in its name."""

    url: str
    state: str


@dataclass(frozen=True, slots=True)
class _Waiting:
    nonce: str
    verifier: str
    following: str
    again: bool
    began_s: float
    ends_at: float


class OidcService:
    """Sign-in through one provider; may be used from any thread. What was started is kept in memory for ten minutes."""

    def __init__(
        self,
        book: Book,
        provider: Provider,
        redirect_uri: str,
        sessions: SessionService,
        failures: FailureLog,
        policy: SignInPolicy,
    ) -> None:
        self._book = book
        self._provider = provider
        self._redirect_uri = redirect_uri
        self._sessions = sessions
        self._failures = failures
        self._policy = policy
        self._waiting: dict[str, _Waiting] = {}
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """What people call the provider."""
        return self._provider.settings.name

    def start(self, following: str, *, again: bool = False, hint: str = "") -> Started:
        """Begin; `again` makes the provider ask for a proof anew. Raises ProviderUnreachableError."""
        settings, endpoint = self._provider.settings, self._provider.metadata().authorization_endpoint
        state, nonce, verifier = (randomness.token_urlsafe(32) for _ in range(3))
        now = self._book.clock.monotonic_s()
        waiting = _Waiting(nonce, verifier, following, again, self._book.now_us() / 1e6, now + STARTED_S)
        with self._lock:
            for old in [name for name, each in self._waiting.items() if each.ends_at <= now]:
                del self._waiting[old]
            if len(self._waiting) >= STARTED_MAX:
                del self._waiting[next(iter(self._waiting))]
            self._waiting[state] = waiting
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code",
            "client_id": settings.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": " ".join(settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **({"prompt": "login", "max_age": "0"} if again else {}),
            **({"login_hint": hint} if hint else {}),
        }
        return Started(f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}", state)

    def finish(self, answer: Mapping[str, str], kept: str, visit: Visit) -> tuple[SignedIn, str]:
        """Return a session and where to go on to. `answer` is what the browser brought, `kept` the state it kept.

        Raises SignInRefusedError, alike for whatever is wrong, and ProviderUnreachableError.
        """
        person = ""
        try:
            waiting = self._take(answer, kept)
            tokens = self._provider.exchange(answer.get("code", ""), waiting.verifier, self._redirect_uri)
            claims = self._provider.verify(tokens, waiting.nonce, self._book.now_us() / 1e6)
            if waiting.again:
                _require_recent(claims.get("auth_time"), waiting.began_s)
            identity = self._book.mark("identity", self._provider.settings.issuer, claims["sub"])
            with self._book.projection.engine.connect() as connection:
                person = connection.scalar(select(PERSON.c.person).where(PERSON.c.identity == identity)) or ""
            return self._enter(identity, claims, visit), waiting.following
        except SignInRefusedError:
            self._failures.record(person or None, visit, METHOD)
            raise

    def _take(self, answer: Mapping[str, str], kept: str) -> _Waiting:
        """Return what was started with this state, once, and only for the browser that started it."""
        state = answer.get("state", "")
        with self._lock:
            waiting = self._waiting.pop(state, None)
        is_ours = hmac.compare_digest(state.encode(errors="replace"), kept.encode(errors="replace"))
        issuer = answer.get("iss")
        expected = self._provider.settings.issuer
        named = issuer == expected or (issuer is None and not self._provider.metadata().names_itself)
        in_time = waiting is not None and waiting.ends_at > self._book.clock.monotonic_s()
        if waiting is None or not (is_ours and named and in_time and answer.get("code")) or "error" in answer:
            raise SignInRefusedError("this does not sign anybody in")
        return waiting

    def _enter(self, identity: str, claims: Mapping[str, Any], visit: Visit) -> SignedIn:
        made: list[NewSession] = []

        def decide(connection: Connection) -> list[Event]:
            now = self._book.now_us()
            row = connection.execute(select(PERSON).where(PERSON.c.identity == identity)).first()
            if row is not None and row.disabled_index is not None:
                raise SignInRefusedError("this does not sign anybody in")
            if row is None and not anybody(connection):
                raise SignInRefusedError(
                    "this does not sign anybody in", advice="Make the first account with the setup link."
                )
            if row is None:
                self._policy.require_domain(claims)
            person = row.person if row is not None else new_id("p")
            new = self._sessions.prepare(person, METHOD, visit, now)
            made.append(new)
            return [*self._account(connection, person, identity, claims, visit, now, is_new=row is None), new.event]

        try:
            self._book.run(decide)
        except BaseException:
            for new in made:
                self._sessions.discard(new)
            raise
        return made[-1].signed_in

    def _account(
        self,
        connection: Connection,
        person: str,
        identity: str,
        claims: Mapping[str, Any],
        visit: Visit,
        now_us: int,
        *,
        is_new: bool,
    ) -> list[Event]:
        """Return the events that bring an account to what the provider says now."""
        caller, events = acting(person, visit), []
        before = None if is_new else people_of(connection, person)[0]
        profile = _profile(connection, claims, before.handle if before else "")
        target = Target("person", person, profile.name)
        if before is None:
            events.append(person_created(caller, person, profile, METHOD, now_us, identity=identity))
        else:
            pairs = (("name", before.name, profile.name), ("email", before.email, profile.email))
            changes = [Change(field, old, new) for field, old, new in pairs if old != new]
            if changes:
                events.append(act(caller, "access.person_changed", target, {"person": person}, now_us, changes=changes))
        groups = _groups(claims.get(self._provider.settings.groups_claim))
        if groups != list(before.groups if before else ()):
            metadata = {"person": person, "groups": groups, "issuer": self._provider.settings.issuer}
            events.append(act(caller, "access.groups_changed", target, metadata, now_us))
        return events


def _profile(connection: Connection, claims: Mapping[str, Any], handle: str) -> Profile:
    """Return what the provider calls a person; her handle stays, and a new one is nobody else's."""
    said = {name: value for name, value in claims.items() if isinstance(value, str)}
    wanted = said.get("preferred_username") or said.get("email", "").partition("@")[0]
    base = _NOT_HANDLE.sub("-", wanted.casefold()).strip("-._")[:24] or "person"
    taken = set(connection.scalars(select(PERSON.c.handle))) if not handle else set()
    number, free = 1, handle or base
    while free in taken:
        number += 1
        free = f"{base}-{number}"
    name = said.get("name") or free
    # By an address somebody's own events are found: one that the provider does not vouch for is anybody's.
    email = said.get("email", "") if claims.get("email_verified") is True else ""
    for attempt in ((name, email), (name, ""), (free, "")):
        try:
            return parse_profile(free, *attempt)
        except PersonInvalidError:
            continue
    raise SignInRefusedError("this does not sign anybody in")


def _groups(claim: object) -> list[str]:
    """Return the groups that a claim lists, sorted; what is no name of a group is left out."""
    found = {each for each in claim if isinstance(each, str)} if isinstance(claim, list) else set()
    return sorted(each for each in found if 0 < len(each) <= GROUP_CHARS_MAX and each.isprintable())[:GROUPS_MAX]


def _require_recent(auth_time: object, began_s: float) -> None:
    if not isinstance(auth_time, int | float) or auth_time < began_s - LEEWAY_S:
        raise SignInRefusedError("this does not sign anybody in")
