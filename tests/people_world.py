"""People with accounts, sessions and grants, made by the services that pages and commands use."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from tallystick.access.grants.model import Subject
from tallystick.access.model import Caller
from tallystick.access.operator import OPERATOR
from tallystick.access.people.model import Profile, SignedIn, Visit
from tallystick.access.permissions import Permission
from tallystick.server import Instance

ADDRESS = "127.0.0.1"
PASSWORD = "correct horse battery staple 7"
LONG_US = 90 * 24 * 3600 * 1_000_000


@dataclass(frozen=True)
class Member:
    """Somebody who is signed in."""

    id: str
    handle: str
    cookie: str
    session: str

    @property
    def headers(self) -> dict[str, str]:
        """What her browser sends over plain HTTP on this machine."""
        return {"cookie": f"tallystick={self.cookie}"}


@dataclass
class People:
    """Who lives in an installation. The first is its administrator, who decides about what others ask for."""

    instance: Instance
    first: Member
    roles: dict[frozenset[Permission], str] = field(default_factory=dict)

    def caller(self, member: Member) -> Caller:
        """Return the member as a session says who she is."""
        return self.instance.services.sessions.authenticate(member.cookie, ADDRESS)

    def join(self, handle: str, *grants: tuple[str, str]) -> Member:
        """Return somebody new, with a role in a scope for each of `grants`."""
        services = self.instance.services
        person, link = services.people.invite(
            OPERATOR, Profile(handle, f"{handle.title()} Lind", f"{handle}@example.org")
        )
        signed_in = services.people.accept(link.token, PASSWORD, Visit(ADDRESS, "Mozilla/5.0 (X11; Linux) Firefox/140"))
        assert signed_in is not None
        member = _member(handle, signed_in)
        assert member.id == person.id
        for role, scope in grants:
            self.grant(member, role, scope)
        return member

    def grant(self, member: Member, role: str, scope: str = "") -> str:
        """Give a member a role in a scope: asked for on the command line, approved by the first; return the grant."""
        grant = self.ask(member, role, scope)
        self.instance.services.grants.approve(self.caller(self.first), grant)
        return grant

    def ask(self, member: Member, role: str, scope: str = "") -> str:
        """Ask on the command line for a role of a member in a scope, and return the request."""
        services = self.instance.services
        until = services.ledger.status().now + LONG_US
        subject = Subject("person", member.id)
        return services.grants.request(
            OPERATOR, subject=subject, role=role, scope=scope, reason="her work", until_us=until
        )

    def role(self, permissions: Iterable[Permission]) -> str:
        """Return the name of a role that holds just these permissions and what they require."""
        held = frozenset(permissions)
        if held not in self.roles:
            name = "only-" + hashlib.sha256(",".join(sorted(held)).encode()).hexdigest()[:12]
            self.instance.services.roles.define(OPERATOR, name, name, "for a test", held)
            self.roles[held] = name
        return self.roles[held]


def settle(instance: Instance, handle: str = "ada") -> People:
    """Return the people of a new installation: one, who opened the setup link."""
    link = instance.services.setup.make()
    profile = Profile(handle, f"{handle.title()} Lind", f"{handle}@example.org")
    signed_in = instance.services.setup.complete(link.token, profile, PASSWORD, Visit(ADDRESS, "tests"))
    return People(instance, _member(handle, signed_in))


def _member(handle: str, signed_in: SignedIn) -> Member:
    return Member(signed_in.person, handle, signed_in.cookie, signed_in.session)
