"""The verbs of duties: list, show, create, change, retire."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from tallystick.access.errors import ScopeInvalidError
from tallystick.access.grants.asking import acting_person
from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.event.identifier import hidden_character, is_scope
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.review import events, rows
from tallystick.review.errors import DutyInvalidError, DutyNotFoundError, DutyRetiredError
from tallystick.review.model import (
    DOCUMENTS_MAX,
    DUE_DAYS_MAX,
    REVIEWERS_MAX,
    SAMPLE_MAX,
    TEXT_CHARS_MAX,
    Document,
    Duty,
    Kind,
    Terms,
)
from tallystick.review.periods import Cadence
from tallystick.review.ports import ReviewPorts

LOOKED: Final = "reviews"
"""The place that looks at duties and reviews are recorded under."""
#: How often each kind falls due, and how many days after its period, where nobody says otherwise.
USUAL: Final[Mapping[Kind, tuple[Cadence, int]]] = {
    Kind.LOG: (Cadence.WEEK, 7),
    Kind.POLICIES: (Cadence.YEAR, 30),
    Kind.ACCESS: (Cadence.QUARTER, 21),
    Kind.EXCEPTIONS: (Cadence.QUARTER, 21),
    Kind.DECLARATIONS: (Cadence.YEAR, 30),
}
_TITLE_CHARS_MAX: Final = 200
_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


class DutyService:
    """The duties of one installation; may be used from any thread.

    Who may sign reviews in the scope of a duty keeps the duty, too: it is she whom it binds. Each change is an event.
    """

    def __init__(self, projection: Projection, commands: Commands, ports: ReviewPorts) -> None:
        self._projection = projection
        self._commands = commands
        self._ports = ports

    def list(self, caller: Caller) -> Sequence[Duty]:
        """Return the duties that the caller may see, the oldest first; the look is recorded."""
        require(caller, Permission.REVIEWS_READ)
        with self._projection.engine.connect() as connection:
            found = rows.load_duties(connection)
        self._ports.search.recorder.looked(caller, LOOKED)
        return [each for each in found if caller.rights.allows(Permission.REVIEWS_READ, each.terms.scope)]

    def get(self, caller: Caller, duty: str) -> Duty:
        """Return a duty; the look is recorded. Raises DutyNotFoundError."""
        with self._projection.engine.connect() as connection:
            found = visible_duty(connection, caller, duty)
        self._ports.search.recorder.looked(caller, LOOKED, found.terms.scope)
        return found

    def create(self, caller: Caller, title: str, terms: Terms) -> str:
        """Set up a duty and return its id. Raises DutyInvalidError, ScopeInvalidError, PermissionMissingError."""
        caller = acting_person(caller)
        terms, title = _checked(terms), _checked_title(title)
        require(caller, Permission.REVIEWS_SIGN, terms.scope)
        duty = f"d-{secrets.token_hex(5)}"
        self._commands.run(
            lambda _: [events.duty_set(caller, events.DUTY_CREATED, duty, title, terms, self._ports.now_us())]
        )
        return duty

    def change(self, caller: Caller, duty: str, title: str, terms: Terms) -> None:
        """Let a duty demand something else from the next review on. Kind, scope and cadence stay.

        Raises DutyNotFoundError, DutyRetiredError, DutyInvalidError, PermissionMissingError.
        """
        caller = acting_person(caller)
        title = _checked_title(title)

        def decide(connection: Connection) -> Sequence[Mapping[str, Any]]:
            found = self._kept(connection, caller, duty)
            kept = found.terms
            new = _checked(msgspec.structs.replace(terms, kind=kept.kind, scope=kept.scope, cadence=kept.cadence))
            if (new, title) == (kept, found.title):
                return []
            return [events.duty_set(caller, events.DUTY_CHANGED, duty, title, new, self._ports.now_us())]

        self._commands.run(decide)

    def retire(self, caller: Caller, duty: str, *, reason: str) -> None:
        """End a duty; what is open stays to be signed. Raises what `change` does."""
        caller = acting_person(caller)
        given = checked_text(reason, "/reason", "a reason")

        def decide(connection: Connection) -> Sequence[Mapping[str, Any]]:
            found = self._kept(connection, caller, duty)
            return [events.duty_retired(caller, found, given, self._ports.now_us())]

        self._commands.run(decide)

    def _kept(self, connection: Connection, caller: Caller, duty: str) -> Duty:
        found = visible_duty(connection, caller, duty)
        require(caller, Permission.REVIEWS_SIGN, found.terms.scope)
        if found.retired_at is not None:
            raise DutyRetiredError(f"duty {duty} is retired")
        return found


def visible_duty(connection: Connection, caller: Caller, duty: str) -> Duty:
    """Return a duty that the caller may see; raises DutyNotFoundError."""
    found = rows.find_duty(connection, duty)
    if found is None or not caller.rights.allows(Permission.REVIEWS_READ, found.terms.scope):
        raise DutyNotFoundError(f"there is no duty {duty[:64]} that you may see")
    return found


def checked_text(text: str, pointer: str, what: str, chars_max: int = TEXT_CHARS_MAX) -> str:
    """Return a text without blanks around it; raises DutyInvalidError for none, or a very long one."""
    text = text.strip()
    if not text or len(text) > chars_max:
        raise DutyInvalidError(f"{what} has 1 to {chars_max:,} characters", pointer=pointer)
    return text


def _checked_title(title: str) -> str:
    title = checked_text(title, "/title", "a title", _TITLE_CHARS_MAX)
    if hidden_character(title) is not None:
        raise DutyInvalidError("a title is one line of text", pointer="/title")
    return title


def _checked(terms: Terms) -> Terms:
    if terms.scope and not is_scope(terms.scope):
        raise ScopeInvalidError(f"{terms.scope[:80]!r} is not a scope")
    if terms.kind is Kind.LOG and terms.cadence is not Cadence.WEEK:
        raise DutyInvalidError("the log is reviewed every week", pointer="/cadence")
    for value, most, name in (
        (terms.sample, SAMPLE_MAX, "sample"),
        (terms.due_days, DUE_DAYS_MAX, "due_days"),
    ):
        if not 1 <= value <= most:
            raise DutyInvalidError(f"{name} is from 1 to {most}", pointer=f"/{name}")
    if len(terms.reviewers) > REVIEWERS_MAX or len(terms.documents) > DOCUMENTS_MAX:
        raise DutyInvalidError(f"a duty names at most {REVIEWERS_MAX} people and {DOCUMENTS_MAX} documents")
    if terms.documents and terms.kind is not Kind.POLICIES:
        raise DutyInvalidError("only a review of policies has documents", pointer="/documents")
    for each in terms.documents:
        _check_document(each)
    for text in (*terms.reviewers, terms.role):
        if len(text) > 128 or hidden_character(text) is not None:
            raise DutyInvalidError("reviewers are ids of people, the role is the name of one", pointer="/reviewers")
    return terms


def _check_document(document: Document) -> None:
    checked_text(document.name, "/documents", "the name of a document", _TITLE_CHARS_MAX)
    if document.sha256 and _SHA256.fullmatch(document.sha256) is None:
        raise DutyInvalidError("a digest is 64 small hexadecimal digits", pointer="/documents")
    if any(len(each) > 1000 or hidden_character(each) for each in (document.name, document.link, document.owner)):
        raise DutyInvalidError("name, link and owner of a document are single lines", pointer="/documents")
