"""What a log says about the logs before it in the same directory: erasures of content that they left behind.

A log that ended cannot take an event any more, so the one that goes on from it says what was destroyed there. Such an
event names its log in `metadata.log`; its numbers count on: index i of the successor stands at the sum of the sizes of
the logs from the one named up to the successor, plus i. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

LOG: Final = "log"
_NAME: Final = re.compile(r"(?:.*-)?([0-9]+)", re.ASCII)


def log_named(facts: Mapping[str, Any]) -> str | None:
    """Return the origin of the log that an event of the product is about, None where that is its own."""
    metadata = facts.get("metadata")
    named = metadata.get(LOG) if isinstance(metadata, Mapping) else None
    return named if isinstance(named, str) else None


def in_order(names: Iterable[str]) -> list[str]:
    """Return names of ledgers of one directory in the order in which they followed each other: main, main-2, main-3."""
    return sorted(names, key=_place)


def _place(name: str) -> tuple[int, str]:
    match = _NAME.fullmatch(name)
    return (int(match[1]) if match else 1, name)
