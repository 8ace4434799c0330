"""Watching the limits: an alert that waits longer than it may is itself an alert, until somebody did what it waits for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog
from sqlalchemy import and_

from tallystick.alert.book import rows
from tallystick.alert.book.clock import MINUTE_US, What, breaches
from tallystick.alert.book.model import Alert, State
from tallystick.follow.alarm import Alarm, RaiseAlarms
from tallystick.follow.background import PASSING, Background
from tallystick.follow.projection import Projection
from tallystick.store.tables.alerts import ALERT

KIND: Final = "alert.overdue"
EVERY_S: Final = 15.0
_telemetry = structlog.get_logger("tallystick.alert")


class Overdue(Background):
    """A thread that raises what is overdue, for as long as the context lasts. Alerts about that are not watched."""

    def __init__(self, projection: Projection, raise_alarms: RaiseAlarms, now_us: Callable[[], int]) -> None:
        self._projection = projection
        self._raise = raise_alarms
        self._now_us = now_us
        super().__init__("alerts-overdue")

    def look(self) -> None:
        """Raise what is overdue now, and say of what was raised before that it was done since."""
        now = self._now_us()
        watched = and_(rows.overdue(now), ALERT.c.kind != KIND)
        told = and_(ALERT.c.kind == KIND, rows.unclosed(), ALERT.c.recovered_at.is_(None))
        with self._projection.engine.connect() as connection:
            late = {
                _key(alert, what): (alert, what)
                for alert in rows.select_alerts(connection, watched)
                for what in _missed(alert, now)
            }
            open_keys = [alert.about for alert in rows.select_alerts(connection, told) if alert.about]
            ended = {key: rows.find_alert(connection, key.partition("/")[0]) for key in open_keys if key not in late}
        alarms = [_late(alert, what, now) for alert, what in late.values()]
        alarms += [_done(key, alert, now) for key, alert in ended.items() if alert is not None]
        self._raise(alarms)

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_S):
            try:
                self.look()
            except PASSING as error:
                _telemetry.error("overdue alerts are not raised yet", error=type(error).__name__, message=str(error))


def _missed(alert: Alert, now_us: int) -> tuple[What, ...]:
    """Return what nobody has done yet though its time has passed."""
    undone = {"acknowledge": alert.acknowledged_at is None, "close": alert.state != State.CLOSED}
    return tuple(each.what for each in breaches(alert, now_us) if undone[each.what])


def _key(alert: Alert, what: What) -> str:
    return f"{alert.id}/{what}"


def _late(alert: Alert, what: What, now_us: int) -> Alarm:
    done = {"acknowledge": "acknowledged", "close": "closed"}[what]
    until = alert.acknowledge_by if what == "acknowledge" else alert.close_by
    assert until is not None
    waited = (now_us - alert.opened_at) // MINUTE_US
    return Alarm(
        kind=KIND,
        key=_key(alert, what),
        occasion=str(until),
        scope=alert.scope,
        severity=alert.severity,
        title=f"Alert {alert.id} is overdue: nobody has {done} it",
        sentence=f"{alert.severity} alert {alert.id} has waited {waited} minutes and is not {done}: {alert.title}",
        at_us=until,
        indexes=(alert.opened_index,),
    )


def _done(key: str, alert: Alert, now_us: int) -> Alarm:
    index = alert.closed_index if alert.closed_index is not None else alert.changed_index
    return Alarm(
        kind=KIND,
        key=key,
        occasion=f"done {index}",
        scope=alert.scope,
        severity=alert.severity,
        title=f"Alert {alert.id} is no longer overdue",
        sentence=f"alert {alert.id} was taken up at index {index}",
        at_us=now_us,
        indexes=(index,),
        recovered=True,
    )
