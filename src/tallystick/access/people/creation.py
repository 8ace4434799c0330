"""The events that make an account, the same for setup, invitations and identity providers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from tallystick.access.acts import Change, Target, act
from tallystick.access.model import Caller
from tallystick.access.people.book import Event
from tallystick.access.people.errors import HandleTakenError
from tallystick.access.people.model import Profile
from tallystick.store.secrets import Secret
from tallystick.store.tables.people import PERSON


def person_created(
    caller: Caller, person: str, profile: Profile, ground: str, now_us: int, *, identity: str | None = None
) -> Event:
    """Return the event that begins an account; what she is called is personal."""
    facts: dict[str, Any] = {"person": person, "ground": ground}
    if identity:
        facts["identity"] = identity
    changes = [Change("handle", None, profile.handle), Change("name", None, profile.name)]
    if profile.email:
        changes.append(Change("email", None, profile.email))
    target = Target("person", person, profile.name)
    return act(caller, "access.person_created", target, facts, now_us, changes=changes)


def password_set(caller: Caller, person: str, secret: Secret, now_us: int) -> Event:
    """Return the event that puts a password in force."""
    metadata = {"person": person, "credential": secret.name, "digest": secret.digest}
    return act(caller, "access.password_set", Target("person", person), metadata, now_us)


def require_free(connection: Connection, handle: str, person: str = "") -> None:
    """Raise HandleTakenError when somebody else has this handle; a disabled person keeps hers."""
    query = select(PERSON.c.person).where(PERSON.c.handle == handle, PERSON.c.person != person)
    if connection.execute(query).first() is not None:
        raise HandleTakenError("somebody else has this handle", pointer="/handle")
