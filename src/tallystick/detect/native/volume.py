"""More, or less, in an hour than in the same hour of past weeks.

An hour is one of the clock, UTC. What is usual is the median over the same hour of past weeks, and how much it varies
the median absolute deviation, so that one strange week does not move it. A burst is found by the event that makes it,
once an hour; a drop when its hour is over and the allowed lateness has passed, once for hours in a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from tallystick.counted import counted
from tallystick.detect.native.grammar import Settings
from tallystick.detect.native.model import (
    HOUR_US,
    NEVER_US,
    WEEK_HOURS,
    Found,
    Seen,
    hour_of,
    name_of_group,
    name_of_hour,
)
from tallystick.sigma.correlate_groups import Group, Groups

GROUPS_MAX: Final = 2_000
WEEKS_MIN: Final = 3
_NORMAL: Final = 1.4826
"""Makes a median absolute deviation comparable to a standard deviation."""


@dataclass
class State:
    """What a group did by hour since 1970; hours at which nothing happened are not there."""

    first: int = -1
    last_index: int = 0
    told: int = -1
    """The last hour that was found, or judged."""
    low: int = -1
    """The first hour of those in a row that are too low."""
    hours: dict[int, int] = field(default_factory=dict)


class _Volume:
    """What bursts and drops have in common: counts by hour, for as many weeks as are looked back upon."""

    def __init__(self, settings: Settings, groups_max: int = GROUPS_MAX) -> None:
        self._settings = settings
        self._groups: Groups[State] = Groups(State, groups_max)
        self.next_us = NEVER_US

    @property
    def dropped(self) -> int:
        return self._groups.dropped

    def shift(self, us: int) -> None:
        """Do nothing: hours are those of the clock."""

    def take_changes(self) -> list[tuple[Group, int, Any]]:
        return [
            (
                group,
                order,
                None
                if state is None
                else [state.first, state.last_index, state.told, state.low, list(state.hours.items())],
            )
            for group, order, state in self._groups.take_changes()
        ]

    def load(self, rows: Sequence[tuple[Group, int, Any]]) -> None:
        for group, order, plain in rows:
            self._groups.put(group, order, State(plain[0], plain[1], plain[2], plain[3], dict(plain[4])))

    def _count(self, seen: Seen) -> tuple[State, int]:
        """Count an event in; returns the state of its group and the hour."""
        hour = hour_of(seen.time_us)
        state = self._groups.touch(seen.group)
        if state.first < 0:
            state.first = hour
        state.last_index = seen.index
        if hour not in state.hours:
            oldest = hour - (self._settings.weeks + 1) * WEEK_HOURS
            for old in [each for each in state.hours if each < oldest]:
                del state.hours[old]
        state.hours[hour] = state.hours.get(hour, 0) + 1
        return state, hour

    def _usual(self, state: State, hour: int) -> list[int] | None:
        """Return what happened at that hour of past weeks, None where too few are known."""
        weeks = min(self._settings.weeks, (hour - state.first) // WEEK_HOURS)
        if weeks < WEEKS_MIN:
            return None
        return [state.hours.get(hour - week * WEEK_HOURS, 0) for week in range(1, weeks + 1)]


class Burst(_Volume):
    """Finds hours with far more than usual."""

    def feed(self, seen: Seen) -> Sequence[Found]:
        state, hour = self._count(seen)
        count = state.hours[hour]
        if count < self._settings.at_least or hour <= state.told:
            return ()
        usual = self._usual(state, hour)
        if usual is None:
            return ()
        middle = median(usual)
        deviation = max(1.0, _NORMAL * median(abs(each - middle) for each in usual))
        most = middle + self._settings.deviations * deviation
        if count <= most:
            return ()
        state.told = hour
        sentence = (
            f"{name_of_group(self._settings.groups, seen.group)}: {counted(count, 'event')} on {name_of_hour(hour)} so far; "
            f"{middle:,.0f} are usual at that hour (median of {len(usual)} weeks), at most {most:,.0f}."
        )
        return (Found(seen.group, seen.index, seen.time_us, sentence, f"hour {hour}", count),)

    def advance(self, now_us: int) -> Sequence[Found]:  # noqa: ARG002  nothing is due to time alone
        return ()


class Drop(_Volume):
    """Finds hours with far less than usual, and when that is over."""

    def __init__(self, settings: Settings, groups_max: int = GROUPS_MAX) -> None:
        super().__init__(settings, groups_max)
        self.next_us = 0
        self._judged = -1

    def feed(self, seen: Seen) -> Sequence[Found]:
        self._count(seen)
        return ()

    def advance(self, now_us: int) -> Sequence[Found]:
        over = hour_of(now_us - self._settings.lateness_us) - 1  # the last hour for which nothing comes any more
        self.next_us = (over + 2) * HOUR_US + self._settings.lateness_us
        first = over if self._judged < 0 else max(self._judged + 1, over - WEEK_HOURS)
        found = [each for hour in range(first, over + 1) for each in self._judge(hour)]
        self._judged = max(self._judged, over)
        return found

    def load(self, rows: Sequence[tuple[Group, int, Any]]) -> None:
        super().load(rows)
        self._judged = max((state.told for _, state in self._groups), default=-1)

    def _judge(self, hour: int) -> list[Found]:
        found = []
        for group in [group for group, state in self._groups if state.told < hour]:
            state = self._groups.touch(group)
            state.told = hour
            usual = self._usual(state, hour)
            if usual is None:
                continue
            middle, count = median(usual), state.hours.get(hour, 0)
            is_low = count * 100 < middle * self._settings.below
            if middle < self._settings.at_least or is_low is (state.low >= 0):
                continue
            since, state.low = state.low, hour if is_low else -1
            found.append(self._found(group, state, hour, (count, middle, len(usual)), since))
        return found

    def _found(self, group: Group, state: State, hour: int, numbers: tuple[int, float, int], since: int) -> Found:
        count, middle, weeks = numbers
        name = name_of_group(self._settings.groups, group)
        at_us = (hour + 1) * HOUR_US + self._settings.lateness_us
        usual = f"{middle:,.0f} are usual at that hour (median of {weeks} weeks)"
        if since < 0:
            sentence = f"{name}: {counted(count, 'event')} on {name_of_hour(hour)}; {usual}."
            return Found(group, state.last_index, at_us, sentence, f"hour {hour}")
        sentence = f"{name}: {counted(count, 'event')} on {name_of_hour(hour)}, as usual again after {hour - since:,} h; {usual}."
        return Found(group, state.last_index, at_us, sentence, f"recovered {hour}", recovered=True)
