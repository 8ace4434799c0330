"""How one value of a detection is compared: the kinds of check that modifiers make of values.

A check says nothing about how values are joined, or negated; `predicates` does that.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Final

from tallystick.sigma.wildcards import Pattern

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class TextCheck:
    """The text is as one of the patterns; case counts only where `cased`. No pattern: nothing is."""

    patterns: tuple[Pattern, ...]
    cased: bool = False


@dataclass(frozen=True, slots=True)
class RegexCheck:
    """The expression is found in the text. `flags` are of `i`, `m` and `s`."""

    expression: str
    flags: str


@dataclass(frozen=True, slots=True)
class CidrCheck:
    """The value is an address in one of the networks."""

    networks: tuple[Network, ...]


@dataclass(frozen=True, slots=True)
class CompareCheck:
    """The value is a number, or written as one, and stands so to `number`; `part` takes it out of a time first."""

    operator: str
    number: int | float
    part: str = ""


@dataclass(frozen=True, slots=True)
class FieldCheck:
    """The text is, or has at its `ends` or inside, the text of another field."""

    path: str
    how: str = ""
    cased: bool = False


@dataclass(frozen=True, slots=True)
class NullCheck:
    """The field is missing, or null."""


@dataclass(frozen=True, slots=True)
class ExistsCheck:
    """The field is there, or is not."""

    expected: bool


Check = TextCheck | RegexCheck | CidrCheck | CompareCheck | FieldCheck | NullCheck | ExistsCheck

COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    "lt": float.__lt__,
    "lte": float.__le__,
    "gt": float.__gt__,
    "gte": float.__ge__,
    "eq": float.__eq__,
}
TIME_PARTS: Final = ("minute", "hour", "day", "week", "month", "year")


def number_of(value: Any) -> float | None:
    """Return the number that a value is or is written as, or None. true and false are none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str) and len(value) <= 40 and value[-1:].isdigit():
        try:
            return float(value)
        except ValueError:
            return None
    return None


def time_part(value: Any, part: str) -> int | None:
    """Return a part of a moment as it is written, without regard to its zone, or None for what is no moment.

    A text is a date or a time of ISO 8601. A number counts seconds, milliseconds or microseconds since 1970, by its
    size, in UTC. Weeks are those of ISO 8601.
    """
    moment = _moment(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    if moment is None:
        return None
    if part == "week":
        return moment.isocalendar().week
    return int(getattr(moment, part))


@lru_cache(maxsize=4096)
def _moment(value: str | float) -> datetime | None:
    try:
        if not isinstance(value, str):
            size = abs(value)
            seconds = value / 1_000_000 if size >= 1e14 else value / 1_000 if size >= 1e11 else value
            return datetime.fromtimestamp(seconds, UTC)
        if len(value) == len("2026-01-01"):
            day = date.fromisoformat(value)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        return datetime.fromisoformat(value)
    except (ValueError, OverflowError, OSError):
        return None


@lru_cache(maxsize=16384)
def address_of(text: str) -> tuple[int, int] | None:
    """Return the version and number of the address in `text`, an IPv4 address within IPv6 as IPv4; None for others."""
    try:
        address = ipaddress.ip_address(text.strip().removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return 4, int(address.ipv4_mapped)
    return address.version, int(address)
