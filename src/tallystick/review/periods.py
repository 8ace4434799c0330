"""Weeks, quarters and years as duties count them: in UTC, by ISO 8601, with no daylight saving anywhere. Pure."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_US: Final = timedelta(microseconds=1)
_NAME: Final = re.compile(r"(\d{4})(?:-(?:W(\d\d)|Q(\d)))?", re.ASCII)
DAY_US: Final = 86_400_000_000


class Cadence(enum.StrEnum):
    """How often a duty falls due."""

    WEEK = "week"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Period:
    """One stretch of time, from `start` up to but not including `end`, in microseconds since 1970."""

    name: str
    start: int
    end: int


def period_at(cadence: Cadence, at_us: int) -> Period:
    """Return the period that holds a time."""
    day = (_EPOCH + at_us * _US).date()
    match cadence:
        case Cadence.WEEK:
            monday = day - timedelta(days=day.weekday())
            year, week, _ = monday.isocalendar()
            return _period(f"{year:04}-W{week:02}", monday, monday + timedelta(days=7))
        case Cadence.QUARTER:
            quarter = (day.month - 1) // 3
            following = date(day.year + 1, 1, 1) if quarter == 3 else date(day.year, quarter * 3 + 4, 1)
            return _period(f"{day.year:04}-Q{quarter + 1}", date(day.year, quarter * 3 + 1, 1), following)
        case Cadence.YEAR:
            return _period(f"{day.year:04}", date(day.year, 1, 1), date(day.year + 1, 1, 1))


def parse_period(name: str) -> Period:
    """Return the period of that name; raises ValueError for a name that no period has."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError(f"{name!r} is not a period")
    year, week, quarter = found.groups()
    if week:
        period = period_at(Cadence.WEEK, _us(date.fromisocalendar(int(year), int(week), 1)))
    elif quarter:
        period = period_at(Cadence.QUARTER, _us(date(int(year), int(quarter) * 3 - 2, 1)))
    else:
        period = period_at(Cadence.YEAR, _us(date(int(year), 1, 1)))
    assert period.name == name
    return period


def periods_ended(cadence: Cadence, since_us: int, now_us: int) -> Iterator[Period]:
    """Yield the periods that have ended by now, the oldest first, beginning with the one that holds `since_us`."""
    period = period_at(cadence, since_us)
    while period.end <= now_us:
        yield period
        period = period_at(cadence, period.end)


def _period(name: str, first: date, following: date) -> Period:
    return Period(name, _us(first), _us(following))


def _us(day: date) -> int:
    return (datetime(day.year, day.month, day.day, tzinfo=UTC) - _EPOCH) // _US
