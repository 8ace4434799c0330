"""Sets of scopes, as rights speak of them: each scope stands for itself and everything below it."""

from __future__ import annotations

from collections.abc import Iterable

from tallystick.event.identifier import is_within


def intersect(scopes: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """Return the outermost scopes that lie in both, sorted."""
    limits = roots(others)
    both = {
        narrower
        for scope in roots(scopes)
        for other in limits
        for narrower in ([scope] if is_within(scope, other) else [other] if is_within(other, scope) else [])
    }
    return tuple(sorted(scope for scope in both if not any(is_within(scope, other) for other in both - {scope})))


def roots(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return scopes without slashes at their ends, sorted."""
    return tuple(sorted({scope.strip("/") for scope in scopes}))
