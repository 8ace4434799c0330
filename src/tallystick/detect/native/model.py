"""What the kinds have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from tallystick.sigma.correlate_groups import Group

SECOND_US: Final = 1_000_000
HOUR_US: Final = 3_600 * SECOND_US
DAY_US: Final = 24 * HOUR_US
WEEK_HOURS: Final = 168
_MONDAY_HOURS: Final = 72
"""The first hour of 1970 was a Thursday's."""


@dataclass(slots=True)
class Seen:
    """An event that a rule looks at, in one of its groups. Times are microseconds; `values` is what may be new."""

    group: Group
    index: int
    time_us: int
    now_us: int
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """Something that a kind found. `sentence` says it with its numbers.

    `occasion` tells findings about one event apart; `index` is the event that shows it, or the last one before.
    """

    group: Group
    index: int
    at_us: int
    sentence: str
    occasion: str = ""
    count: int = 1
    recovered: bool = False


NEVER_US: Final = 1 << 62
"""For a kind to which time alone brings nothing."""
Known = Callable[[], "Sequence[tuple[Group, int, int | None]]"]
"""Groups that are there before any event: (group, since when, the longest silence that is expected of it)."""


class Kind(Protocol):
    """The state of one rule. The same calls in the same order leave the same state and find the same."""

    next_us: int
    """When time alone may bring something: `advance` is called by then at the latest."""

    @property
    def dropped(self) -> int:
        """How many groups or values were forgotten because there were too many."""
        ...

    def feed(self, seen: Seen) -> Sequence[Found]:
        """Take an event in."""
        ...

    def shift(self, us: int) -> None:
        """Let so much time not count, because this server was down."""
        ...

    def advance(self, now_us: int) -> Sequence[Found]:
        """Let time pass: every event received before `now_us` was taken in."""
        ...

    def take_changes(self) -> list[tuple[Group, int, Any]]:
        """Return (group, order, plain state or None) of what changed since the last call."""
        ...

    def load(self, rows: Sequence[tuple[Group, int, Any]]) -> None:
        """Take states back, in their order."""
        ...


def hour_of(time_us: int) -> int:
    """Return the hour since 1970."""
    return time_us // HOUR_US


def hour_of_week(hour: int) -> int:
    """Return the place of an hour in its week: 0 is Monday from midnight to one, UTC."""
    return (hour + _MONDAY_HOURS) % WEEK_HOURS


_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def name_of_hour(hour: int) -> str:
    """Return an hour in words."""
    place = hour_of_week(hour)
    return f"{_DAYS[place // 24]} {place % 24:02}:00 to {(place % 24 + 1) % 24:02}:00 UTC"


def name_of_group(names: Sequence[str], group: Group) -> str:
    """Return a group in words."""
    if not names:
        return "the organisation"
    return ", ".join(f"{name} {value or '(none)'}" for name, value in zip(names, group, strict=True))


def span(us: int) -> str:
    """Return a duration in words, by its two largest units."""
    seconds = max(0, round(us / SECOND_US))
    parts = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        if seconds >= size:
            parts.append(f"{seconds // size:,} {unit}")
            seconds %= size
    return " ".join(parts[:2]) or "0 s"


def percent(share: float) -> str:
    """Return a share in words."""
    return f"{share * 100:.2g} %" if share < 1 else "100 %"
