"""An event as a rule sees it: the values of a field by its dotted path, each worked out once.

A path goes into objects by their keys; where that leads nowhere, a key that itself holds dots is found too. Where it
meets a list it means every member. What a path gives is never empty for a field that is there: an object, and a list
without members, stand for themselves, and have no text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
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
            values = self.get(path)
            if len(values) == 1 and type(values[0]) is str:
                found = values
            else:
                found = tuple([text for text in map(text_of, values) if text is not None])
            self._texts[path] = found
        return found

    def folded(self, path: str) -> tuple[str, ...]:
        found = self._folded.get(path)
        if found is None:
            value = self._event.get(path) if self._names is None and "." not in path else None
            if type(value) is str:
                found = (value.casefold(),)  # what most rules ask for, at the least cost
            else:
                texts = self.texts(path)
                found = (texts[0].casefold(),) if len(texts) == 1 else tuple([text.casefold() for text in texts])
            self._folded[path] = found
        return found

    def whole(self) -> str:
        if self._whole is None:
            found: list[str] = []
            _gather(self._event.values(), found)
            self._whole = "\n".join(found)
        return self._whole

    def whole_folded(self) -> str:
        if self._whole_folded is None:
            self._whole_folded = self.whole().casefold()
        return self._whole_folded


def find(event: Mapping[str, Any], path: str) -> tuple[Any, ...]:
    """Return the values at `path` in `event`, as `View.get` promises them."""
    value: Any = event
    parts = _parts(path)
    for part in parts:
        if type(value) is not dict:
            if type(value) is list and len(parts) == 2:
                members = _of_each(value, part)
                if members:
                    return members
            break
        value = value.get(part, _MISSING)
    else:
        if value is not _MISSING and type(value) is not list:
            return (value,)
    found: list[Any] = []
    _descend(event, parts, 0, found)
    return tuple(found)


def _of_each(members: list[Any], name: str) -> tuple[Any, ...]:
    """Return one member of every object of a list, nothing where that is not so simple."""
    found = []
    for member in members:
        if type(member) is not dict:
            return ()
        value = member.get(name, _MISSING)
        if type(value) is list:
            return ()
        if value is not _MISSING:
            found.append(value)
    return tuple(found)


@lru_cache(maxsize=16_384)
def _parts(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


_MISSING: Final = object()


def _descend(value: Any, parts: tuple[str, ...], start: int, found: list[Any]) -> None:
    """Add what stands at the rest of the path; the shortest keys that lead to something are taken."""
    if start == len(parts):
        if isinstance(value, list):
            _spread(value, found)
        else:
            found.append(value)
    elif isinstance(value, Mapping):
        before = len(found)
        for end in range(start + 1, len(parts) + 1):
            key = ".".join(parts[start:end])
            if key in value:
                _descend(value[key], parts, end, found)
                if len(found) > before:
                    return
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


def _gather(members: Iterable[Any], found: list[str]) -> None:
    """Add the texts of values and of all that is in them."""
    for member in members:
        kind = type(member)
        if kind is str:
            found.append(member)
        elif kind is dict:
            _gather(member.values(), found)
        elif kind is list:
            _gather(member, found)
        else:
            text = text_of(member)
            if text is not None:
                found.append(text)
