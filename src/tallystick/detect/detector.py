"""Runs rules over events, in the order of the log: the one evaluation for the stream, for samples and for history.

No clock, no I/O: time is when events were received, and what `advance` is told. The same events and times give the same
firings, whenever the state was saved and taken back between them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import structlog

from tallystick.detect.compiled import RulesInForce, Unit, Use
from tallystick.detect.firing import Firing
from tallystick.detect.logsources import Logsources
from tallystick.detect.native import Found, Seen
from tallystick.detect.sentences import correlation_sentence, match_sentence
from tallystick.detect.subject import Subject
from tallystick.event.identifier import is_within
from tallystick.sigma import EventView, Logsource
from tallystick.sigma.correlate import Fired, combinations, counted_values, event_time

SLOW_US: Final = 50_000
"""An event that takes the rules so long has each of them measured."""
SILENCE: Final = "silence"
STARTED: Final = "server.started"
_BY_SOURCE: Final = ("source",)
Row = tuple[str, tuple[str, ...], int, Any]
_telemetry = structlog.get_logger("tallystick.detect")


class Detector:
    """The state of all rules. `scope_of` gives the scope of a source by its name, for what no event shows."""

    def __init__(self, force: RulesInForce, logsources: Logsources, scope_of: Callable[[str], str]) -> None:
        self.force = force
        self.failures: list[Unit] = []
        self._logsources = logsources
        self._scope_of = scope_of
        self._timed = [unit for unit in force.units.values() if unit.kind is not None]
        self._received_us = 0

    def feed(self, subject: Subject) -> list[Firing]:
        """Take the next event in."""
        fired = self.advance(subject.received_us)
        if subject.event["action"] == STARTED and subject.source_number == 0 and self._received_us:
            for unit in self._timed:
                assert unit.kind is not None
                unit.kind.shift(subject.received_us - self._received_us)
        self._received_us = subject.received_us
        if subject.is_own:
            return fired
        matched = self._matched(subject)
        if matched:
            fired += self._follow(subject, matched)
        return fired

    def advance(self, now_us: int) -> list[Firing]:
        """Let time pass: every event received before `now_us` was taken in."""
        fired: list[Firing] = []
        for unit in self._timed:
            kind = unit.kind
            if kind is not None and kind.next_us <= now_us and not unit.failed:
                fired += [self._found(unit, found, None) for found in kind.advance(now_us)]
        return fired

    def take_changes(self) -> list[Row]:
        """Return (rule, group, order, plain state or None) of what changed since the last call."""
        rows: list[Row] = []
        for unit in self._timed:
            assert unit.kind is not None
            rows += [(unit.state_key, *each) for each in unit.kind.take_changes()]
        for key, correlator in self.force.correlations.correlators.items():
            name = self._correlation_key(key)
            rows += [(name, *each) for each in correlator.take_changes()]
        return rows

    def load(self, rows: Mapping[str, Sequence[tuple[tuple[str, ...], int, Any]]]) -> None:
        """Take states back by rule, each in its order; states of rules that are not in force are left aside."""
        for unit in self._timed:
            assert unit.kind is not None
            unit.kind.load(rows.get(unit.state_key, ()))
        for key, correlator in self.force.correlations.correlators.items():
            correlator.load(rows.get(self._correlation_key(key), ()))

    @property
    def received_us(self) -> int:
        """When the newest event was received; part of the state."""
        return self._received_us

    @received_us.setter
    def received_us(self, received_us: int) -> None:
        self._received_us = received_us

    def state_keys(self) -> set[str]:
        """Return the rules whose state is kept."""
        return {unit.state_key for unit in self._timed} | {
            self._correlation_key(key) for key in self.force.correlations.correlators
        }

    def dropped(self) -> dict[str, int]:
        """Return how many groups, values and matches were forgotten because there were too many, by rule."""
        found = {unit.rule.id: unit.kind.dropped for unit in self._timed if unit.kind is not None}
        for key, correlator in self.force.correlations.correlators.items():
            rule = self.force.correlation_of[key].rule.id
            found[rule] = found.get(rule, 0) + correlator.groups.dropped + correlator.dropped_entries
        return found

    def _correlation_key(self, key: str) -> str:
        return f"{self.force.correlation_of[key].state_key}#{key.rpartition('#')[2]}"

    def _matched(self, subject: Subject) -> dict[str, EventView]:
        """Return the documents that match, each with the view that it matched."""
        origins = self._logsources.origins(subject.kind, subject.category, subject.raw)
        origins.count += 1
        force, found = self.force, dict[str, EventView]()
        view = subject.view()
        for key in self._ask(force.own.match, view, origins.event):
            if self._is_for(force.uses[key].unit, subject):
                found[key] = view
        for names, logsources in origins.raw:
            raw_view = subject.raw_view(names)
            for key in self._ask(force.raw.match, raw_view, logsources):
                if key not in found and self._is_for(force.uses[key].unit, subject):
                    found[key] = raw_view
        return found

    def _ask(
        self,
        match: Callable[[EventView, frozenset[Logsource]], tuple[str, ...]],
        view: EventView,
        origins: frozenset[Logsource],
    ) -> tuple[str, ...]:
        start = time.perf_counter_ns()
        try:
            keys = match(view, origins)
        except Exception:  # noqa: BLE001 - one rule fails, the others go on
            return self._ask_each(view, origins)
        if time.perf_counter_ns() - start > SLOW_US * 1000:
            self._ask_each(view, origins)
        return keys

    def _ask_each(self, view: EventView, origins: Iterable[Logsource]) -> tuple[str, ...]:
        """Ask one rule after the other; one that fails is suspended, and how long each takes is noted."""
        matched = []
        for key, document in list(self.force.documents.items()):
            if not any(document.logsource.covers(each) for each in origins):
                continue
            unit, start = self.force.uses[key].unit, time.perf_counter_ns()
            try:
                if self.force.compiled[key].holds(view):
                    matched.append(key)
            except Exception as error:  # noqa: BLE001 - it is suspended, and that is an alarm
                _telemetry.exception("a rule failed", rule=unit.rule.id)
                self.force.suspend(key, f"{type(error).__name__} while an event was judged")
                self.failures.append(unit)
            unit.slowest_us = max(unit.slowest_us, (time.perf_counter_ns() - start) // 1000)
        return tuple(matched)

    def _is_for(self, unit: Unit, subject: Subject) -> bool:
        rule = unit.rule
        return subject.index >= rule.from_index and (not rule.scope or is_within(subject.event["scope"], rule.scope))

    def _follow(self, subject: Subject, matched: Mapping[str, EventView]) -> list[Firing]:
        fired: list[Firing] = []
        correlations, correlated = self.force.correlations, False
        for key, view in matched.items():
            use = self.force.uses[key]
            use.unit.matched += 1
            if use.unit.kind is not None:
                fired += self._native(use.unit, subject, view)
            elif use.alerts:
                fired += self._alone(use, subject, view)
            correlated = correlated or correlations.refers_to(key)
        if not correlated:
            return fired
        # Rules may allow for more or less lateness: the widest decides what is believed for those that are correlated.
        time_us = self._time(self._lateness(matched), subject)
        for key, found in correlations.feed(matched, time_us, subject.index, subject.received_us):
            unit = self.force.correlation_of[key]
            if unit.correlation == key and self._is_for(unit, subject):
                fired.append(self._correlated(unit, found, subject))
        return fired

    def _lateness(self, matched: Iterable[str]) -> int:
        settings = [file.settings for key in matched if (file := self.force.uses[key].unit.file) is not None]
        return max(each.lateness_us for each in settings)

    def _time(self, lateness_us: int, subject: Subject) -> int:
        return event_time(subject.occurred_us(), subject.received_us, lateness_us)

    def _alone(self, use: Use, subject: Subject, view: EventView) -> list[Firing]:
        unit = use.unit
        assert unit.file is not None
        unit.fired += 1
        names = unit.file.settings.groups
        # Groups are of the event as it is stored where nobody says otherwise: vendors call the actor by many names.
        seen_by = subject.view() if unit.file.settings.group_by is None else view
        at_us = self._time(unit.file.settings.lateness_us, subject)
        sentence = match_sentence(subject)
        return [
            Firing(
                rule=unit.rule,
                names=names,
                group=group,
                scope=subject.event["scope"],
                index=subject.index,
                at_us=at_us,
                known_us=subject.received_us,
                sentence=sentence,
                indexes=(subject.index,),
            )
            for group in combinations(seen_by, names)
        ]

    def _native(self, unit: Unit, subject: Subject, view: EventView) -> list[Firing]:
        assert unit.file is not None
        assert unit.kind is not None
        settings = unit.file.settings
        # No sender can claim to have been there: silence counts by our own clock.
        is_silence = settings.kind == SILENCE
        at_us = subject.received_us if is_silence else self._time(settings.lateness_us, subject)
        values = tuple(counted_values(view, settings.value)) if settings.value else ()
        # A source is one for rules about vendors' events too.
        groups = [(subject.event["source"],)] if settings.groups == _BY_SOURCE else combinations(view, settings.groups)
        fired: list[Firing] = []
        for group in groups:
            seen = Seen(group, subject.index, at_us, subject.received_us, values)
            fired += [self._found(unit, found, subject) for found in unit.kind.feed(seen)]
        return fired

    def _correlated(self, unit: Unit, found: Fired, subject: Subject) -> Firing:
        correlation = self.force.correlations.correlators[unit.correlation].correlation
        unit.fired += 1
        sentence = correlation_sentence(correlation, found)
        return Firing(
            rule=unit.rule,
            names=correlation.group_by,
            group=found.group,
            scope=subject.event["scope"],
            index=subject.index,
            at_us=found.time_us,
            known_us=subject.received_us,
            sentence=sentence,
            indexes=found.indexes,
        )

    def _found(self, unit: Unit, found: Found, subject: Subject | None) -> Firing:
        assert unit.file is not None
        unit.fired += 1
        names = unit.file.settings.groups
        if subject is not None:
            scope = str(subject.event["scope"])
        else:
            scope = self._scope_of(found.group[0]) if names == _BY_SOURCE else unit.rule.scope
        return Firing(
            rule=unit.rule,
            names=names,
            group=found.group,
            scope=scope,
            index=found.index,
            at_us=found.at_us,
            known_us=found.at_us if subject is None else subject.received_us,
            sentence=found.sentence,
            indexes=(found.index,),
            occasion=found.occasion,
            recovered=found.recovered,
        )
