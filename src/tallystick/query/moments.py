"""Points in time as people write them: absolute with the precision they chose, or relative to now.

An absolute moment covers the unit it was written in: `2026-03-01` is that whole day, `2026-03-01T10:15` that minute. A
relative one (`-7d`, `now`, `now-2h`) is a single microsecond. Times without a zone are UTC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

_UNIT_US = {"s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000, "w": 604_800_000_000}
_RELATIVE = re.compile(r"(?:now)?(?:([+-])(\d{1,9})([smhdw]))?", re.ASCII)
_ABSOLUTE = re.compile(
    r"(\d{4})-(\d\d)(?:-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d{0,3})?)?([Zz]|[+-]\d\d:?\d\d)?)?)?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST_US = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST_US = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


@dataclass(frozen=True, slots=True)
class Moment:
    """From `start` up to but not including `end`, in microseconds since 1970."""

    start: int
    end: int


def parse_moment(text: str, now_us: int) -> Moment | None:
    """Return the moment that `text` names, or None when it names none."""
    relative = _RELATIVE.fullmatch(text)
    if relative is not None and text:
        sign, count, unit = relative.groups()
        shift = int(count) * _UNIT_US[unit] * (-1 if sign == "-" else 1) if count else 0
        moment = now_us + shift
        return Moment(moment, moment + 1) if _FIRST_US <= moment < _LAST_US else None
    absolute = _ABSOLUTE.fullmatch(text)
    if absolute is None:
        return None
    try:
        return _absolute(absolute)
    except (ValueError, OverflowError):
        return None


def format_moment(moment_us: int) -> str:
    """Return the microsecond as RFC 3339 in UTC with six digits."""
    return (_EPOCH + moment_us * _MICROSECOND).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def parse_instant(text: str) -> int:
    """Return the microseconds of an RFC 3339 time as events store it."""
    return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND


def _absolute(match: re.Match[str]) -> Moment:
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    start = datetime(
        int(year),
        int(month),
        int(day or 1),
        int(hour or 0),
        int(minute or 0),
        int(second or 0),
        int((fraction or "").ljust(6, "0")),
        tzinfo=_zone(zone),
    )
    if fraction:
        end = start + timedelta(microseconds=10 ** (6 - len(fraction)))
    elif second:
        end = start + timedelta(seconds=1)
    elif minute:
        end = start + timedelta(minutes=1)
    elif day:
        end = start + timedelta(days=1)
    else:
        end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return Moment((start - _EPOCH) // _MICROSECOND, (end - _EPOCH) // _MICROSECOND)


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))
