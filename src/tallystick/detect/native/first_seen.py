"""Something not seen before, for a group or for the whole organisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tallystick.counted import counted
from tallystick.detect.native.grammar import Settings
from tallystick.detect.native.model import NEVER_US, Found, Seen, name_of_group, span
from tallystick.sigma.correlate_groups import Group, Groups

GROUPS_MAX: Final = 20_000
VALUES_MAX: Final = 1_000
"""Of one group; for more, the one that was seen longest ago is forgotten and counted."""


@dataclass
class _State:
    since_us: int | None = None
    values: dict[str, int] = field(default_factory=dict)  # when each was seen last, in order of that


class FirstSeen:
    """Remembers what each group did, for as long as the rule's history is."""

    def __init__(self, settings: Settings, groups_max: int = GROUPS_MAX) -> None:
        self._settings = settings
        self._groups: Groups[_State] = Groups(_State, groups_max)
        self._values_dropped = 0
        self.next_us = NEVER_US

    @property
    def dropped(self) -> int:
        return self._groups.dropped + self._values_dropped

    def feed(self, seen: Seen) -> Sequence[Found]:
        self._forget_old(seen.now_us)
        state = self._groups.touch(seen.group)
        if state.since_us is None:
            state.since_us = seen.time_us
        self._cut(state, seen.now_us)
        known_us = seen.time_us - state.since_us
        found = []
        for value in seen.values:
            others = len(state.values)
            last = state.values.pop(value, None)
            state.values[value] = max(seen.time_us, last or 0)
            if last is None and known_us >= self._settings.warm_up_us:
                found.append(self._found(seen, value, others, known_us))
        return found

    def advance(self, now_us: int) -> Sequence[Found]:  # noqa: ARG002  nothing is due to time alone
        return ()

    def shift(self, us: int) -> None:
        """Do nothing: what was not received was not seen."""

    def take_changes(self) -> list[tuple[Group, int, Any]]:
        return [
            (group, order, None if state is None else [state.since_us, list(state.values.items())])
            for group, order, state in self._groups.take_changes()
        ]

    def load(self, rows: Sequence[tuple[Group, int, Any]]) -> None:
        for group, order, plain in rows:
            self._groups.put(group, order, _State(plain[0], dict(plain[1])))

    def _found(self, seen: Seen, value: str, others: int, known_us: int) -> Found:
        names = self._settings
        what = ", ".join(names.value)
        sentence = (
            f"{name_of_group(names.groups, seen.group)}: {what} {value} was not seen in {span(names.history_us)}; "
            f"{counted(others, 'other')} known, watched for {span(known_us)}."
        )
        return Found(seen.group, seen.index, seen.time_us, sentence, value)

    def _cut(self, state: _State, now_us: int) -> None:
        oldest_us = now_us - self._settings.history_us
        while state.values:
            value, last = next(iter(state.values.items()))
            if last >= oldest_us and len(state.values) < VALUES_MAX:
                return
            self._values_dropped += last >= oldest_us
            del state.values[value]

    def _forget_old(self, now_us: int) -> None:
        """Forget groups that did nothing for so long that all they did is forgotten; a few at a time keeps up."""
        for _ in range(2):
            oldest = self._groups.oldest()
            if oldest is None or not oldest[1].values:
                return
            if max(oldest[1].values.values()) >= now_us - self._settings.history_us - self._settings.warm_up_us:
                return
            self._groups.forget(oldest[0])
