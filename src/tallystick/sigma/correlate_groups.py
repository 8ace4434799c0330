"""State by group: bounded, least recently touched first, and it knows what changed since it was last saved.

Nothing here looks at a clock: the same calls in the same order leave the same state, which is what a replay is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

S = TypeVar("S")
Group = tuple[str, ...]


class Groups(Generic[S]):
    """The states of the groups of one rule. `dropped` counts groups that were forgotten because there were too many."""

    def __init__(self, make: Callable[[], S], most: int) -> None:
        self._make = make
        self._most = most
        self._states: dict[Group, S] = {}  # in order of touching
        self._orders: dict[Group, int] = {}
        self._next_order = 0
        self._changed: dict[Group, None] = {}
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._states)

    def __iter__(self) -> Iterator[tuple[Group, S]]:
        return iter(self._states.items())

    def find(self, group: Group) -> S | None:
        """Return the state of a group, or None; that does not count as touching it."""
        return self._states.get(group)

    def touch(self, group: Group) -> S:
        """Return the state of a group for being changed, new where there was none."""
        state = self._states.pop(group, None)
        if state is None:
            state = self._make()
            if len(self._states) >= self._most:
                self.forget(next(iter(self._states)))
                self.dropped += 1
        self._states[group] = state
        self._orders[group] = self._next_order
        self._next_order += 1
        self._changed[group] = None
        return state

    def change(self, group: Group) -> None:
        """Note that the state of a group was changed, without touching it."""
        self._changed[group] = None

    def oldest(self) -> tuple[Group, S] | None:
        """Return the group that was touched longest ago, or None when there is none."""
        return next(iter(self._states.items()), None)

    def forget(self, group: Group) -> None:
        """Drop a group: nothing that can still happen would need it."""
        if self._states.pop(group, None) is not None:
            del self._orders[group]
            self._changed[group] = None

    def put(self, group: Group, order: int, state: S) -> None:
        """Take a state back as it was saved; groups come in their order."""
        self._states[group] = state
        self._orders[group] = order
        self._next_order = max(self._next_order, order + 1)

    def take_changes(self) -> list[tuple[Group, int, S | None]]:
        """Return (group, order, state) of what changed since the last call; the state is None for one that is gone."""
        changes = [(group, self._orders.get(group, 0), self._states.get(group)) for group in self._changed]
        self._changed.clear()
        return changes
