"""Which scopes a policy governs, and whom that concerns."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from tallystick.event.identifier import is_scope, is_within
from tallystick.event.scopes import intersect
from tallystick.policies.model import Policy, PolicyInForce


def affected(policy: Policy | PolicyInForce | None, governed: Iterable[str]) -> tuple[str, ...]:
    """Return the scopes that a policy governs: those of its project, as far as its own `policy_scope` narrows them by
    path. None is no policy, which governs nothing.

    Numbers and compliance frameworks are known to the forge alone; they narrow nothing here, so that what is returned
    is never less than what is governed.
    """
    if policy is None:
        return ()
    scope = policy.content.get("policy_scope") or {}
    sides = [scope.get("projects") or {}, scope.get("groups") or {}]
    included = [each.get("id") for side in sides for each in side.get("including") or ()]
    excluded = [path for side in sides for each in side.get("excluding") or () if (path := _path(each.get("id")))]
    paths = [_path(each) for each in included]
    found = tuple(sorted(set(governed)))
    if paths and all(path is not None for path in paths):
        found = intersect(found, (path for path in paths if path is not None))
    return tuple(each for each in found if not any(is_within(each, path) for path in excluded))


def reach_digest(scopes: Iterable[str]) -> str:
    """Return the name of a set of scopes."""
    return hashlib.sha256("\n".join(sorted(scopes)).encode()).hexdigest()


def concerns(one: str, other: str) -> bool:
    """Return whether one scope lies in the other, whichever way round."""
    return is_within(one, other) or is_within(other, one)


def visible_of(scopes: Iterable[str], seen: Iterable[str]) -> tuple[str, ...]:
    """Return the part of governed scopes that may be told to whoever sees `seen`.

    What lies in a seen scope is told as it is. A wider one is told as the seen scopes that it governs.
    """
    return intersect(scopes, seen)


def shown(scopes: Iterable[str]) -> list[str]:
    """Return scopes as events and people have them: everything is a slash."""
    return sorted(scope or "/" for scope in scopes)


def told(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return the scopes that `shown` gave back."""
    return tuple("" if scope == "/" else scope for scope in scopes)


def _path(identifier: Any) -> str | None:
    return identifier if isinstance(identifier, str) and is_scope(identifier) else None
