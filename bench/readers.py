"""People who read a benchmark's ledger in a browser: accounts, grants and sessions, made by the product's own services."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from tallystick.access.grants.model import Subject
from tallystick.access.operator import OPERATOR
from tallystick.access.people.model import Profile, Visit
from tallystick.server import Instance

ADDRESS = "127.0.0.1"
ROLE = "analyst"
FIRST = "bench"
LONG_US = 90 * 24 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who is signed in: `cookie` is what her browser sends."""

    id: str
    cookie: str


def admit(instance: Instance, count: int, scope: str = "") -> list[Reader]:
    """Return new people who are analysts in a scope, each with a session; the first account approves their grants."""
    services = instance.services
    first = services.sessions.authenticate(_first(instance).cookie, ADDRESS)
    until = services.ledger.status().now + LONG_US
    readers = []
    for _ in range(count):
        handle = f"r{secrets.token_hex(6)}"
        person, link = services.people.invite(OPERATOR, Profile(handle, handle))
        signed_in = services.people.accept(link.token, secrets.token_urlsafe(24), Visit(ADDRESS, "bench"))
        assert signed_in is not None, "nobody here has a second factor"
        subject = Subject("person", person.id)
        grant = services.grants.request(
            OPERATOR, subject=subject, role=ROLE, scope=scope, reason="to be measured", until_us=until
        )
        services.grants.approve(first, grant)
        readers.append(Reader(person.id, signed_in.cookie))
    return readers


def _first(instance: Instance) -> Reader:
    """Return the administrator; a ledger that is used again has had others, whose passwords nobody kept."""
    services = instance.services
    if services.setup.is_needed():
        link = services.setup.make()
        done = services.setup.complete(link.token, Profile(FIRST, FIRST), secrets.token_urlsafe(24), Visit(ADDRESS))
        return Reader(done.person, done.cookie)
    person = next(each for each in services.people.list(OPERATOR) if each.handle == FIRST)
    link = services.people.invite_again(OPERATOR, person.id)
    signed_in = services.people.accept(link.token, secrets.token_urlsafe(24), Visit(ADDRESS, "bench"))
    assert signed_in is not None, "nobody here has a second factor"
    return Reader(person.id, signed_in.cookie)
