"""One correlation over the matches of its rules, by event time.

The time of a match is when the event says that it happened, as long as that is near the time at which it was received
(`event_time`). So a match comes late by at most the allowed lateness, everything that can still share a window with a
match to come is kept, and a replay of the same matches gives the same answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final, Protocol

from tallystick.sigma.correlate_groups import Group, Groups
from tallystick.sigma.correlate_order import by_event, chain_through
from tallystick.sigma.correlate_window import Entry, Held, Window
from tallystick.sigma.errors import SigmaUnsupportedError
from tallystick.sigma.model import Bound, Correlation, CorrelationType, Operator

LATENESS_US: Final = 15 * 60_000_000
AHEAD_US: Final = 5 * 60_000_000
"""How far a sender's clock may be ahead."""
GROUPS_MAX: Final = 20_000
ENTRIES_MAX: Final = 4_096
COUNT_MAX: Final = 50_000
"""The highest count that a condition may ask for."""
GROUPS_OF_ONE_MAX: Final = 32
"""An event whose group fields are lists counts in this many groups at most."""
SHOWN: Final = 8
_LOOKED: Final = 64
_MISSING: Final = ""


class Fields(Protocol):
    """What a correlation asks of a match."""

    def texts(self, path: str) -> tuple[str, ...]:
        """Return the values of a field, as they are written."""
        ...


def event_time(occurred_us: int, received_us: int, lateness_us: int = LATENESS_US) -> int:
    """Return the time at which an event counts: its own claim where that is near its receipt, else its receipt.

    A sender can move its events by no more than that.
    """
    if received_us - lateness_us <= occurred_us <= received_us + AHEAD_US:
        return occurred_us
    return received_us


@dataclass(frozen=True, slots=True)
class Fired:
    """The condition of a correlation holds for a group, in the window that ends at `time_us`.

    `index` is the event that made it so, `count` what was counted, `indexes` the first and last events and some
    between; `values` are some of the different values. `is_new` is False while it goes on holding.
    """

    group: Group
    index: int
    time_us: int
    since_us: int
    count: int
    indexes: tuple[int, ...]
    values: tuple[str, ...] = ()
    is_new: bool = True


@dataclass
class _State:
    window: Window = field(default_factory=Window)
    holds: bool = False
    chain: list[list[int]] = field(default_factory=list)
    """For temporal_ordered: for each number of steps taken, the newest start and the indexes of the steps."""


class Correlator:
    """The state of one correlation. `dropped_entries` counts matches that were forgotten because a group had too many."""

    def __init__(self, correlation: Correlation, lateness_us: int = LATENESS_US, groups_max: int = GROUPS_MAX) -> None:
        self.correlation = correlation
        self.groups: Groups[_State] = Groups(_State, groups_max)
        self.dropped_entries = 0
        self._span = correlation.timespan_us
        self._keep = correlation.timespan_us + lateness_us + AHEAD_US
        self._steps = len(correlation.rules)
        self._bounds = correlation.condition or (Bound(Operator.GTE, len(set(correlation.rules))),)
        self._least = max((least_of(bound) for bound in self._bounds), default=0)
        self._most = max(ENTRIES_MAX, *(2 * bound.count for bound in self._bounds))
        place = correlation.place
        if self._most > 2 * COUNT_MAX:
            message = f"counts above {COUNT_MAX:,} are not evaluated"
            raise SigmaUnsupportedError(message, line=place.line, column=place.column)
        is_ordered = correlation.type is CorrelationType.TEMPORAL_ORDERED
        if is_ordered and (self.holds(self._steps - 1) or not self.holds(self._steps)):
            message = "rules in order are all needed; a condition that asks for fewer is not evaluated"
            raise SigmaUnsupportedError(message, line=place.line, column=place.column)

    def groups_of(self, view: Fields, rule: str) -> list[Group]:
        """Return the groups that an event belongs to as a match of a rule: one, or one for each member of a list."""
        names = self.correlation.aliases
        fields = [names.get(name, {}).get(rule, name) for name in self.correlation.group_by]
        return combinations(view, fields)

    def add(
        self, steps: Sequence[int], group: Group, values: Iterable[str], time_us: int, index: int, now_us: int
    ) -> Fired | None:
        """Count a match in, and say whether the condition holds now in a window that it is in.

        `steps` are the places of the rules that matched, in `correlation.rules`; `values` what value_count counts.
        `now_us` is the time of receipt, which never decreases.
        """
        self._forget_old(now_us)
        state = self.groups.touch(group)
        kind = self.correlation.type
        ordered = kind is CorrelationType.TEMPORAL_ORDERED
        if kind is CorrelationType.EVENT_COUNT:
            entries = [Entry(time_us, index, "")]
        elif kind is CorrelationType.VALUE_COUNT:
            entries = [Entry(time_us, index, value) for value in values]
        else:
            entries = [Entry(time_us, index, self._step_name(step)) for step in steps]
        fired: Fired | None = None
        is_newest = True
        for entry in sorted(set(entries)) if len(entries) > 1 else entries:
            is_newest = state.window.add(entry, self._span)
            if not ordered:
                fired = self._judge(state, entry, group, is_newest=is_newest) or fired
            elif not is_newest:
                state.chain = []
        if ordered and entries:
            fired = self._ordered(state, steps, entries[-1], group)
        self.dropped_entries += state.window.cut(now_us - self._keep, self._most)
        state.holds = fired is not None or (state.holds and not is_newest)
        return fired

    def holds(self, count: int) -> bool:
        """Return whether a count meets every criterion of the condition."""
        for bound in self._bounds:  # noqa: SIM110 a generator costs more than the work within
            if not meets(bound, count):
                return False
        return True

    def take_changes(self) -> list[tuple[Group, int, Any]]:
        """Return (group, order, plain state or None) of what changed since the last call."""
        return [
            (group, order, None if state is None else [state.window.dump(), state.holds, state.chain])
            for group, order, state in self.groups.take_changes()
        ]

    def load(self, rows: Iterable[tuple[Group, int, Any]]) -> None:
        """Take the states of groups back, in their order."""
        for group, order, (entries, holds, chain) in rows:
            state = _State(holds=holds, chain=chain)
            state.window.load(entries, self._span)
            self.groups.put(group, order, state)

    def _step_name(self, step: int) -> str:
        return self.correlation.rules[step]

    def _judge(self, state: _State, entry: Entry, group: Group, *, is_newest: bool) -> Fired | None:
        if is_newest:
            return self._fired(state, state.window.newest(), entry, group)
        if state.window.near(entry, self._span) < self._least:
            return None
        for held in state.window.around(entry, self._span):
            fired = self._fired(state, held, entry, group)
            if fired is not None:
                return fired
        return None

    def _fired(self, state: _State, held: Held, entry: Entry, group: Group) -> Fired | None:
        count = held.events if self.correlation.type is CorrelationType.EVENT_COUNT else held.distinct
        if not self.holds(count):
            return None
        entries = state.window.entries
        # From both ends, so that it costs the same however full the window is.
        first = entries[held.first : min(held.end, held.first + _LOOKED)]
        last = entries[max(held.first, held.end - SHOWN) : held.end]
        is_distinct = self.correlation.type is CorrelationType.VALUE_COUNT
        values = tuple(dict.fromkeys(each.value for each in first))[:SHOWN] if is_distinct else ()
        indexes = some([each.at for each in (*first[:SHOWN], *last)])
        return Fired(group, entry.at, last[-1].time, first[0].time, count, indexes, values, not state.holds)

    def _ordered(self, state: _State, steps: Sequence[int], entry: Entry, group: Group) -> Fired | None:
        """Follow the chain of steps. The entry was put in its place; a late one has it followed again from the start."""
        if state.chain:
            found = self._follow(state.chain, self._steps_of(steps), entry)
        else:
            events = list(by_event(state.window.entries))
            state.chain = [[] for _ in range(self._steps + 1)]
            for event in events:
                taken = [at for at in range(self._steps) if self._step_name(at) in event.rules]
                self._follow(state.chain, taken, Entry(event.time, event.at, ""))
            through = chain_through(events, entry.at, self.correlation.rules, self._span)
            found = None if through is None else (through[-1].time, through[0].time, [each.at for each in through])
        if found is None or not self.holds(len(set(self.correlation.rules))):
            return None
        time, since, indexes = found
        return Fired(group, entry.at, time, since, self._steps, some(indexes), (), not state.holds)

    def _steps_of(self, steps: Sequence[int]) -> list[int]:
        names = {self._step_name(step) for step in steps}
        return [at for at in range(self._steps) if self._step_name(at) in names]

    def _follow(self, chain: list[list[int]], steps: Sequence[int], entry: Entry) -> tuple[int, int, list[int]] | None:
        """Take a step; returns (end, start, indexes) when it was the last one and all of them lie within the timespan.

        An entry of the chain is the start, then the indexes. One event takes one step of a chain.
        """
        for step in sorted(steps, reverse=True):
            if step == 0:
                chain[1] = [entry.time, entry.at]
            elif chain[step] and chain[step][-1] != entry.at:
                chain[step + 1] = [*chain[step], entry.at]
        last = chain[self._steps]
        if not last or last[-1] != entry.at or entry.time - last[0] > self._span:
            return None
        return entry.time, last[0], last[1:]

    def _forget_old(self, now_us: int) -> None:
        """Drop groups in which nothing can happen any more; a few at a time keeps up with what is added."""
        for _ in range(2):
            oldest = self.groups.oldest()
            if oldest is None:
                return
            group, state = oldest
            if state.window.entries and state.window.entries[-1].time >= now_us - self._keep:
                return
            self.groups.forget(group)


def combinations(view: Fields, fields: Sequence[str]) -> list[Group]:
    """Return the values of fields, one for each way to take one value of each; what is missing is an empty text."""
    if not fields:
        return [()]
    if len(fields) == 1:
        texts = view.texts(fields[0])
        if len(texts) == 1:
            return [texts]
    each = [tuple(dict.fromkeys(view.texts(name))) or (_MISSING,) for name in fields]
    found: list[Group] = []
    for values in product(*each):
        found.append(values)
        if len(found) == GROUPS_OF_ONE_MAX:
            break
    return found


def counted_values(view: Fields, fields: Sequence[str]) -> list[str]:
    """Return what value_count counts of an event: nothing where one of the fields is missing."""
    if len(fields) == 1:
        return list(dict.fromkeys(view.texts(fields[0])))
    if any(not view.texts(name) for name in fields):
        return []
    return [" / ".join(value.replace("/", "//") for value in values) for values in combinations(view, fields)]


def meets(bound: Bound, count: int) -> bool:
    """Return whether a count meets one criterion."""
    operator, limit = bound.operator, bound.count
    if operator is Operator.GTE:
        return count >= limit
    if operator is Operator.GT:
        return count > limit
    if operator is Operator.LT:
        return count < limit
    if operator is Operator.LTE:
        return count <= limit
    return (count == limit) is (operator is Operator.EQ)


def least_of(bound: Bound) -> int:
    """Return the least count that could meet a criterion."""
    if bound.operator in (Operator.GTE, Operator.EQ):
        return bound.count
    return bound.count + 1 if bound.operator is Operator.GT else 0


def some(indexes: Sequence[int]) -> tuple[int, ...]:
    """Return the first and the last of many, and a few between, in their order."""
    unique = sorted(set(indexes))
    if len(unique) <= SHOWN:
        return tuple(unique)
    half = SHOWN // 2
    return (*unique[:half], *unique[-half:])
