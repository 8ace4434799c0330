"""What stands around the content of every page: navigation, the state of the ledger, who is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, Literal

import msgspec
from litestar import Request

from tallystick import __version__
from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.api.services import Services
from tallystick.errors import TallystickError
from tallystick.ledger.model import LedgerStatus
from tallystick.web.caller import visitor
from tallystick.web.flash import Flash, read_flash
from tallystick.web.grants.banner import open_glass

Tier = Literal["self-consistent", "witnessed"]
_US: Final = 1_000_000
_THEME_COOKIE: Final = "tallystick-theme"
_THEMES: Final = ("light", "dark")


@dataclass(frozen=True, slots=True)
class Room:
    """A place in the navigation, for who holds one of the permissions anywhere; for everybody when there are none."""

    area: str
    label: str
    path: str
    permissions: tuple[Permission, ...] = ()


#: By area, in the order in which they are shown.
ROOMS: Final = (
    Room("Watch", "Events", "/events", (Permission.EVENTS_READ, Permission.EVENTS_READ_OWN)),
    Room("Watch", "Alerts", "/alerts", (Permission.ALERTS_READ,)),
    Room("Watch", "Rules", "/rules", (Permission.RULES_READ,)),
    Room("Watch", "Exports", "/exports", (Permission.EVENTS_EXPORT,)),
    Room("Duties", "Reviews", "/reviews", (Permission.REVIEWS_READ,)),
    Room("Duties", "Calendar", "/calendar", (Permission.REVIEWS_READ,)),
    Room("Duties", "Systems", "/systems", (Permission.SYSTEMS_READ,)),
    Room("Duties", "Exceptions", "/exceptions", (Permission.EXCEPTIONS_READ,)),
    Room("Duties", "Retention", "/retention", (Permission.RETENTION_READ,)),
    Room("Registers", "Releases", "/releases", (Permission.RELEASES_READ,)),
    Room("Registers", "Policies", "/policies", (Permission.POLICIES_READ,)),
    Room("Log", "Log", "/log", (Permission.LOG_READ,)),
    Room("Log", "Sources", "/sources", (Permission.SOURCES_READ,)),
    Room("Log", "Streams", "/streams", (Permission.STREAMS_READ,)),
    Room("Log", "Catalogue", "/catalogue", (Permission.CATALOGUE_READ,)),
    Room("Administration", "Access", "/access", (Permission.ACCESS_READ, Permission.GRANTS_REQUEST)),
    Room("Administration", "Settings", "/settings", (Permission.SETTINGS_READ,)),
    Room("Administration", "Health", "/health", (Permission.HEALTH_READ,)),
)


class Badge(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the ledger in one line. `trouble` is why it does not take events, or what is being retried."""

    origin: str
    size: int
    checkpoint_age_s: float
    tier: Tier
    witnessed_size: int
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A link of the navigation; `here` marks the room that the page is in."""

    label: str
    path: str
    here: bool


@dataclass(frozen=True, slots=True)
class Area:
    """Rooms that belong together, of which somebody may enter at least one; `path` is the first of those."""

    label: str
    path: str
    here: bool
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Banner:
    """Something that everybody must see on every page, and where to read more."""

    text: str
    path: str


@dataclass(frozen=True, slots=True)
class Chrome:
    """What `base.html` shows around a page. `caller` is None on pages for strangers, which learn nothing."""

    title: str
    path: str
    twin: str
    areas: tuple[Area, ...]
    badge: Badge | None
    caller: Caller | None
    theme: str
    flash: Flash | None
    organisation: str
    banner: Banner | None
    version: str = __version__


def make_chrome(request: Request[Any, Any, Any], services: Services, title: str) -> Chrome:
    """Return the surroundings of a page for whoever looks at it."""
    caller = _who(request, services)
    path = request.scope["path"]
    theme = request.cookies.get(_THEME_COOKIE, "")
    return Chrome(
        title=title,
        path=path,
        twin=_twin(request),
        areas=() if caller is None else areas_of(caller, path),
        badge=None if caller is None else make_badge(services.ledger.status()),
        caller=caller,
        theme=theme if theme in _THEMES else "",
        flash=read_flash(request),
        organisation="" if caller is None else str(services.settings.get("organisation.name")),
        banner=None if caller is None else _banner(services, caller),
    )


def make_badge(status: LedgerStatus) -> Badge:
    """Return the badge of a ledger. *Witnessed* is said only of a ledger with a cosigned checkpoint."""
    trouble = status.read_only or "; ".join(f"{stage}: {why}" for stage, why in sorted(status.trouble.items()))
    return Badge(
        origin=status.origin,
        size=status.committed.size,
        checkpoint_age_s=max(0, status.now - status.committed.at) / _US,
        tier="witnessed" if status.witnessed.size else "self-consistent",
        witnessed_size=status.witnessed.size,
        trouble=trouble,
    )


def _banner(services: Services, caller: Caller) -> Banner | None:
    """Return the newest emergency in force that concerns whoever looks, and how many more there are."""
    glass = open_glass(services, caller)
    if not glass:
        return None
    more = f" And {len(glass) - 1} more." if len(glass) > 1 else ""
    return Banner(glass[0].text + more, glass[0].path)


def _who(request: Request[Any, Any, Any], services: Services) -> Caller | None:
    try:
        return visitor(request, services)
    except TallystickError:
        return None  # an error page about just this is being made


def areas_of(caller: Caller, path: str) -> tuple[Area, ...]:
    """Return the rooms that are open to somebody by area, those marked that `path` is in."""
    open_rooms = [
        room for room in ROOMS if not room.permissions or any(caller.rights.anywhere(each) for each in room.permissions)
    ]
    areas = []
    for label, rooms in groupby(open_rooms, key=attrgetter("area")):
        entries = tuple(Entry(room.label, room.path, here=_is_in(path, room)) for room in rooms)
        areas.append(Area(label, entries[0].path, any(entry.here for entry in entries), entries))
    return tuple(areas)


def _is_in(path: str, room: Room) -> bool:
    return path == room.path or path.startswith(f"{room.path}/")


def _twin(request: Request[Any, Any, Any]) -> str:
    query = request.scope["query_string"].decode("ascii", "replace")
    return f"{request.scope['path'].rstrip('/')}.json" + (f"?{query}" if query else "")
