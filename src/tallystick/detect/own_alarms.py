"""The watcher's own failures, as alarms, and the clocks of senders. Each is told once for each time that it happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final

from tallystick.detect.compiled import Unit
from tallystick.detect.detector import SLOW_US
from tallystick.detect.folding import occasion_of
from tallystick.detect.standing import Standing
from tallystick.detect.subject import Subject
from tallystick.event.occurred import time_of_us
from tallystick.follow.alarm import Alarm, Severity
from tallystick.sigma.correlate import AHEAD_US

RULE_FAILED: Final = "detection.rule_failed"
RULE_SLOW: Final = "detection.rule_slow"
BEHIND: Final = "detection.behind"
BLOCKED: Final = "detection.blocked"
UNJUDGED: Final = "detection.event_failed"
DROPPED: Final = "detection.groups_dropped"
CLOCK_AHEAD: Final = "detection.clock_ahead"
BEHIND_S: Final = 60.0
CAUGHT_UP_S: Final = 10.0
OWN_SCOPE: Final = "tallystick"
"""Where what is of the whole installation lies."""
_DAY_US: Final = 86_400_000_000


class OwnAlarms:
    """Remembers what was told, so that the same is not told at every look; the occasions hold after a restart too."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._told: set[str] = set()
        self._failing: dict[str, Alarm] = {}
        self._mended: dict[str, tuple[str, ...]] = {}
        self._behind_index: int | None = None
        self._ahead: tuple[int, str] = (-1, "")

    def failed(self, units: Iterable[Unit]) -> list[Alarm]:
        """Return alarms about rules that are suspended."""
        alarms = []
        for unit in units:
            if unit.failed:
                rule = unit.rule
                sentence = f"The rule “{rule.title}” ({rule.id}) is suspended: {unit.failed}"
                occasion = (rule.version, unit.failed, *self._mended.get(rule.id, ()))
                told = self._once(RULE_FAILED, rule.id, occasion, "high", "A rule failed", sentence)
                self._failing.update((each.key, each) for each in told)
                alarms += told
        return alarms

    def mended(self, units: Mapping[str, Unit]) -> list[Alarm]:
        """Return that it is over for rules that were suspended and run now; one that is gone leaves its alarm as it is."""
        over = [key for key in self._failing if key in units and not units[key].failed]
        alarms = []
        for key in over:
            told, rule = self._failing.pop(key), units[key].rule
            self._mended[key] = (told.occasion,)  # failing the same way again is another occasion
            sentence = f"The rule “{rule.title}” ({rule.id}) runs again."
            alarm = self._alarm(RULE_FAILED, key, (told.occasion, "over"), "high", "A rule failed", sentence)
            alarms.append(replace(alarm, recovered=True))
        return alarms

    def blocked(self, index: int, why: str) -> list[Alarm]:
        """Return an alarm: nothing is judged from an index on."""
        sentence = f"Nothing is judged from event {index:,} on: {why}"
        return self._once(BLOCKED, "engine", (str(index), why), "critical", "Detection stands still", sentence)

    def unjudged(self, subject: Subject, error: Exception) -> list[Alarm]:
        """Return an alarm: an event was passed over."""
        sentence = f"Event {subject.index:,} was passed over: {type(error).__name__} while it was judged."
        return [
            self._alarm(
                UNJUDGED,
                "engine",
                (str(subject.index),),
                "high",
                "An event could not be judged",
                sentence,
                subject.received_us,
                OWN_SCOPE,
                subject.index,
            )
        ]

    def skew(self, subject: Subject) -> list[Alarm]:
        """Return an alarm when an event claims to come from the future, once a day for each source."""
        if self._ahead[0] != subject.received_us:
            self._ahead = (subject.received_us, time_of_us(subject.received_us + AHEAD_US))
        claimed = subject.event["occurred_at"]
        if claimed <= self._ahead[1]:
            return []
        source = str(subject.event["source"])
        sentence = (
            f"Source {source}: event {subject.index:,} says {claimed[:19]}Z and was received at "
            f"{time_of_us(subject.received_us)[:19]}Z; more than {AHEAD_US // 60_000_000} min ahead is not believed."
        )
        day = str(subject.received_us // _DAY_US)
        title = "A sender's clock is ahead"
        return self._once(
            CLOCK_AHEAD,
            source,
            (day,),
            "medium",
            title,
            sentence,
            subject.received_us,
            subject.event["scope"],
            subject.index,
        )

    def watched(self, standing: Standing) -> list[Alarm]:
        """Return alarms about what the standing shows."""
        alarms = self._lag(standing)
        for rule in standing.rules:
            if rule.dropped:
                size = str(len(str(rule.dropped)))  # told again when it is ten times as much
                sentence = (
                    f"The rule “{rule.title}” ({rule.id}) forgot {rule.dropped:,} groups, values or matches: there are "
                    "more than it may keep. Narrow what it looks at, or group by something with fewer values."
                )
                title = "A rule forgets groups"
                alarms += self._once(DROPPED, rule.id, (rule.version, size), "medium", title, sentence)
            if rule.slowest_us >= SLOW_US:
                sentence = f"The rule “{rule.title}” ({rule.id}) took {rule.slowest_us / 1000:,.0f} ms for one event."
                alarms += self._once(RULE_SLOW, rule.id, (rule.version,), "low", "A rule is slow", sentence)
        return alarms

    def _lag(self, standing: Standing) -> list[Alarm]:
        title, index = "Detection is behind", self._behind_index
        if index is None and min(standing.lag_s, standing.behind_s) > BEHIND_S:
            self._behind_index = index = standing.next_index
            sentence = (
                f"{standing.lag:,} events are not judged yet; the oldest was received {standing.lag_s:,.0f} s ago."
            )
            return self._once(BEHIND, "engine", (str(index),), "high", title, sentence)
        if index is not None and standing.lag_s < CAUGHT_UP_S:
            self._behind_index = None
            sentence = f"Every event up to {standing.next_index:,} is judged."
            alarm = self._alarm(BEHIND, "engine", (str(index), "over"), "high", title, sentence)
            return [replace(alarm, recovered=True)]
        return []

    def _once(
        self,
        kind: str,
        key: str,
        occasion: tuple[str, ...],
        severity: Severity,
        title: str,
        sentence: str,
        at_us: int | None = None,
        scope: str = OWN_SCOPE,
        index: int | None = None,
    ) -> list[Alarm]:
        alarm = self._alarm(kind, key, occasion, severity, title, sentence, at_us, scope, index)
        if alarm.occasion in self._told:
            return []
        if len(self._told) > 10_000:
            self._told.clear()  # telling again changes nothing
        self._told.add(alarm.occasion)
        return [alarm]

    def _alarm(
        self,
        kind: str,
        key: str,
        occasion: tuple[str, ...],
        severity: Severity,
        title: str,
        sentence: str,
        at_us: int | None = None,
        scope: str = OWN_SCOPE,
        index: int | None = None,
    ) -> Alarm:
        return Alarm(
            kind=kind,
            key=key,
            occasion=occasion_of(kind, key, *occasion),
            scope=scope,
            severity=severity,
            title=title,
            sentence=sentence,
            at_us=self._now_us() if at_us is None else at_us,
            indexes=() if index is None else (index,),
        )
