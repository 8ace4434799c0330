"""Lengths of time as people write them: `30s`, `5m`, `1h30m`."""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = {"y": 365 * 86400, "w": 7 * 86400, "d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION: Final = re.compile("".join(rf"(?:(?P<{unit}>\d{{1,9}}){unit})?" for unit in _UNITS))
DURATION_S_MAX: Final = 365 * 86400


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
