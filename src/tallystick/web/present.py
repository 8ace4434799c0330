"""Numbers, ages, sizes, times and hostile values as people read them. Pure functions; the templates call them."""

from __future__ import annotations

import json
from typing import Any, Final

from markupsafe import Markup, escape

from tallystick.durations import format_age
from tallystick.event.visible import show, visible
from tallystick.query.moments import format_moment, parse_instant

_US: Final = 1_000_000
_TENTHS_BELOW_S: Final = 10
_SIZES: Final = ("bytes", "kB", "MB", "GB", "TB", "PB")


def number(value: int) -> str:
    """Return a whole number with separators: 1,204."""
    return f"{value:,}"


def percent(part: float, whole: float) -> str:
    """Return a share as a whole percentage; of nothing it is 0 %."""
    return f"{round(100 * part / whole) if whole else 0} %"


def offset(seconds: float) -> str:
    """Return how far one clock is from another, either way: 0.4 s, -3 min, 95 days."""
    far = abs(seconds)
    return ("-" if seconds < 0 else "") + (f"{far:.1f} s" if far < _TENTHS_BELOW_S else format_age(far))


def size(count: int) -> str:
    """Return a number of bytes in the unit that leaves up to three digits before the point."""
    amount, unit = float(count), 0
    while amount >= 1000 and unit < len(_SIZES) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{count:,} bytes" if unit == 0 else f"{amount:.1f} {_SIZES[unit]}"


def instant(moment: int | str) -> str:
    """Return microseconds, or an RFC 3339 time as events store it, as RFC 3339 in UTC."""
    return format_moment(moment if isinstance(moment, int) else parse_instant(moment))


def clock(moment: int | str) -> str:
    """Return a time as tables show it, in UTC: 2026-11-20 10:15:03."""
    return instant(moment)[:19].replace("T", " ")


def day(moment: int | str) -> str:
    """Return the day of a time, in UTC: 2026-11-20."""
    return instant(moment)[:10]


def plain(value: Any) -> str:
    """Return any JSON value as one text, strings as they are."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def shown(value: Any, chars_max: int = 200) -> str:
    """Return a value from outside, cut with its length stated, hiding and reordering characters made visible."""
    return show(plain(value), chars_max)


def exact(value: str) -> Markup:
    """Return text escaped but otherwise as it is: for the fields of forms and for what is copied, never to be read."""
    return Markup("") + escape(value)


def lines(value: str) -> Markup:
    """Return text of several lines, made visible and escaped line by line: for code and JSON in `pre`."""
    return Markup("\n").join(escape(visible(line)) for line in value.split("\n"))


def indented(value: Any) -> Markup:
    """Return a JSON value over several lines, made visible and escaped: for `pre`."""
    return lines(json.dumps(value, ensure_ascii=False, indent=2))


def finish(value: Any) -> Any:
    """Make every expression of every template visible: a text that nobody thought of cannot hide or reorder others.

    Markup is left alone: a macro, or `exact` and its like, made it.
    """
    return visible(value) if type(value) is str else value
