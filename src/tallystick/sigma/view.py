"""An event as a rule sees it: the values of a field by its dotted path, each worked out once.

A path goes into objects by their keys; a key that itself holds dots is found as well. Where it meets a list it means
every member. What a path gives is never empty for a field that is there: an object, and a list without members, stand
for themselves, and have no text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol


class View(Protocol):
    """What a rule asks of an event. Answers never change while the view lives."""

    def get(self, path: str) -> tuple[Any, ...]:
        """Return the values at `path`, none when the field is missing."""
        ...

    def texts(self, path: str) -> tuple[str, ...]:
        """Return the values at `path` that have a text, as they are written."""
        ...

    def folded(self, path: str) -> tuple[str, ...]:
        """Return the same texts without regard to case."""
        ...

    def whole(self) -> str:
        """Return all texts of the event, one a line."""
        ...

    def whole_folded(self) -> str:
        """Return the same without regard to case."""
        ...


def text_of(value: object) -> str | None:
    """Return how a value is written, or None for what has no text: null, an object, a list without members."""
    if isinstance(value, str):
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int | float):
        return repr(value)
    return None


class EventView:
    """A view on an event that was read from JSON. `names` gives other paths for the fields that rules ask for."""

    __slots__ = ("_event", "_folded", "_names", "_texts", "_values", "_whole", "_whole_folded")

    def __init__(self, event: Mapping[str, Any], names: Mapping[str, str] | None = None) -> None:
        self._event = event
        self._names = names
        self._values: dict[str, tuple[Any, ...]] = {}
        self._texts: dict[str, tuple[str, ...]] = {}
        self._folded: dict[str, tuple[str, ...]] = {}
        self._whole: str | None = None
        self._whole_folded: str | None = None

    def get(self, path: str) -> tuple[Any, ...]:
        found = self._values.get(path)
        if found is None:
            name = path if self._names is None else self._names.get(path, path)
            found = self._values[path] = find(self._event, name)
        return found

    def texts(self, path: str) -> tuple[str, ...]:
        found = self._texts.get(path)
        if found is None:
            found = self._texts[path] = tuple(
                [text for text in [text_of(value) for value in self.get(path)] if text is not None]
            )
        return found

    def folded(self, path: str) -> tuple[str, ...]:
        found = self._folded.get(path)
        if found is None:
            found = self._folded[path] = tuple([text.casefold() for text in self.texts(path)])
        return found

    def whole(self) -> str:
        if self._whole is None:
            self._whole = "\n".join(_leaves(self._event))
        return self._whole

    def whole_folded(self) -> str:
        if self._whole_folded is None:
            self._whole_folded = self.whole().casefold()
        return self._whole_folded


def find(event: Mapping[str, Any], path: str) -> tuple[Any, ...]:
    """Return the values at `path` in `event`, as `View.get` promises them."""
    value = event.get(path, _MISSING)
    if value is _MISSING:
        if "." not in path:
            return ()
        found: list[Any] = []
        _descend(event, path.split("."), 0, found)
        return tuple(found)
    if not isinstance(value, list):
        return (value,)
    found = []
    _spread(value, found)
    return tuple(found)


_MISSING: Final = object()


def _descend(value: Any, parts: list[str], start: int, found: list[Any]) -> None:
    """Add what stands at the rest of the path; several keys with dots may lead there."""
    if start == len(parts):
        if isinstance(value, list):
            _spread(value, found)
        else:
            found.append(value)
    elif isinstance(value, dict):
        for end in range(start + 1, len(parts) + 1):
            key = parts[start] if end == start + 1 else ".".join(parts[start:end])
            if key in value:
                _descend(value[key], parts, end, found)
    elif isinstance(value, list):
        for member in value:
            _descend(member, parts, start, found)


def _spread(members: list[Any], found: list[Any]) -> None:
    """Add the members of a list, and of the lists in it."""
    if not members:
        found.append(members)
    for member in members:
        if isinstance(member, list):
            _spread(member, found)
        else:
            found.append(member)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for member in value.values():
            yield from _leaves(member)
    elif isinstance(value, list):
        for member in value:
            yield from _leaves(member)
    else:
        text = text_of(value)
        if text is not None:
            yield text
