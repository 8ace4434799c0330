"""Permissions by the area of the product that they are about, so that a page can show them in groups."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Final, Protocol, TypeVar

_AREAS: Final = {
    "events": "Events",
    "reading": "Events",
    "proofs": "Events",
    "views": "Events",
    "exports": "Events",
    "log": "Log and reviews",
    "reviews": "Log and reviews",
    "sources": "Senders and catalogue",
    "tokens": "Senders and catalogue",
    "catalogue": "Senders and catalogue",
    "access": "Access",
    "people": "Access",
    "roles": "Access",
    "grants": "Access",
    "releases": "Releases and policies",
    "policies": "Releases and policies",
    "streams": "Streams",
    "systems": "Duties",
    "exceptions": "Duties",
    "retention": "Duties",
    "rules": "Detection and alerts",
    "alerts": "Detection and alerts",
    "settings": "Installation",
    "health": "Installation",
}
_ORDER: Final = tuple(dict.fromkeys(_AREAS.values()))


class Named(Protocol):
    """What has the name of a permission."""

    @property
    def name(self) -> str:
        """Return the name, such as events.read."""


T = TypeVar("T", bound=Named)


def area(permission: str) -> str:
    """Return the area of a permission, by the first part of its name."""
    return _AREAS[permission.partition(".")[0]]


def by_area(permissions: Iterable[T]) -> list[tuple[str, list[T]]]:
    """Return permissions in groups, one for each area that has any; within one they keep their order."""
    placed = sorted(permissions, key=lambda each: _ORDER.index(area(each.name)))
    return [(title, list(group)) for title, group in groupby(placed, key=lambda each: area(each.name))]
