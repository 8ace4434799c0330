"""Who acts when nobody has been let in yet."""

from __future__ import annotations

from typing import Any, Final

from tallystick.access.acts import Target
from tallystick.access.model import Caller
from tallystick.access.people.model import Visit
from tallystick.access.rights import NOTHING

STRANGER: Final = Target("person", "unknown")


def acting(person: str, visit: Visit, *, name: str = "", session: str | None = None) -> Caller:
    """Return a person as the actor of her own sign-in, who may do nothing else by it."""
    return Caller(person, "user", name or person, NOTHING, visit.address, "page", session=session)


def by_stranger(event: dict[str, Any]) -> dict[str, Any]:
    """Return the event with nobody known as its actor."""
    return {**event, "actor": {"id": "anonymous", "type": "anonymous"}}
