"""Activity at an hour of the week at which a group is hardly ever active.

Each group has a histogram over the 168 hours of the week; what is four weeks old counts half. An event is unusual when
the hour that it falls into and the two beside it hold nearly nothing of all that is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tallystick.detect.native.grammar import Settings
from tallystick.detect.native.model import (
    NEVER_US,
    WEEK_HOURS,
    Found,
    Seen,
    hour_of,
    hour_of_week,
    name_of_group,
    name_of_hour,
    percent,
)
from tallystick.sigma.correlate_groups import Group, Groups

GROUPS_MAX: Final = 5_000
HALF_LIFE_WEEKS: Final = 4
_TOTAL_MIN: Final = 10.0
"""With less left, nothing is known of how a group is active now."""


@dataclass
class _State:
    first_us: int = 0
    week: int = 0
    events: int = 0
    total: float = 0.0
    """Of the hours, which count less with time."""
    hours: dict[int, float] = field(default_factory=dict)


class OffHours:
    """Knows when each group is active."""

    def __init__(self, settings: Settings, groups_max: int = GROUPS_MAX) -> None:
        self._settings = settings
        self._groups: Groups[_State] = Groups(_State, groups_max)
        self.next_us = NEVER_US

    @property
    def dropped(self) -> int:
        return self._groups.dropped

    def feed(self, seen: Seen) -> Sequence[Found]:
        hour = hour_of(seen.time_us)
        place, week = hour_of_week(hour), hour // WEEK_HOURS
        state = self._groups.touch(seen.group)
        if state.first_us == 0:
            state.first_us, state.week = seen.time_us, week
        self._age(state, week)
        found = self._judge(seen, state, hour)
        state.hours[place] = state.hours.get(place, 0.0) + 1.0
        state.total += 1.0
        state.events += 1
        return found

    def advance(self, now_us: int) -> Sequence[Found]:  # noqa: ARG002  nothing is due to time alone
        return ()

    def shift(self, us: int) -> None:
        """Do nothing: hours are those of the clock."""

    def take_changes(self) -> list[tuple[Group, int, Any]]:
        return [
            (
                group,
                order,
                None
                if state is None
                else [state.first_us, state.week, state.events, state.total, list(state.hours.items())],
            )
            for group, order, state in self._groups.take_changes()
        ]

    def load(self, rows: Sequence[tuple[Group, int, Any]]) -> None:
        for group, order, plain in rows:
            self._groups.put(group, order, _State(plain[0], plain[1], plain[2], plain[3], dict(plain[4])))

    def _judge(self, seen: Seen, state: _State, hour: int) -> Sequence[Found]:
        settings = self._settings
        known_us = seen.time_us - state.first_us
        if state.events < settings.at_least or state.total < _TOTAL_MIN or known_us < settings.history_us:
            return ()
        place = hour_of_week(hour)
        near = sum(state.hours.get((place + step) % WEEK_HOURS, 0.0) for step in (-1, 0, 1))
        share = near / state.total
        if share * 100 >= settings.share:
            return ()
        sentence = (
            f"{name_of_group(settings.groups, seen.group)}: active on {name_of_hour(hour)}, around which "
            f"{percent(share)} of its activity falls ({state.events:,} events are known, older ones count less); "
            f"below {settings.share} % is unusual."
        )
        return (Found(seen.group, seen.index, seen.time_us, sentence),)

    def _age(self, state: _State, week: int) -> None:
        weeks = week - state.week
        if weeks <= 0:
            return
        factor = 0.5 ** (weeks / HALF_LIFE_WEEKS)
        state.hours = {hour: count * factor for hour, count in state.hours.items() if count * factor > 1e-3}
        state.total = sum(state.hours.values())
        state.week = week
