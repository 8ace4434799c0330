"""Times of the week, month and year in a zone, as Alertmanager's `time_intervals` have them.

A moment is in an interval when it is in one of its parts, and in a part when it meets each of its fields; a field that is
not given is met always. Times are those that a clock on the wall of the zone shows, also on the days when it is put
forward or back: the hour that is skipped never comes, and the one that comes twice counts twice.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

WEEKDAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS: Final = tuple(calendar.month_name[number].lower() for number in range(1, 13))
DAY_MINUTES: Final = 24 * 60
_US: Final = 1_000_000
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Part:
    """Inclusive ranges, but for `times`, whose minutes of the day end before the second one. Sunday is 0.

    Days of the month below zero count from its end.
    """

    times: tuple[Range, ...] = ()
    weekdays: tuple[Range, ...] = ()
    days_of_month: tuple[Range, ...] = ()
    months: tuple[Range, ...] = ()
    years: tuple[Range, ...] = ()
    location: str = "UTC"

    def holds(self, at_us: int) -> bool:
        """Return whether a moment lies in this part."""
        moment = _wall(at_us, self.location)
        minute = moment.hour * 60 + moment.minute
        if self.times and not any(start <= minute < end for start, end in self.times):
            return False
        if self.days_of_month and not _is_day(moment, self.days_of_month):
            return False
        fields = ((self.weekdays, moment.isoweekday() % 7), (self.months, moment.month), (self.years, moment.year))
        return all(not ranges or any(low <= value <= high for low, high in ranges) for ranges, value in fields)


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """Named times: those of any of the parts."""

    name: str
    parts: tuple[Part, ...]

    def holds(self, at_us: int) -> bool:
        """Return whether a moment lies in it."""
        return any(part.holds(at_us) for part in self.parts)


def parse_range(text: str, words: tuple[str, ...], first: int) -> Range:
    """Return a range such as `monday:friday`, `3:5` or one value; `words` are names, of which the first is `first`.

    Raises ValueError.
    """
    start, colon, end = text.strip().lower().partition(":")
    low = _number(start.strip(), words, first)
    high = _number(end.strip(), words, first) if colon else low
    if low > high and not low > 0 > high:  # 20:-1 ends where the month does
        raise ValueError(f"{text} ends before it begins")
    return low, high


def parse_time(text: str) -> int:
    """Return the minute of the day of a time such as 09:30; 24:00 is the day's end. Raises ValueError."""
    hours, colon, minutes = text.partition(":")
    digits = f"{hours}{minutes}"
    if not (colon and digits.isascii() and digits.isdigit() and len(hours) == 2 and len(minutes) == 2):
        raise ValueError("write a time as 09:30")
    value = int(hours) * 60 + int(minutes)
    if value > DAY_MINUTES or int(minutes) > 59:
        raise ValueError(f"{text} is no time of a day")
    return value


def _number(text: str, words: tuple[str, ...], first: int) -> int:
    if text in words:
        return words.index(text) + first
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text!r} cannot be read here") from None


def _wall(at_us: int, location: str) -> datetime:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at_us // _US)
    return moment.astimezone(ZoneInfo(location))


def _is_day(moment: datetime, ranges: tuple[Range, ...]) -> bool:
    last = calendar.monthrange(moment.year, moment.month)[1]
    for low, high in ranges:
        first_day = low if low > 0 else last + low + 1
        last_day = high if high > 0 else last + high + 1
        if first_day <= moment.day <= last_day:
            return True
    return False
