"""Paths into a vendor record, and what an expression of a map can see."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

_SEGMENT = re.compile(r'(?P<name>[^.\[\]"]+)|\["(?P<quoted>[^"]*)"\]|\[(?P<index>\d+)\]|(?P<all>\[\])')
ALL = object()
"""The segment `[]`: every item of a list."""


@dataclass(slots=True)
class Context:
    """What an expression can see: the whole record, the item of an `each`, and the named values of `let`."""

    record: Any
    item: Any = None
    names: dict[str, Any] = field(default_factory=dict)
    folded: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Members by folded key of the objects looked into, by identity; they live as long as the record."""

    def inner(self, item: Any) -> Context:
        """Return the context of one item of an `each`."""
        return Context(self.record, item, self.names, self.folded)


def present(value: Any) -> bool:
    """Whether a vendor said anything by `value`; zero and false are something."""
    return value is not None and value not in ("", [], {})


def as_text(value: Any) -> str:
    """Return `value` as a person would write it: text as it is, everything else as JSON."""
    if isinstance(value, str):
        return str(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def split_root(source: str) -> tuple[str, str]:
    if source.startswith("^."):
        return "^", source[2:]
    if source.startswith("$"):
        name = re.match(r"\$[^.\[]*", source)
        root = name[0] if name else source
        return root, source[len(root) :].removeprefix(".")
    return "", "" if source == "." else source


def walk(value: Any, segments: Sequence[Any], folded: dict[int, dict[str, Any]] | None) -> Any:
    for position, segment in enumerate(segments):
        if isinstance(segment, str):
            if not isinstance(value, dict):
                return None
            value = value.get(segment) if folded is None else _fold(value, folded).get(segment)
        elif segment is ALL:
            items = value if isinstance(value, list) else [value]
            found = [walk(item, segments[position + 1 :], folded) for item in items]
            return [item for item in found if present(item)]
        else:
            value = value[segment] if isinstance(value, list) and segment < len(value) else None
        if value is None:
            return None
    return value


def _fold(holder: dict[str, Any], folded: dict[int, dict[str, Any]]) -> dict[str, Any]:
    members = folded.get(id(holder))
    if members is None:
        members = folded[id(holder)] = {key.casefold(): value for key, value in reversed(holder.items())}
    return members


def parse_segments(path: str) -> tuple[Any, ...] | int:
    """Return the segments of `a.b[0].c`, `a[].b` or `["a.b"].c`, or the 1-based character that cannot be read."""
    segments: list[Any] = []
    position = 0
    while position < len(path):
        if path[position] == "." and segments:
            position += 1
        match = _SEGMENT.match(path, position)
        if match is None:
            return position + 1
        if match["all"]:
            segments.append(ALL)
        elif match["index"]:
            segments.append(int(match["index"]))
        else:
            segments.append(match["name"] if match["quoted"] is None else match["quoted"])
        position = match.end()
    return tuple(segments)
