"""The services of this room, put together over one installation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tallystick.access.people.account import AccountService
from tallystick.access.people.attempts import Attempts
from tallystick.access.people.book import Book
from tallystick.access.people.failures import FailureLog
from tallystick.access.people.oidc import OidcService
from tallystick.access.people.oidc_provider import Provider
from tallystick.access.people.passwords import Hasher
from tallystick.access.people.policy import SignInPolicy
from tallystick.access.people.ports import AdminReading, Bootstrap, EndAccess, EndExceeding, RightsOf
from tallystick.access.people.proofs import Proofs
from tallystick.access.people.service import PeopleService
from tallystick.access.people.sessions import Limits, SessionService
from tallystick.access.people.setup import SetupLink
from tallystick.access.people.signin import SignInService

CALLBACK: Final = "/sign-in/provider/back"
"""Where the provider sends people back to, below the public address."""


@dataclass(frozen=True, slots=True)
class PeopleRoom:
    """Everything about people and sign-in; `close` writes down what is still being counted."""

    people: PeopleService
    account: AccountService
    signin: SignInService
    sessions: SessionService
    setup: SetupLink
    oidc: OidcService | None
    failures: FailureLog

    def close(self) -> None:
        """Write down how many sign-ins failed since the last event that said so."""
        self.failures.flush()


def open_people(
    book: Book,
    rights_of: RightsOf,
    bootstrap: Bootstrap,
    reading: AdminReading,
    endings: tuple[EndAccess, ...],
    exceeding: EndExceeding,
    limits: Callable[[], Limits] = Limits,
    provider: Provider | None = None,
    public_url: str | None = None,
    policy: SignInPolicy | None = None,
) -> PeopleRoom:
    """Return the services; records of sessions that are over are forgotten on the way. `limits` says how long sessions last
    now, and `policy` which ways lead in: asked each time, so that a change counts at once.
    """
    policy = policy or SignInPolicy()
    hasher, failures = Hasher(), FailureLog(book)
    sessions = SessionService(book, rights_of, limits)
    proofs = Proofs(book, hasher, Attempts(book.clock), failures)
    sessions.forget_ended()
    return PeopleRoom(
        people=PeopleService(book, hasher, sessions, reading, endings, exceeding, policy),
        account=AccountService(book, hasher, sessions),
        signin=SignInService(book, proofs, sessions, policy),
        sessions=sessions,
        setup=SetupLink(book, hasher, sessions, bootstrap),
        oidc=OidcService(book, provider, f"{public_url}{CALLBACK}", sessions, failures, policy) if provider else None,
        failures=failures,
    )
