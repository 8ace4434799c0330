"""`occurred_at`: any RFC 3339 time with a zone in, one form out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from tallystick.event.refusals import BadTimeError, LeapSecondError, TimeWithoutZoneError

_RFC_3339: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|([+-])(\d\d):(\d\d))?", re.ASCII
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def normalise_time(text: str) -> str:
    """Return an RFC 3339 time in UTC with six digits of fraction, further digits cut off.

    Raises BadTimeError or one of its kinds. The forms sort as text in the order of time.
    """
    match = _RFC_3339.fullmatch(text)
    if match is None:
        raise BadTimeError(f"{text[:64]!r} is not an RFC 3339 time")
    year, month, day, hour, minute, second, fraction, zulu, sign, hours, minutes = match.groups()
    if second == "60":
        raise LeapSecondError(f"{text[:64]!r} is a leap second")
    if zulu is None and sign is None:
        raise TimeWithoutZoneError(f"{text[:64]!r} has no zone")
    microsecond = int((fraction or "0")[:6].ljust(6, "0"))
    try:
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), microsecond)  # noqa: DTZ001 - its zone comes next
        if sign is None or hours == minutes == "00":
            return f"{year}-{month}-{day}T{hour}:{minute}:{second}.{microsecond:06}Z"
        return format_time(moment.replace(tzinfo=_zone(sign, int(hours), int(minutes))).astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise BadTimeError(f"{text[:64]!r} is not a time that exists: {error}") from error


def _zone(sign: str, hours: int, minutes: int) -> timezone:
    if minutes > 59:
        raise ValueError("minutes of the offset must be in 0..59")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if sign == "-" else offset)


def format_time(moment: datetime) -> str:
    """Return an aware UTC time in the one form."""
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def time_of_us(microseconds: int) -> str:
    """Return the one form of a time given in microseconds since 1970."""
    return format_time(_EPOCH + timedelta(microseconds=microseconds))


def us_of_time(text: str) -> int:
    """Return the microseconds since 1970 of a time in the one form."""
    since = datetime.fromisoformat(text) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
