"""An event on its way through the rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import msgspec

from tallystick.errors import VerificationError
from tallystick.event.disclosure import Disclosure
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
    _views: dict[int, EventView] = field(default_factory=dict)

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
        return self._view(0, self.event, None)

    def raw_view(self, names: Mapping[str, str] | None) -> EventView:
        """Return the view of rules about the vendor's event; a text is its `message`."""
        raw = self.raw
        return self._view(1 if names is None else id(names), raw if isinstance(raw, dict) else {"message": raw}, names)

    def _view(self, key: int, event: Mapping[str, Any], names: Mapping[str, str] | None) -> EventView:
        found = self._views.get(key)
        if found is None:
            found = self._views[key] = EventView(event, names)
        return found


def subject_of(
    row: Disclosure, source: Callable[[int], tuple[str, str]], category: Callable[[str], str | None]
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
            place: Any = event
            path = _path(pointer)
            for name in path[:-1]:
                place = place[name] if isinstance(place, dict) else place[int(name)]
            place[path[-1]] = value
    except (KeyError, IndexError, TypeError, ValueError):
        try:
            return merge(facts, personal)
        except VerificationError:
            return None  # the self-check sets such a segment aside and says so
    return event


@lru_cache(maxsize=4096)
def _path(pointer: str) -> tuple[str, ...]:
    return parse_pointer(pointer)
