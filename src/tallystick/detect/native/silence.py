"""Events stop coming: one finding for each outage, and one when it is over.

Time counts as the log received it, so that no sender can claim to have been there, and the time in which this server
itself was down does not count. What is expected is what the rule says, else what the register of sources says, else
what was learned: twice the longest silence that began at such an hour of the week, or the hours beside it, in the last
four weeks, and at most two hours more than that. Until two weeks are known, nothing is expected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tallystick.detect.native.grammar import Settings
from tallystick.detect.native.model import (
    NEVER_US,
    SECOND_US,
    WEEK_HOURS,
    Found,
    Known,
    Seen,
    hour_of,
    hour_of_week,
    name_of_group,
    span,
)
from tallystick.sigma.correlate_groups import Group, Groups

GROUPS_MAX: Final = 2_000
WEEKS: Final = 4
_FLOOR_US: Final = 300 * SECOND_US
"""Nothing shorter counts as learned silence."""
_MORE_US_MAX: Final = 7_200 * SECOND_US
_LEARNED_WEEKS: Final = 2
_LIMIT_US_MIN: Final = 60 * SECOND_US
_LOOK_US: Final = 60 * SECOND_US
"""How often the register of sources is looked at."""


@dataclass
class _State:
    last_us: int = 0
    last_index: int = 0
    first_us: int = 0
    is_out: bool = False
    gaps: dict[int, list[list[int]]] = field(default_factory=dict)
    """By hour of the week in which a silence began: the longest of each of the last weeks, as [week, length]."""


class Silence:
    """Knows of each group when it was heard last."""

    def __init__(self, settings: Settings, known: Known | None = None, groups_max: int = GROUPS_MAX) -> None:
        self._settings = settings
        self._known = known
        self._groups: Groups[_State] = Groups(_State, groups_max)
        self._due: dict[Group, int] = {}  # when a group's silence becomes too long
        self._together: tuple[Group, int] | None = None
        """The group and time of receipt of which the next event changes nothing but the index."""
        self.next_us = 0

    @property
    def dropped(self) -> int:
        return self._groups.dropped

    def feed(self, seen: Seen) -> Sequence[Found]:
        if self._together == (seen.group, seen.now_us):
            known = self._groups.find(seen.group)
            if known is not None:
                known.last_index = seen.index
                self._groups.change(seen.group)
                return ()
        state = self._groups.touch(seen.group)
        found: list[Found] = []
        self._together = (seen.group, seen.now_us) if state.last_us == seen.now_us and not state.is_out else None
        if state.first_us == 0:
            state.first_us = seen.now_us
        elif not state.is_out and seen.now_us - state.last_us >= _LIMIT_US_MIN:
            found += self._missed(seen, state)
        if state.is_out:
            found.append(self._recovered(seen, state))
            state.is_out = False  # and this silence teaches nothing
        elif state.last_us:
            self._learn(state, seen.now_us)
        state.last_us, state.last_index = seen.now_us, seen.index
        if seen.group not in self._due:
            # What is due can only become later by this; `advance` works out when, once it would have been.
            self._due[seen.group] = seen.now_us
            self.next_us = min(self.next_us, seen.now_us + _LIMIT_US_MIN)
        return found

    def advance(self, now_us: int) -> Sequence[Found]:
        self._together = None
        self._welcome(now_us)
        said = self._said()
        for group in list(self._due):
            state = self._groups.find(group)
            if state is None or (self._known is not None and self._is_of_source() and group not in said):
                del self._due[group]  # forgotten, or retired meanwhile
            else:
                self._expect(group, state, said)
        late = sorted((due, group) for group, due in self._due.items() if due <= now_us)
        found = []
        for due, group in late:
            del self._due[group]
            state = self._groups.touch(group)
            state.is_out = True
            found.append(self._found(group, state, due, said))
        self.next_us = min(now_us + _LOOK_US, *self._due.values()) if self._due else now_us + _LOOK_US
        return found

    def _missed(self, seen: Seen, state: _State) -> list[Found]:
        """Return what was due before this event, if nobody let time pass until then."""
        said = self._said()
        limit = self._limit(state, said.get(seen.group))
        if limit is None or state.last_us + limit > seen.now_us:
            return []
        state.is_out = True
        self._due.pop(seen.group, None)
        return [self._found(seen.group, state, state.last_us + limit, said)]

    def shift(self, us: int) -> None:
        """Let so much time not count, because this server was down."""
        self._together = None
        for group in list(self._due):
            state = self._groups.touch(group)
            state.last_us += us
            self._due[group] += us

    def take_changes(self) -> list[tuple[Group, int, Any]]:
        return [
            (
                group,
                order,
                None
                if state is None
                else [state.last_us, state.last_index, state.first_us, state.is_out, list(state.gaps.items())],
            )
            for group, order, state in self._groups.take_changes()
        ]

    def load(self, rows: Sequence[tuple[Group, int, Any]]) -> None:
        self._together = None
        said = self._said()
        for group, order, plain in rows:
            state = _State(plain[0], plain[1], plain[2], plain[3], dict(plain[4]))
            self._groups.put(group, order, state)
            if not state.is_out:
                self._expect(group, state, said)

    def _is_of_source(self) -> bool:
        return self._settings.groups == ("source",)

    def _said(self) -> dict[Group, int | None]:
        if self._known is None or not self._is_of_source():
            return {}
        return {group: expected for group, _, expected in self._known()}

    def _welcome(self, now_us: int) -> None:
        """Expect something of sources that never sent anything, from when this rule or the register first saw them."""
        if self._known is None or not self._is_of_source() or self._settings.expect_us is not None:
            return
        for group, since_us, expected in self._known():
            if expected is not None and self._groups.find(group) is None:
                state = self._groups.touch(group)
                state.last_us = state.first_us = max(since_us, now_us - now_us % _LOOK_US)
                self._expect(group, state, {group: expected})

    def _limit(self, state: _State, registered_us: int | None) -> int | None:
        """Return how long a silence that begins now may be, None where nobody can say."""
        if self._settings.expect_us is not None:
            return self._settings.expect_us
        return max(_LIMIT_US_MIN, registered_us) if registered_us is not None else self._learned(state)

    def _learned(self, state: _State) -> int | None:
        place = hour_of_week(hour_of(state.last_us))
        week = hour_of(state.last_us) // WEEK_HOURS
        beside = [state.gaps.get((place + step) % WEEK_HOURS, ()) for step in (-1, 0, 1)]
        recent = [each for gaps in beside for each in gaps if each[0] > week - WEEKS]
        if len({each[0] for each in recent}) < _LEARNED_WEEKS:
            return None
        longest = max(each[1] for each in recent)
        return max(_FLOOR_US, longest + min(longest, _MORE_US_MAX))

    def _learn(self, state: _State, now_us: int) -> None:
        hour = hour_of(state.last_us)
        place, week, gap = hour_of_week(hour), hour // WEEK_HOURS, now_us - state.last_us
        gaps = state.gaps.setdefault(place, [])
        if gaps and gaps[-1][0] == week:
            gaps[-1][1] = max(gaps[-1][1], gap)
        else:
            gaps.append([week, gap])
            del gaps[:-WEEKS]

    def _expect(self, group: Group, state: _State, said: dict[Group, int | None]) -> None:
        limit = self._limit(state, said.get(group))
        # Where nobody can say yet, it is asked again at the next look.
        self._due[group] = state.last_us + limit if limit is not None else NEVER_US

    def _found(self, group: Group, state: _State, due: int, said: dict[Group, int | None]) -> Found:
        limit = due - state.last_us
        if self._settings.expect_us is not None:
            why = "as this rule says"
        elif said.get(group) is not None:
            why = "as the register of sources says"
        else:
            why = f"by the longest silence from such an hour of the week in {WEEKS} weeks"
        name = name_of_group(self._settings.groups, group)
        sentence = f"{name}: nothing was received for {span(limit)}, the most that is expected, {why}."
        return Found(group, state.last_index, due, sentence, f"silent since {state.last_us}")

    def _recovered(self, seen: Seen, state: _State) -> Found:
        name = name_of_group(self._settings.groups, seen.group)
        sentence = f"{name}: events come again after {span(seen.now_us - state.last_us)} of silence."
        return Found(seen.group, seen.index, seen.now_us, sentence, "recovered", recovered=True)
