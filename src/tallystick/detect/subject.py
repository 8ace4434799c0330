"""An event on its way through the rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Protocol

import msgspec

from tallystick.errors import VerificationError
from tallystick.event.merge import merge
from tallystick.event.occurred import us_of_time
from tallystick.event.pointer import parse_pointer
from tallystick.follow.product_log import PRODUCT_SOURCE
from tallystick.sigma import EventView

PRODUCT_KIND: Final = "product"
OWN_PREFIXES: Final = ("alert.", "detection.")
"""Events that follow from alarms: a rule about them would alarm about its own alarms."""
_NO_PERSONAL: Final = b"{}"
_decode: Final = msgspec.json.Decoder().decode


class Content(Protocol):
    """What is read of a stored event; without `facts` it was erased."""

    @property
    def index(self) -> int: ...
    @property
    def received_at(self) -> int: ...
    @property
    def source(self) -> int: ...
    @property
    def facts(self) -> bytes | None: ...
    @property
    def personal(self) -> bytes | None: ...


@dataclass(slots=True)
class Subject:
    """An event as rules see it. `event` is facts and personal data together, with `source` and `source_kind` added.

    `received_us` is our clock's; `category` that of the action in the catalogue, None for an undeclared one.
    """

    index: int
    received_us: int
    source_number: int
    kind: str
    category: str | None
    event: dict[str, Any]
    _own: EventView | None = None
    _vendor: dict[int, EventView] | None = None

    @property
    def raw(self) -> Any:
        """The vendor's event, an object or a text; None where nothing was kept."""
        return self.event.get("raw")

    @property
    def is_own(self) -> bool:
        """Whether it follows from alarms."""
        return self.source_number == PRODUCT_SOURCE and self.event["action"].startswith(OWN_PREFIXES)

    def occurred_us(self) -> int:
        """Return when it happened, as its sender says."""
        return us_of_time(self.event["occurred_at"])

    def view(self) -> EventView:
        """Return the view of rules about events as they are stored."""
        if self._own is None:
            self._own = EventView(self.event)
        return self._own

    def raw_view(self, names: Mapping[str, str] | None) -> EventView:
        """Return the view of rules about the vendor's event; a text is its `message`."""
        if self._vendor is None:
            self._vendor = {}
        found = self._vendor.get(id(names))
        if found is None:
            raw = self.raw
            event = raw if isinstance(raw, dict) else {"message": raw}
            found = self._vendor[id(names)] = EventView(event, names)
        return found


def subject_of(
    row: Content, source: Callable[[int], tuple[str, str]], category: Callable[[str], str | None]
) -> Subject | None:
    """Return a stored event for the rules, or None for one whose content was erased or was never of our making.

    `source` gives the name and kind of a source by its number.
    """
    if row.facts is None:
        return None
    event = _merged(row.facts, row.personal)
    if event is None:
        return None
    name, kind = (PRODUCT_KIND_NAME, PRODUCT_KIND) if row.source == PRODUCT_SOURCE else source(row.source)
    event["source"], event["source_kind"] = name, kind
    return Subject(row.index, row.received_at, row.source, kind, category(event["action"]), event)


PRODUCT_KIND_NAME: Final = "tallystick"


def _merged(facts: bytes, personal: bytes | None) -> dict[str, Any] | None:
    """Put facts and personal data together, in the usual case without the checks that only a verifier needs."""
    event: dict[str, Any] = _decode(facts)
    if personal is None or personal == _NO_PERSONAL:
        return event
    try:
        for pointer, value in _decode(personal).items():
            above, last = _path(pointer)
            place: Any = event
            for name in above:
                place = place[name] if type(place) is dict else place[int(name)]
            place[last] = value
    except (KeyError, IndexError, TypeError, ValueError):
        try:
            return merge(facts, personal)
        except VerificationError:
            return None  # the self-check sets such a segment aside and says so
    return event


@lru_cache(maxsize=4096)
def _path(pointer: str) -> tuple[tuple[str, ...], str]:
    path = parse_pointer(pointer)
    return path[:-1], path[-1]
