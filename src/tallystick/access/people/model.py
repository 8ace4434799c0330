"""People and sessions as they are shown, and the steps of a sign-in."""

from __future__ import annotations

import re
import secrets as randomness
from dataclasses import dataclass
from typing import Final, Literal

from tallystick.access.people.errors import PersonInvalidError
from tallystick.access.rights import Rights
from tallystick.event.identifier import hidden_character

State = Literal["enabled", "invited", "disabled"]
_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"
_ID_CHARS: Final = 10
_HANDLE: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}", re.ASCII)
_EMAIL: Final = re.compile(r"[^\s@]{1,64}@[^\s@.]+(?:\.[^\s@.]+)*")
NAME_CHARS_MAX: Final = 128
EMAIL_CHARS_MAX: Final = 254


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account. What was erased is empty."""

    id: str
    handle: str
    name: str
    email: str
    state: State
    has_password: bool
    has_totp: bool
    external: bool
    """Whether an identity provider vouches for her."""
    groups: tuple[str, ...]
    created_at: int
    signed_in_at: int | None


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in. Times are microseconds since 1970."""

    id: str
    person: str
    method: str
    address: str
    agent: str
    opened_at: int
    seen_at: int
    until: int


@dataclass(frozen=True, slots=True)
class Profile:
    """What a person is called; each part is checked."""

    handle: str
    name: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has just begun: what the browser is to keep. Shown here and never again."""

    person: str
    session: str
    cookie: str
    device: str
    """Says later that this device has signed this person in before."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far a sign-in got: `done` comes with the session, `totp` with a ticket for the second factor."""

    kind: Literal["totp", "done"]
    ticket: str = ""
    signed_in: SignedIn | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A one-time link, shown once."""

    token: str
    until: int


@dataclass(frozen=True, slots=True)
class Seed:
    """The seed of an authenticator, shown while it is being set up: as text and as the link that sets it up."""

    name: str
    text: str
    uri: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What an enabled person is called and may do now."""

    name: str
    rights: Rights
    aliases: frozenset[str]


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a request comes from: its address, the browser in its own words, and what that browser kept."""

    address: str
    agent: str = ""
    device: str = ""


def new_id(prefix: str) -> str:
    """Return a fresh opaque id such as `p-7f3k2m9q4t`."""
    return f"{prefix}-" + "".join(randomness.choice(_ALPHABET) for _ in range(_ID_CHARS))


def parse_profile(handle: str, name: str, email: str = "") -> Profile:
    """Return what a person is called, or raise PersonInvalidError. Handles are small letters."""
    handle, name, email = handle.strip().casefold(), name.strip(), email.strip()
    if not _HANDLE.fullmatch(handle):
        raise PersonInvalidError("this cannot be a handle", pointer="/handle")
    if not name or len(name) > NAME_CHARS_MAX or hidden_character(name):
        raise PersonInvalidError("this cannot be a name", pointer="/name")
    if email and (len(email) > EMAIL_CHARS_MAX or not _EMAIL.fullmatch(email) or hidden_character(email)):
        raise PersonInvalidError("this cannot be an e-mail address", pointer="/email")
    return Profile(handle, name, email)
