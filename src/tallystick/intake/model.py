"""What a reader finds in a file, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in the decompressed text: 0-based record and byte, 1-based line and byte in the line."""

    record: int
    line: int
    column: int
    offset: int


@dataclass(frozen=True, slots=True)
class Position:
    """Where reading may go on later: the state after a record."""

    offset: int = 0
    line: int = 1
    line_start: int = 0
    record: int = 0
    layout: str = "values"
    """`values` between whole values, `array` inside a list, `wrapped` inside a list of a wrapping object."""
    lines: bool = False
    """Whether each line has been one value so far, so that a bad line ends where the line ends."""


@dataclass(frozen=True, slots=True)
class Record:
    """One object of the input, its exact text, and where reading goes on after it."""

    place: Place
    value: dict[str, Any]
    data: bytes
    after: Position


@dataclass(frozen=True, slots=True)
class BadRecord:
    """Something that should have been a record and is none. `place` is where the fault shows."""

    place: Place
    reason: str
    after: Position
