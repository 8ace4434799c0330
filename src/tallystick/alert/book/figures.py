"""How fast alerts are looked at and closed, by severity, from the log's own times."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.alert.book import rows
from tallystick.alert.book.clock import breaches
from tallystick.alert.book.model import SEVERITIES, Alert, Filter, State, Verdict
from tallystick.alert.book.reading import LOOKED
from tallystick.alert.ports import AlertPorts
from tallystick.follow.projection import Projection


@dataclass(frozen=True, slots=True)
class Times:
    """How long something took, in microseconds: mean, median and 90th percentile, None where it never happened."""

    mean_us: int | None
    p50_us: int | None
    p90_us: int | None


@dataclass(frozen=True, slots=True)
class Figures:
    """The alerts of one severity that were opened in a period, as they stand now.

    `late_acknowledged` and `late_closed` count those that missed a limit or are missing it; `false_positives` is of
    those closed.
    """

    severity: str
    opened: int
    acknowledged: int
    closed: int
    late_acknowledged: int
    late_closed: int
    false_positives: int
    to_acknowledge: Times
    to_close: Times


class FigureService:
    """Figures over the alerts that somebody may see; may be used from any thread."""

    def __init__(self, projection: Projection, ports: AlertPorts) -> None:
        self._projection = projection
        self._ports = ports

    def of(self, caller: Caller, wanted: Filter) -> Sequence[Figures]:
        """Return the figures of each severity, the gravest first, for alerts opened in the period and scope of a filter.

        The look is recorded. Raises PermissionMissingError.
        """
        require(caller, Permission.ALERTS_READ)
        now = self._ports.now_us()
        condition = rows.condition_of(wanted, caller.rights.scopes(Permission.ALERTS_READ), now)
        with self._projection.engine.connect() as connection:
            alerts = rows.select_alerts(connection, condition)
        self._ports.looked(
            caller, LOOKED, wanted.scope if caller.rights.allows(Permission.ALERTS_READ, wanted.scope) else ""
        )
        return [_figures(each, [a for a in alerts if a.severity == each], now) for each in reversed(SEVERITIES)]


def _figures(severity: str, alerts: Sequence[Alert], now_us: int) -> Figures:
    seen = [alert for alert in alerts if alert.acknowledged_at is not None]
    closed = [alert for alert in alerts if alert.state == State.CLOSED]
    late = [{each.what for each in breaches(alert, now_us)} for alert in alerts]
    return Figures(
        severity=severity,
        opened=len(alerts),
        acknowledged=len(seen),
        closed=len(closed),
        late_acknowledged=sum("acknowledge" in each for each in late),
        late_closed=sum("close" in each or alert.closed_late for each, alert in zip(late, alerts, strict=True)),
        false_positives=sum(alert.verdict is Verdict.FALSE_POSITIVE for alert in closed),
        to_acknowledge=times_of(alert.acknowledged_at - alert.opened_at for alert in seen if alert.acknowledged_at),
        to_close=times_of(alert.closed_at - alert.opened_at for alert in closed if alert.closed_at),
    )


def times_of(durations: Iterable[int]) -> Times:
    """Return mean, median and 90th percentile; a percentile is the least value that so many do not exceed."""
    found = sorted(durations)
    if not found:
        return Times(None, None, None)
    return Times(sum(found) // len(found), _nearest(found, 50), _nearest(found, 90))


def _nearest(found: Sequence[int], percent: int) -> int:
    return found[max(0, math.ceil(len(found) * percent / 100) - 1)]
