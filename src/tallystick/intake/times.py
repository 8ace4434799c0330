"""The forms in which vendors write a moment."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

_WRITTEN = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,12}))?\s?(Z|z|UTC|[+-]\d\d:?\d\d)?", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS_MAX = 253_402_300_799_999_999


def parse_written(value: Any, *, naive_is_utc: bool) -> datetime | None:
    """Return the moment written as RFC 3339 (a space may stand for the T), or None.

    Without a zone it is None too, unless the map says that this vendor then means UTC. Digits beyond the sixth are cut.
    """
    match = _WRITTEN.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or (match[8] is None and not naive_is_utc):
        return None
    micro = int((match[7] or "0")[:6].ljust(6, "0"))
    try:
        moment = datetime(*(int(match[part]) for part in range(1, 7)), micro, tzinfo=_zone(match[8]))  # type: ignore[misc,arg-type]
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_epoch(value: Any, per_second: int | None) -> datetime | None:
    """Return the moment that many parts of a second after 1970, or None.

    With None for `per_second` the size decides: seconds, milliseconds, microseconds or nanoseconds, which do not
    overlap between the years 1973 and 5138.
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number) >= Decimal(10) ** 20:
        return None
    if per_second is None:
        digits = len(str(abs(int(number))))
        per_second = 1 if digits <= 11 else 1000 if digits <= 14 else 1_000_000 if digits <= 17 else 1_000_000_000
    micro = int(number * 1_000_000 / per_second)
    return _EPOCH + timedelta(microseconds=micro) if 0 <= micro <= _MICROSECONDS_MAX else None


FORMS: dict[str, Callable[[Any], datetime | None]] = {
    "rfc3339": lambda value: parse_written(value, naive_is_utc=False),
    "naive_utc": lambda value: parse_written(value, naive_is_utc=True),
    "epoch_s": lambda value: parse_epoch(value, 1),
    "epoch_ms": lambda value: parse_epoch(value, 1000),
    "epoch_us": lambda value: parse_epoch(value, 1_000_000),
    "epoch": lambda value: parse_epoch(value, None),
}


def format_moment(moment: datetime) -> str:
    """Return RFC 3339 in UTC with six digits."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _zone(text: str | None) -> timezone:
    if text is None or text in ("Z", "z", "UTC"):
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))
