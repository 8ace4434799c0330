"""Putting gaps of coverage on record as they open and close, and raising alarms about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from tallystick.follow.alarm import Alarm, Severity
from tallystick.follow.background import PASSING, Background
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.govern.exceptions.model import ExceptionInForce
from tallystick.govern.exceptions.service import ExceptionService
from tallystick.govern.ports import GovernPorts
from tallystick.govern.systems import events
from tallystick.govern.systems.coverage import Coverage, Gap, GapKind
from tallystick.govern.systems.looking import CoverageService
from tallystick.govern.systems.model import DAY_US, System
from tallystick.govern.systems.rows import NEWEST, load_systems, open_gaps, recent_gaps

EVERY_S: Final = 10.0
TOLD_AGAIN_US: Final = 7 * DAY_US
ALARM: Final = "coverage.gap"
_SEVERITY: Final[Mapping[GapKind, Severity]] = {
    GapKind.SILENT: "high",
    GapKind.UNDECLARED: "medium",
    GapKind.SOURCE: "medium",
    GapKind.CATEGORY: "medium",
    GapKind.OWNER: "low",
    GapKind.REVIEW: "low",
}
_TITLE: Final[Mapping[GapKind, str]] = {
    GapKind.SILENT: "Declared activity is silent",
    GapKind.UNDECLARED: "Actions arrive that nobody declared",
    GapKind.SOURCE: "Sources send that nobody declared",
    GapKind.CATEGORY: "Categories without a declaration",
    GapKind.OWNER: "Sources without an owner",
    GapKind.REVIEW: "The declaration is due for review",
}
_telemetry = structlog.get_logger("tallystick.govern")


class CoverageWatch(Background):
    """A thread beside the systems, for as long as the context lasts."""

    def __init__(
        self,
        projection: Projection,
        commands: Commands,
        coverage: CoverageService,
        exceptions: ExceptionService,
        ports: GovernPorts,
    ) -> None:
        self._projection = projection
        self._commands = commands
        self._coverage = coverage
        self._exceptions = exceptions
        self._ports = ports
        self._told: dict[tuple[str, GapKind], frozenset[int]] | None = None  # None until the first pass
        super().__init__("coverage-watch")

    def once(self) -> None:
        """Evaluate every system now, record what opened and closed, and raise the alarms of it."""
        coverages = self._coverage.current()
        with self._projection.engine.connect() as connection:
            known = {(each.system, each.gap) for each in open_gaps(connection)}
        if known != _keys(coverages):
            self._commands.run(partial(self._differences, coverages))
        self._alarm(coverages)

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_S):
            try:
                self.once()
            except PASSING as error:
                _telemetry.error("coverage is not evaluated", error=type(error).__name__, message=str(error))

    def _differences(self, coverages: Sequence[Coverage], connection: Connection) -> list[dict[str, Any]]:
        """Return the events of gaps that opened and closed since they were last put on record."""
        now_us = self._ports.now_us()
        systems = {each.id: each for each in load_systems(connection, NEWEST)}
        evaluated = {each.system.id: each for each in coverages}
        known = {(each.system, each.gap) for each in open_gaps(connection)}
        made = []
        for system, key in sorted(known - _keys(coverages)):
            found = evaluated.get(system)
            # A system that was registered after the evaluation keeps its gaps; one that is retired has none any more.
            if found is None and systems[system].retired_index is None:
                continue
            size, at_us = (found.size, found.at_us) if found else (self._ports.size(), now_us)
            made.append(events.gap(events.GAP_CLOSED, systems[system], key, size, at_us, now_us))
        for system, key in sorted(_keys(coverages) - known):
            if systems[system].retired_index is None:
                found = evaluated[system]
                made.append(events.gap(events.GAP_OPENED, systems[system], key, found.size, found.at_us, now_us))
        return made

    def _alarm(self, coverages: Sequence[Coverage]) -> None:
        """Raise an alarm for each kind of gap of a system in which there are more than were told, and say when all of a
        kind are closed or excepted.
        """
        with self._projection.engine.connect() as connection:
            noticed = {(each.system, each.gap): each for each in open_gaps(connection)}
            systems = {each.id: each for each in load_systems(connection, NEWEST)}
        standing: dict[tuple[str, GapKind], dict[int, Gap]] = defaultdict(dict)
        for coverage in coverages:
            excepted = self._coverage.excepted(coverage.system, coverage.gaps, coverage.at_us)
            self._use(coverage, excepted)
            for each in coverage.gaps:
                record = noticed.get((coverage.system.id, each.key))
                if record is not None and each.key not in excepted:
                    standing[coverage.system.id, each.kind][record.opened_index] = each
        now_us = self._ports.now_us()
        told = self._recently_closed(now_us) if self._told is None else self._told
        alarms = []
        for about in sorted({*standing, *told}):
            now, before = standing.get(about, {}), told.get(about, frozenset())
            if now.keys() - before:
                alarms.append(_opened(systems[about[0]], about[1], now, now_us))
            elif before and not now:
                alarms.append(_closed(systems[about[0]], about[1], before, now_us))
        if alarms:
            self._ports.raise_alarms(alarms)
        self._told = {about: frozenset(found) for about, found in standing.items()}

    def _recently_closed(self, now_us: int) -> dict[tuple[str, GapKind], frozenset[int]]:
        """Return the gaps that closed not long ago: a crash may have come before anybody was told so."""
        found: dict[tuple[str, GapKind], set[int]] = defaultdict(set)
        with self._projection.engine.connect() as connection:
            for each in recent_gaps(connection, now_us - TOLD_AGAIN_US):
                if each.closed_index is not None:
                    found[each.system, GapKind(each.gap.partition(":")[0])].add(each.opened_index)
        return {about: frozenset(opened) for about, opened in found.items()}

    def _use(self, coverage: Coverage, excepted: Mapping[str, ExceptionInForce]) -> None:
        """Count that exceptions cover gaps: each gap once a day."""
        day = coverage.at_us // DAY_US
        for key, exception in excepted.items():
            self._exceptions.used(exception.id, 1, f"coverage:{coverage.system.id}/{key}:{day}")


def _keys(coverages: Sequence[Coverage]) -> set[tuple[str, str]]:
    return {(coverage.system.id, each.key) for coverage in coverages for each in coverage.gaps}


def _opened(system: System, kind: GapKind, gaps: Mapping[int, Gap], now_us: int) -> Alarm:
    """Return the alarm; it is the same occasion as long as no further gap opens."""
    newest, sentences = max(gaps), [gaps[index].sentence for index in sorted(gaps)]
    more = f" And {len(sentences) - 5} more." if len(sentences) > 5 else ""
    return _about(system, kind, f"{newest}", " ".join(sentences[:5]) + more, now_us, indexes=tuple(sorted(gaps)[-10:]))


def _closed(system: System, kind: GapKind, gaps: frozenset[int], now_us: int) -> Alarm:
    said = "Every gap of this kind is closed, or has an exception."
    return _about(system, kind, f"{max(gaps)}:over", said, now_us, recovered=True)


def _about(
    system: System,
    kind: GapKind,
    occasion: str,
    sentence: str,
    now_us: int,
    *,
    indexes: tuple[int, ...] = (),
    recovered: bool = False,
) -> Alarm:
    return Alarm(
        kind=ALARM,
        key=f"{system.id}:{kind}",
        occasion=f"{ALARM}:{system.id}:{kind}:{occasion}",
        scope=system.facts.scopes[0],
        severity=_SEVERITY[kind],
        title=f"{_TITLE[kind]}: {system.facts.name}",
        sentence=sentence,
        at_us=now_us,
        indexes=indexes,
        recovered=recovered,
    )
