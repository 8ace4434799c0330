"""Alarms of rules that somebody agreed to make an exception from: counted under the exception, and told to nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tallystick.follow.alarm import Alarm, RaiseAlarms


class Exempt(Protocol):
    """An exception that holds now. `query` narrows it to some events."""

    @property
    def id(self) -> str: ...
    @property
    def query(self) -> str | None: ...


class Exemptions(Protocol):
    """What is excepted; `server` binds it to the register of exceptions."""

    def in_force(self, rule: str, scope: str, /) -> Sequence[Exempt]:
        """Return the exceptions from a rule that hold now in a scope."""
        ...

    def answers(self, query: str, index: int, /) -> bool:
        """Return whether an event answers a query; one whose content is gone answers none."""
        ...

    def used(self, exception: str, count: int, occasion: str, /) -> None:
        """Count a use; durable on return, and once for each occasion."""
        ...


@dataclass(frozen=True, slots=True)
class ExceptedAlarms:
    """Passes alarms on, but for those of rules under an exception.

    Where the exception is for some events only, every event that an alarm stands for has to be one of them: an alarm
    that stands for more events than it names is passed on.
    """

    raise_alarms: RaiseAlarms
    exemptions: Exemptions

    def __call__(self, alarms: Sequence[Alarm], /) -> None:
        """Return when every alarm is durable, as an alert or as a use of an exception."""
        self.raise_alarms([alarm for alarm in alarms if not self._is_excepted(alarm)])

    def _is_excepted(self, alarm: Alarm) -> bool:
        if alarm.version is None or alarm.recovered:
            return False
        for each in self.exemptions.in_force(alarm.kind, alarm.scope):
            if each.query is None or self._all_answer(alarm, each.query):
                self.exemptions.used(each.id, alarm.count, f"rule:{alarm.kind}/{alarm.occasion}")
                return True
        return False

    def _all_answer(self, alarm: Alarm, query: str) -> bool:
        named = bool(alarm.indexes) and alarm.count <= len(alarm.indexes)
        return named and all(self.exemptions.answers(query, index) for index in alarm.indexes)
