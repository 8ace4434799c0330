"""What the pages of retention share."""

from __future__ import annotations

from typing import Final

from litestar import Response

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.web.forms import Form

Page = Response[bytes]
TERMS: Final = ("retention_days", "personal_days", "regulations", "reason")


def values_of(form: Form, names: tuple[str, ...]) -> dict[str, str]:
    """Return what was filled in, by name."""
    return {name: form[name] for name in names}


def outcome_of(change: str | None) -> str:
    """Return what a page says of what was asked for: it is done, or, with the id of a request, somebody decides."""
    return "It is in force." if change is None else "Asked for; somebody else decides."


def may(caller: Caller, permission: Permission) -> bool:
    """Return whether somebody may do that everywhere."""
    return caller.rights.allows(permission, "")
