"""Lengths of time: as people write them (`30s`, `5m`, `1h30m`), and as they are told (12 min, 31 days)."""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = {"y": 365 * 86400, "w": 7 * 86400, "d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION: Final = re.compile("".join(rf"(?:(?P<{unit}>\d{{1,9}}){unit})?" for unit in _UNITS))
DURATION_S_MAX: Final = 366 * 86400
_DAY_S: Final = 86_400
_AGES: Final = ((3_600, "h"), (60, "min"), (1, "s"))


def parse_duration(text: str) -> int:
    """Return seconds; raises ValueError for what is no length of time, or longer than a year."""
    if text == "0":
        return 0
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise ValueError("write it as 30s, 5m, 4h or 1h30m")
    seconds = sum(int(match[unit] or 0) * length for unit, length in _UNITS.items())
    if seconds > DURATION_S_MAX:
        raise ValueError("it is longer than a year")
    return seconds


def format_duration(seconds: int) -> str:
    """Return seconds as `parse_duration` reads them, in the largest units that fit."""
    parts = []
    for unit, length in _UNITS.items():
        count, seconds = divmod(seconds, length)
        if count and unit not in {"y", "w"}:
            parts.append(f"{count}{unit}")
        elif count:
            seconds += count * length
    return "".join(parts) or "0s"


def format_age(seconds: float) -> str:
    """Return a length of time in its largest unit: 3 s, 12 min, 4 h, 31 days."""
    whole = max(0, int(seconds))
    if whole >= _DAY_S:
        days = whole // _DAY_S
        return "1 day" if days == 1 else f"{days:,} days"
    for length, unit in _AGES:
        if whole >= length:
            return f"{whole // length} {unit}"
    return "0 s"
