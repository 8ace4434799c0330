"""Retention as it stands: classes with their disk, holds, what waits for a decision, the next run and the past ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.errors import CorruptionError
from tallystick.event.erasure import Part
from tallystick.event.periods import DAY_US, FOR_EVER
from tallystick.event.spans import Spans
from tallystick.follow.projection import Projection
from tallystick.retain.content import Content
from tallystick.retain.errors import RetentionUnknownError
from tallystick.retain.model import Change, Hold, Kind, RetentionClass, Rule, Run, State, Tally
from tallystick.retain.plan import Ground
from tallystick.retain.ports import RetentionPorts
from tallystick.retain.rows import (
    get_change,
    get_class,
    load_changes,
    load_classes,
    load_holds,
    load_rules,
    load_runs,
    request_indexes,
)
from tallystick.retain.runner import Runner
from tallystick.store.tables.sources import SOURCE

LISTED_MAX: Final = 200
UNREADABLE: Final = "content-unreadable"


@dataclass(frozen=True, slots=True)
class ClassStanding:
    """A class with what it holds on disk, its days in force now, and when its oldest content goes (microseconds)."""

    kept: RetentionClass
    events: int
    bytes: int
    days_in_force: float
    personal_in_force: float
    next_expiry: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything at the moment `now`."""

    now: int
    classes: tuple[ClassStanding, ...]
    rules: tuple[Rule, ...]
    holds: tuple[Hold, ...]
    waiting: tuple[Change, ...]
    decided: tuple[Change, ...]
    due: tuple[Tally, ...]
    next_run: int
    runs: tuple[Run, ...]
    failed: str | None


@dataclass(frozen=True, slots=True)
class Staying:
    """What of a decided erasure is still there: `hold` None is what waits to be sealed, or for the next run."""

    events: int
    hold: str | None


class RetentionReading:
    """May be used from any thread. Every look is on record."""

    def __init__(
        self,
        projection: Projection,
        content: Content,
        runner: Runner,
        next_run: Callable[[], int],
        ports: RetentionPorts,
    ) -> None:
        self._projection = projection
        self._content = content
        self._runner = runner
        self._next_run = next_run
        self._ports = ports

    def standing(self, caller: Caller) -> Standing:
        """Return retention as it stands. Raises PermissionMissingError."""
        require(caller, Permission.RETENTION_READ, "")
        self._ports.looked(caller, "retention", "")
        now = self._ports.now_us()
        with self._projection.engine.connect() as connection:
            classes, rules = load_classes(connection), load_rules(connection)
            holds = load_holds(connection, active=False)
            changes = load_changes(connection, LISTED_MAX)
            runs = load_runs(connection, LISTED_MAX)
        ground, disk = self._content.ground(), self._content.disk()
        due: tuple[Tally, ...] = ()
        unreadable = None
        try:
            due = tuple(self._runner.preview())
        except (OSError, CorruptionError) as error:  # the page is where that has to be seen
            unreadable = getattr(error, "code", UNREADABLE)
        return Standing(
            now,
            tuple(self._class(each, ground, disk.get(each.number, (0, 0)), now) for each in classes.values()),
            tuple(rules),
            tuple(holds),
            tuple(each for each in changes if each.state is State.OPEN),
            tuple(each for each in changes if each.state is not State.OPEN),
            due,
            max(self._next_run(), now),
            tuple(runs),
            self._runner.failed or unreadable,
        )

    def change(self, caller: Caller, change: str) -> tuple[Change, tuple[Staying, ...]]:
        """Return a proposal; of an erasure also what is still there of it, and which hold keeps it. Raises RetentionUnknownError."""
        require(caller, Permission.RETENTION_READ, "")
        self._ports.looked(caller, "retention request", "")
        with self._projection.engine.connect() as connection:
            found = get_change(connection, change)
            asked = {index for index, _ in request_indexes(connection, found.change)}
        if found.kind is not Kind.ERASURE:
            return found, ()
        return found, tuple(self._staying(asked))

    def class_names(self) -> dict[int, str]:
        """Return the names of all classes by number."""
        with self._projection.engine.connect() as connection:
            return {number: each.name for number, each in load_classes(connection).items()}

    def class_number(self, name: str) -> int:
        """Return the number of a class; raises RetentionUnknownError."""
        with self._projection.engine.connect() as connection:
            return get_class(connection, name).number

    def source_names(self) -> dict[int, str]:
        """Return the names of all sources by number."""
        with self._projection.engine.connect() as connection:
            rows = connection.execute(select(SOURCE.c.number, SOURCE.c.name))
            return {0: "tallystick", **{row.number: row.name for row in rows}}

    def source_number(self, name: str) -> int:
        """Return the number of a source; raises RetentionUnknownError."""
        for number, each in self.source_names().items():
            if name in (each, str(number)):
                return number
        raise RetentionUnknownError(f"there is no source {name[:64]!r}")

    def _staying(self, requests: set[int]) -> list[Staying]:
        ground = self._content.ground()
        history = ground.history
        asked = Spans(range_ for index in requests for range_ in history.request_spans(index).ranges())
        taken = [each.ranges for each in history.erasures if each.decision and each.decision.request in requests]
        left = asked - Spans(range_ for ranges in taken for range_ in ranges)
        return [Staying(count, hold) for hold, count in self._content.held(left, ground).items()]

    def _class(self, kept: RetentionClass, ground: Ground, disk: tuple[int, int], now: int) -> ClassStanding:
        days, personal = (
            ground.history.retention_days(kept.number, ground.size, now, part) for part in (Part.ALL, Part.PERSONAL)
        )
        whole = FOR_EVER if kept.keeps_facts else days
        oldest = self._content.oldest(kept.number)
        soonest = min(whole, personal)
        next_expiry = None if oldest is None or soonest == FOR_EVER else oldest + int(soonest * DAY_US)
        return ClassStanding(kept, disk[0], disk[1], whole, personal, next_expiry)
