"""Which permissions hold where: the only thing a decision about access looks at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from tallystick.access.permissions import Permission
from tallystick.event.identifier import is_within


@dataclass(frozen=True, slots=True)
class Rights:
    """For each permission the scopes that it was granted for, each with all below it; the empty scope is everything.

    Scopes that lie in another one of the same permission are left out. Hashable by what it holds.
    """

    scopes_of: Mapping[Permission, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, granted: Iterable[tuple[Permission, str]]) -> Self:
        """Return the rights that come from pairs of permission and scope."""
        scopes: dict[Permission, set[str]] = {}
        for permission, scope in granted:
            scopes.setdefault(permission, set()).add(scope)
        return cls({permission: _outermost(found) for permission, found in sorted(scopes.items())})

    def scopes(self, permission: Permission) -> tuple[str, ...]:
        """Return where a permission holds; nothing at all when it holds nowhere."""
        return self.scopes_of.get(permission, ())

    def allows(self, permission: Permission, scope: str) -> bool:
        """Return whether a permission holds in a scope; the empty scope asks for everywhere."""
        return any(is_within(scope, root) for root in self.scopes(permission))

    def anywhere(self, permission: Permission) -> bool:
        """Return whether a permission holds in any scope."""
        return permission in self.scopes_of

    def pairs(self) -> tuple[tuple[Permission, str], ...]:
        """Return every permission with each of its scopes, sorted."""
        return tuple((permission, scope) for permission, scopes in sorted(self.scopes_of.items()) for scope in scopes)

    def within(self, limit: Rights) -> Rights:
        """Return what both allow: a token never exceeds who made it."""
        both = [
            (permission, narrower)
            for permission, scope in self.pairs()
            for other in limit.scopes(permission)
            for narrower in ([scope] if is_within(scope, other) else [other] if is_within(other, scope) else [])
        ]
        return Rights.of(both)


NOTHING = Rights()


def _outermost(scopes: set[str]) -> tuple[str, ...]:
    return tuple(
        sorted(scope for scope in scopes if not any(scope != other and is_within(scope, other) for other in scopes))
    )
