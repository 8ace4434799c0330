"""Writing down, from time to time, what was used under exceptions and which are near their end or past it.

Nothing waits for this: an exception ends by its time, whether anybody notices or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import structlog
from sqlalchemy import and_, or_

from tallystick.follow.alarm import Alarm, Severity
from tallystick.follow.background import PASSING, Background
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.govern.exceptions import events
from tallystick.govern.exceptions.model import DAY_US, ExceptionRecord, Risk, State
from tallystick.govern.exceptions.rows import find_exception, load_exceptions
from tallystick.govern.exceptions.uses import Uses
from tallystick.govern.ports import GovernPorts
from tallystick.store.tables.exceptions import EXCEPTION

WARNING_DAYS: Final = "exceptions.warning_days"
"""The setting of how long before its end an exception is told about."""
EVERY_S: Final = 15.0
TOLD_AGAIN_US: Final = 7 * DAY_US
"""Alarms about ends are raised again for so long, since a crash may have come between the event and its alarm."""
_NEAR: Final[Mapping[Risk, Severity]] = {
    Risk.LOW: "low",
    Risk.MEDIUM: "low",
    Risk.HIGH: "medium",
    Risk.CRITICAL: "high",
}
_OVER: Final[Mapping[Risk, Severity]] = {
    Risk.LOW: "low",
    Risk.MEDIUM: "medium",
    Risk.HIGH: "high",
    Risk.CRITICAL: "critical",
}
#: A moment of any of these may have an alarm that is not raised yet.
_LATEST: Final = (EXCEPTION.c.noticed_at, EXCEPTION.c.revoked_at, EXCEPTION.c.until_at)
_telemetry = structlog.get_logger("tallystick.govern")


class ExceptionUpkeep(Background):
    """A thread beside the exceptions, for as long as the context lasts."""

    def __init__(self, projection: Projection, commands: Commands, uses: Uses, ports: GovernPorts) -> None:
        self._projection = projection
        self._commands = commands
        self._uses = uses
        self._ports = ports
        self._raised: set[str] = set()  # occasions that were told since the start
        super().__init__("exception-upkeep")

    def once(self) -> None:
        """Write down what there is to write down now."""
        self._uses.tell(self._used, self._append)
        if self._due(self._ports.now_us()):
            self._commands.run(lambda _: self._due(self._ports.now_us()))
        self._raise(self._ports.now_us())

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_S):
            try:
                self.once()
            except PASSING as error:
                _telemetry.error("exceptions are not followed up", error=type(error).__name__, message=str(error))

    def _used(self, exception: str, count: int, occasions: int, batch: str) -> dict[str, Any] | None:
        with self._projection.engine.connect() as connection:
            record = find_exception(connection, exception)
        return None if record is None else events.used(record, count, occasions, batch, self._ports.now_us())

    def _append(self, event: Mapping[str, Any]) -> None:
        self._commands.run(lambda _: [event])

    def _due(self, now_us: int) -> list[dict[str, Any]]:
        """Return the events of ends that are near or past and not on record yet."""
        warning_us = self._ports.count(WARNING_DAYS) * DAY_US
        over = and_(EXCEPTION.c.expiry_index.is_(None), EXCEPTION.c.until_at <= now_us)
        near = and_(
            EXCEPTION.c.expiring_index.is_(None),
            EXCEPTION.c.decision == "approved",
            EXCEPTION.c.extended_by.is_(None),
            EXCEPTION.c.until_at > now_us,
            EXCEPTION.c.until_at <= now_us + warning_us,
        )
        going_on = or_(EXCEPTION.c.decision.is_(None), EXCEPTION.c.decision == "approved")
        with self._projection.engine.connect() as connection:
            found = load_exceptions(connection, EXCEPTION.c.revoked_index.is_(None), going_on, or_(over, near))
        ended = [each for each in found if each.state(now_us) in {State.EXPIRED, State.LAPSED}]
        warned = [each for each in found if each.terms.until_us > now_us and each.warned_from(warning_us) <= now_us]
        return [
            *(events.noticed(events.EXPIRED, each, now_us) for each in ended),
            *(events.noticed(events.EXPIRING, each, now_us) for each in warned),
        ]

    def _raise(self, now_us: int) -> None:
        with self._projection.engine.connect() as connection:
            found = load_exceptions(
                connection,
                EXCEPTION.c.decision == "approved",
                EXCEPTION.c.noticed_at.is_not(None),
                or_(*(at > now_us - TOLD_AGAIN_US for at in _LATEST)),
            )
        wanted = [alarm for each in found for alarm in _alarms(each, now_us)]
        fresh = [alarm for alarm in wanted if alarm.occasion not in self._raised]
        if fresh:
            self._ports.raise_alarms(fresh)
        self._raised = {alarm.occasion for alarm in wanted}


def _alarms(record: ExceptionRecord, now_us: int) -> Sequence[Alarm]:
    """Return everything that was ever to be told about the end of an exception, in order."""
    found = []
    terms, last = record.terms, record.decided_by or ""
    make = partial(Alarm, key=record.id, scope=terms.scope, at_us=now_us)
    what = f"exception {record.id} from {terms.kind} {terms.subject}"
    if record.expiring_index is not None:
        near = partial(make, kind=events.EXPIRING, severity=_NEAR[terms.risk], title=f"The end of {what} is near")
        days = max(0, terms.until_us - now_us) // DAY_US
        found.append(
            near(
                occasion=f"{events.EXPIRING}:{record.id}",
                sentence=f"It ends in {days} days, was used {record.used:,} times, and nothing was agreed after it.",
                indexes=(record.expiring_index,),
            )
        )
        if record.extended_by is not None or record.state(now_us) is not State.ACTIVE:
            over = f"{events.EXPIRING}:{record.id}:over"
            found.append(near(occasion=over, sentence="It was extended, revoked, or has ended.", recovered=True))
    if record.expiry_index is not None and record.extended_by is None:
        found.append(
            make(
                kind=events.EXPIRED,
                occasion=f"{events.EXPIRED}:{record.id}",
                severity=_OVER[terms.risk],
                title=f"The time of {what} is over",
                sentence=f"It was used {record.used:,} times; what it allowed is allowed no more. {last} had agreed.",
                indexes=(record.expiry_index,),
            )
        )
    return found
