"""The run: what is due is destroyed, one bounded erasure after another, and everything else that held it lets go.

Nothing is remembered between erasures but the log: an interrupted run is gone on with by the next. What follows an
erasure outside the ledger (tables, exports, caches) is done again until a note beside the tables says that it was.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import select

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.counted import counted
from tallystick.errors import TallystickError
from tallystick.event.erasure import Part
from tallystick.event.periods import DAY_US, KEPT_CLASS
from tallystick.event.spans import Spans
from tallystick.follow.alarm import Alarm
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.ledger.erase import CLOCK_MARGIN_US, ErasureOrder
from tallystick.retain import events
from tallystick.retain.content import Content
from tallystick.retain.events import RANGES_MAX
from tallystick.retain.model import Tally
from tallystick.retain.plan import Slice, due
from tallystick.retain.ports import RetentionPorts
from tallystick.store.database import drop_traces
from tallystick.store.tables.evidence import ERASURE

EVENTS_MAX: Final = 1 << 21
"""Of one erasure: while it is made, no other state of the product changes."""
REWRITTEN_MAX: Final = 1 << 17
"""Of one erasure that leaves facts behind, which have to be written anew."""
ALARM_KIND: Final = "retention.run_failed"
LEAP_KIND: Final = "retention.clock_leapt"
LEAP_US: Final = 30 * DAY_US
_telemetry = structlog.get_logger("tallystick.retain")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did."""

    events: int
    erasures: int
    took_ms: int


class Runner:
    """Runs one at a time; may be asked from any thread."""

    def __init__(self, projection: Projection, commands: Commands, content: Content, ports: RetentionPorts) -> None:
        self._projection = projection
        self._commands = commands
        self._content = content
        self._ports = ports
        self._turn = threading.RLock()
        self._failed: str | None = None
        self._failing_since = 0

    @property
    def failed(self) -> str | None:
        """The code of what the last run failed at; None where it did not."""
        return self._failed

    def preview(self) -> list[Tally]:
        """Return what a run would take now."""
        return [self._content.tally(each) for each in due(self._content.ground(), self._due_until())]

    def has_leapt(self) -> bool:
        """Return whether the clock went on by a month, or nothing ran for so long, less than a day ago; that is told once.

        What a wrong clock destroys is gone for good: the daily run waits a day for somebody to look at it.
        """
        now = self._ports.clock_us()
        before = self._content.received_before(now - DAY_US)
        if before is None or now - before < LEAP_US:
            return False
        days = (now - before) // DAY_US
        sentence = (
            f"The clock went on by {days} days since the log was written to; expiry waits a day, or is asked for."
        )
        title = "Expiry waits: the clock went far ahead"
        alarm = Alarm(LEAP_KIND, "clock", f"{LEAP_KIND} {before}", "tallystick", "high", title, sentence, now)
        self._tell(alarm)
        return True

    def run_for(self, caller: Caller) -> Outcome:
        """Run now, because somebody who manages retention asks for it."""
        require(caller, Permission.RETENTION_MANAGE, "")
        return self.run(caller.id)

    def run(self, by: str, stopping: Callable[[], bool] = lambda: False) -> Outcome:
        """Destroy everything that is due, and return how much that was; raises what stopped it, which is on record then.

        `by` is who asked for it, or `schedule`; once `stopping` says so, the rest is left to the next run.
        """
        with self._turn:
            started, taken, erasures = time.monotonic(), 0, 0
            try:
                self.tidy()
                for take_next in (self._take_next_decided, self._take_next_expired):
                    while not stopping() and (gone := take_next()) is not None:
                        taken, erasures = taken + gone, erasures + 1
                self.tidy()
            except (TallystickError, OSError) as error:
                self._fail(by, taken, erasures, started, getattr(error, "code", "unexpected"))
                raise
            outcome = Outcome(taken, erasures, round((time.monotonic() - started) * 1000))
            self._succeed(by, outcome)
            return outcome

    def tidy(self) -> None:
        """Make everything outside the ledger follow the erasures in the log; does nothing where it did already."""
        with self._turn:
            self._tidy()

    def _tidy(self) -> None:
        done = self._noted()
        newest, end, own = self._erased(done)
        if newest <= done:
            return
        if own:
            self._projection.replay()  # what the tables had of erased names and reasons ends
        self._ports.forget()
        dropped = self._ports.drop_exports(self._content.received_at(end - 1))
        if not drop_traces(self._projection.engine) or not dropped:
            return  # somebody reads an old state of the tables, or a file is being made: done again at the next look
        self._note.parent.mkdir(mode=0o700, exist_ok=True)
        self._note.write_text(str(newest))

    def _take_next_decided(self) -> int | None:
        """Destroy the next of what two people decided, and return how many events that were; None where nothing is left."""
        with self._ports.rules_at_rest() as forget:
            return self._commands.hold_still(lambda: self._take(self._next(decided=True), forget))

    def _take_next_expired(self) -> int | None:
        """Destroy the next of what outlived its retention; rules forget that by themselves."""
        return self._commands.hold_still(lambda: self._take(self._next(decided=False)))

    def _next(self, *, decided: bool) -> Slice | None:
        pieces = due(self._content.ground(), self._due_until())
        return next((each for each in pieces if (each.decision is not None) == decided), None)

    def _take(self, piece: Slice | None, forget: Callable[[Collection[str]], None] | None = None) -> int | None:
        if piece is None:
            return None
        order = self._order(piece)
        if forget is not None:  # before the erasure: afterwards nobody knows what it was
            forget(self._content.texts(Spans(order.ranges), piece.class_number))
        self._ports.erase(order)
        return order.events

    def _order(self, piece: Slice) -> ErasureOrder:
        most = EVENTS_MAX if piece.part is Part.ALL else REWRITTEN_MAX
        spans, count = self._content.cut(piece, most, RANGES_MAX)
        return ErasureOrder(
            spans.ranges(), piece.part, piece.decision, (piece.class_number,), tuple(sorted(piece.spared)), count
        )

    def _due_until(self) -> int:
        return self._ports.clock_us() - CLOCK_MARGIN_US

    def _erased(self, done: int) -> tuple[int, int, bool]:
        """Return the index of the newest erasure; of those after `done` the end of what they name, and whether they took
        something from the product's own class.
        """
        with self._projection.engine.connect() as connection:
            rows = list(connection.execute(select(ERASURE).where(ERASURE.c.erased_index > done)))
        newest = max((row.erased_index for row in rows), default=-1)
        end = max((first + size for row in rows for first, size in json.loads(row.ranges)), default=1)
        own = any(row.classes is None or KEPT_CLASS in json.loads(row.classes) for row in rows)
        return newest, end, own

    @property
    def _note(self) -> Path:
        return self._ports.folder / "retention.done"

    def _noted(self) -> int:
        try:
            return int(self._note.read_text())
        except (FileNotFoundError, ValueError):
            return -1

    def _succeed(self, by: str, outcome: Outcome) -> None:
        recovered, self._failed = self._failed, None
        if outcome.erasures:
            self._put(events.ran(by, outcome.events, outcome.erasures, outcome.took_ms, None, self._ports.now_us()))
        if recovered is not None:
            self._raise_alarm(recovered, "The retention run works again.", recovered=True)

    def _fail(self, by: str, taken: int, erasures: int, started: float, code: str) -> None:
        _telemetry.error("retention run failed", code=code)
        if self._failed is None:
            self._failing_since = self._ports.clock_us()
        self._failed = code
        took = round((time.monotonic() - started) * 1000)
        self._put(events.ran(by, taken, erasures, took, code, self._ports.clock_us()))
        self._raise_alarm(
            code, f"A retention run failed ({code}) after {counted(erasures, 'erasure')} of {counted(taken, 'event')}."
        )

    def _raise_alarm(self, code: str, sentence: str, *, recovered: bool = False) -> None:
        now = self._ports.clock_us()
        occasion = f"{ALARM_KIND} {self._failing_since} {recovered}"
        title = "The retention run failed"
        alarm = Alarm(ALARM_KIND, code, occasion, "tallystick", "high", title, sentence, now, recovered=recovered)
        self._tell(alarm)

    def _tell(self, alarm: Alarm) -> None:
        try:
            self._ports.raise_alarms([alarm])
        except TallystickError as error:
            _telemetry.error("no alarm raised", code=error.code)

    def _put(self, event: dict[str, object]) -> None:
        try:
            self._ports.append(event)
            self._projection.catch_up()
        except TallystickError as error:
            _telemetry.error("retention run not on record", code=error.code)
