"""The range of time that a question asks about: presets, shifts, and absolute times for links that others open."""

from __future__ import annotations

from typing import Final

import msgspec

from tallystick.query.moments import format_moment, parse_moment
from tallystick.web.events.question import Asked

_SECOND: Final = 1_000_000
_DAY: Final = 86_400 * _SECOND
#: How many characters of RFC 3339 say a moment that is a multiple of so much; the longest units first.
_CHARS: Final = {_DAY: 10, 60 * _SECOND: 16, _SECOND: 19}
_PRESETS: Final = (
    ("Last hour", "-1h"),
    ("24 hours", "-24h"),
    ("7 days", "-7d"),
    ("30 days", "-30d"),
    ("All time", ""),
)


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """A usual range, and the address of the question over it."""

    text: str
    href: str
    here: bool


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The range and its neighbours; `earlier` and `later` are empty where the range has no two ends."""

    presets: tuple[Preset, ...]
    absolute: str
    earlier: str = ""
    later: str = ""


def window_of(asked: Asked, now_us: int) -> Window:
    """Return what can be done with the range of a question, as of now."""
    low, high = bounds_of(asked, now_us)
    presets = tuple(
        Preset(text=text, href=asked.link(start=start, end=""), here=asked.start == start and not asked.end)
        for text, start in _PRESETS
    )
    fixed = asked.link(
        start="" if low is None else write_moment(low)[0],
        end=write_last(now_us if high is None else high),
    )
    if low is None or low >= (end := now_us if high is None else high):
        return Window(presets=presets, absolute=fixed)
    length = end - low
    return Window(
        presets=presets,
        absolute=fixed,
        earlier=span_link(asked, low - length, low) if low - length > 0 else "",
        later=span_link(asked, end, end + length) if end < now_us else "",
    )


def bounds_of(asked: Asked, now_us: int) -> tuple[int | None, int | None]:
    """Return where the range begins and where it ends, in microseconds, the end not included."""
    start = parse_moment(asked.start.strip(), now_us) if asked.start.strip() else None
    end = parse_moment(asked.end.strip(), now_us) if asked.end.strip() else None
    return (None if start is None else start.start), (None if end is None else end.end)


def span_link(asked: Asked, low: int, high: int) -> str:
    """Return the address of the question over what lies from `low` up to `high`."""
    return asked.link(start=write_moment(low)[0], end=write_last(high))


def write_moment(moment: int) -> tuple[str, int]:
    """Return a moment in the coarsest form that says it, and the length of the unit it is written in."""
    unit = next((unit for unit in _CHARS if not moment % unit), 1)
    return _write(moment, unit), unit


def write_last(high: int) -> str:
    """Return the last moment below `high`, written so that it covers everything up to there."""
    _, unit = write_moment(high)
    return _write(high - unit, unit)


def _write(moment: int, unit: int) -> str:
    text = format_moment(moment)
    if unit == _DAY:
        return text[: _CHARS[_DAY]]  # a day has no zone
    return f"{text[: _CHARS[unit]]}Z" if unit in _CHARS else text
