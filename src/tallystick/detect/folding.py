"""Firings become alarms: the first of a rule and group at once, later ones counted and told at bounded intervals.

What is told depends on the firings and the times at which their events were received alone, so the same events give the
same alarms with the same occasions, whenever they are read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from tallystick.detect.firing import Firing
from tallystick.follow.alarm import Alarm
from tallystick.sigma.correlate import some
from tallystick.sigma.correlate_groups import Group, Groups

FOLD_US: Final = 60_000_000
"""So long firings of one rule and group are counted before they are told; a while without any ends it."""
GROUPS_MAX: Final = 20_000


@dataclass
class _Fold:
    due_us: int
    count: int = 0
    first_index: int = -1
    indexes: tuple[int, ...] = ()
    last: dict[str, Any] | None = None


class Folding:
    """The folds that are open, for each rule, scope and group. `dropped` counts those that were told early because there were too many."""

    def __init__(self, groups_max: int = GROUPS_MAX) -> None:
        self._folds: Groups[_Fold] = Groups(lambda: _Fold(0), groups_max)
        self._most = groups_max
        self.dropped = 0
        self.next_us = 0

    def take(self, firing: Firing) -> list[Alarm]:
        """Return what is told at once; the rest is counted."""
        now_us = firing.known_us
        key = (firing.rule.id, firing.rule.version, firing.scope, *firing.group)
        told = self._settle(key, now_us)
        fold = self._folds.find(key)
        alarm = _alarm(firing)
        if firing.recovered:
            if fold is not None:
                told += self._told(key, fold)
                self._folds.forget(key)
            return [*told, alarm]
        if fold is None:
            if len(self._folds) >= self._most:
                told += self._end_oldest()
            fold = self._folds.touch(key)
            fold.due_us = now_us + FOLD_US
            self.next_us = min(self.next_us, fold.due_us)
            return [*told, alarm]
        self._folds.change(key)
        fold.count += 1
        fold.first_index = firing.index if fold.count == 1 else fold.first_index
        fold.indexes = some((*fold.indexes, *firing.indexes))
        fold.last = _plain(alarm)
        return told

    def advance(self, now_us: int) -> list[Alarm]:
        """Return what is due by a time."""
        if now_us < self.next_us:
            return []
        told = []
        for key in [key for key, fold in self._folds if fold.due_us <= now_us]:
            told += self._settle(key, now_us)
        self.next_us = min((fold.due_us for _, fold in self._folds), default=now_us + FOLD_US)
        return told

    def take_changes(self) -> list[tuple[Group, int, Any]]:
        """Return (key, order, plain state or None) of what changed since the last call."""
        return [
            (
                key,
                order,
                None if fold is None else [fold.due_us, fold.count, fold.first_index, list(fold.indexes), fold.last],
            )
            for key, order, fold in self._folds.take_changes()
        ]

    def load(self, rows: Sequence[tuple[Group, int, Any]]) -> None:
        """Take states back, in their order."""
        for key, order, plain in rows:
            self._folds.put(key, order, _Fold(plain[0], plain[1], plain[2], tuple(plain[3]), plain[4]))
        self.next_us = 0

    def _settle(self, key: Group, now_us: int) -> list[Alarm]:
        """Tell what is due of one fold; each time has its own interval, however late this is asked."""
        told: list[Alarm] = []
        while (fold := self._folds.find(key)) is not None and fold.due_us <= now_us:
            if not fold.count:
                self._folds.forget(key)
                break
            told += self._told(key, fold)
            due_us = fold.due_us + FOLD_US
            self._folds.forget(key)
            self._folds.touch(key).due_us = due_us
            self.next_us = min(self.next_us, due_us)
        return told

    def _end_oldest(self) -> list[Alarm]:
        oldest = self._folds.oldest()
        assert oldest is not None
        key, fold = oldest
        self.dropped += 1
        self._folds.forget(key)
        return self._told(key, fold)

    def _told(self, key: Group, fold: _Fold) -> list[Alarm]:
        if not fold.count or fold.last is None:
            return []
        occasion = occasion_of(*key, str(fold.first_index), "folded")
        return [Alarm(**{**fold.last, "occasion": occasion, "count": fold.count, "indexes": fold.indexes})]


def occasion_of(*parts: str) -> str:
    """Return the name of an occasion, which is the same for the same parts and says nothing of them."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:40]


def _alarm(firing: Firing) -> Alarm:
    rule = firing.rule
    named = ", ".join(f"{name}={value or '(none)'}" for name, value in zip(firing.names, firing.group, strict=True))
    return Alarm(
        kind=rule.id,
        key=named or "everything",
        occasion=occasion_of(rule.id, rule.version, *firing.group, str(firing.index), firing.occasion),
        scope=firing.scope,
        severity=rule.severity,
        title=rule.title,
        sentence=firing.sentence,
        at_us=firing.at_us,
        indexes=firing.indexes,
        version=rule.version,
        method=rule.kind,
        recovered=firing.recovered,
    )


def _plain(alarm: Alarm) -> dict[str, Any]:
    return {name: getattr(alarm, name) for name in Alarm.__slots__}
