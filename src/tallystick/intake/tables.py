"""Look-up tables with exact keys and, after them, patterns with `*` in the order they are written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Generic, TypeVar

Entry = TypeVar("Entry")
_REMEMBERED_MAX = 4096


class Table(Generic[Entry]):
    """A table from text to entries. Answers are remembered, because vendors repeat themselves."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._exact = {key: entry for key, entry in entries.items() if "*" not in key}
        self._patterns = [(_pattern(key), entry) for key, entry in entries.items() if "*" in key]
        self._remembered: dict[str, Entry | None] = {}

    def find(self, key: str) -> Entry | None:
        """Return the entry whose key is `key`, else that of the first pattern that fits all of it, else None."""
        if key in self._exact:
            return self._exact[key]
        if key in self._remembered:
            return self._remembered[key]
        found = next((entry for pattern, entry in self._patterns if _fits(pattern, key)), None)
        if len(self._remembered) < _REMEMBERED_MAX:
            self._remembered[key] = found
        return found


def _pattern(key: str) -> tuple[str, ...]:
    return tuple(re.sub(r"\*+", "*", key).split("*"))


def _fits(parts: tuple[str, ...], text: str) -> bool:
    """Whether `text` is the parts in order with anything between; the leftmost fit of each is enough."""
    first, *middle, last = parts
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    position, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True
