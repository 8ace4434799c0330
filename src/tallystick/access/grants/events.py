"""The events of roles and grants: what each says for ever, and what of it is personal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tallystick.access.acts import Target, act
from tallystick.access.grants.model import Grant, Terms
from tallystick.access.model import Caller
from tallystick.access.rights import NOTHING

#: The product itself, where nobody acts.
PRODUCT: Final = Caller("tallystick", "system", "tallystick", NOTHING, "local", "command-line")


def asking(caller: Caller, action: str, terms: Terms, reason: str | None, now_us: int) -> dict[str, Any]:
    """Return the event that brings a grant into being: a request, the setup, or a broken glass."""
    metadata = {
        **_about(terms),
        "permissions": sorted(terms.permissions),
        "until": terms.until_us,
        "extends": terms.extends,
        "digest": terms.digest,
        "via": caller.via,
    }
    return act(caller, action, Target("grant", terms.grant), metadata, now_us, scope=terms.scope, reason=reason)


def deciding(
    caller: Caller, action: str, grant: Grant, authority: Sequence[str], reason: str | None, now_us: int
) -> dict[str, Any]:
    """Return the event of a decision, bound to exactly what was asked for."""
    metadata = {
        **_about(grant.terms),
        "digest": grant.terms.digest,
        "authority": list(authority),
        "via": caller.via,
    }
    return act(caller, action, Target("grant", grant.id), metadata, now_us, scope=grant.scope, reason=reason)


def ending(caller: Caller, grant: Grant, reason: str | None, now_us: int) -> dict[str, Any]:
    """Return the event that ends a grant before its time."""
    metadata = {**_about(grant.terms), "via": caller.via}
    return act(caller, "access.revoked", Target("grant", grant.id), metadata, now_us, scope=grant.scope, reason=reason)


def succeeding(caller: Caller, grant: Grant, successor: str, now_us: int) -> dict[str, Any]:
    """Return the event that ends a grant because another was approved in its place."""
    metadata = {"grant": grant.id, "successor": successor, "via": caller.via}
    return act(caller, "access.extended", Target("grant", grant.id), metadata, now_us, scope=grant.scope)


def expiring(grant: Grant, now_us: int) -> dict[str, Any]:
    """Return the event that says that the end of a grant was noticed."""
    metadata = {"grant": grant.id, "until": grant.terms.until_us}
    return act(PRODUCT, "access.expired", Target("grant", grant.id), metadata, now_us, scope=grant.scope)


def _about(terms: Terms) -> dict[str, Any]:
    return {
        "grant": terms.grant,
        "subject_kind": terms.subject.kind,
        "subject": terms.subject.id,
        "role": terms.role,
        "scope": terms.scope,
    }
