"""Looking at alerts: the queue, one with its history, and what waits too long. Every look is recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, and_, func, or_, select

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.alert.book import rows
from tallystick.alert.book.errors import AlertInvalidError, AlertNotFoundError
from tallystick.alert.book.model import SEVERITIES, STATES, Alert, Filter, Linked, Step
from tallystick.alert.ports import AlertPorts, Card
from tallystick.follow.projection import Projection
from tallystick.store.tables.alerts import ALERT

PAGE_MAX: Final = 200
LOOKED: Final = "alerts"
"""The place that looks at alerts are recorded under."""


@dataclass(frozen=True, slots=True)
class Page:
    """Alerts, the gravest first and then the newest. `after` leads to the next page, None at the end; `now_us` is the
    time that their limits were held against.
    """

    alerts: tuple[Alert, ...]
    after: str | None
    now_us: int


@dataclass(frozen=True, slots=True)
class Detail:
    """One alert with its history, the newest step first. `asked_reason` is why its closing was asked for,
    `teams` whom else than a person it can be given to.
    """

    alert: Alert
    steps: tuple[Step, ...]
    events: tuple[Linked, ...]
    card: Card | None
    asked_reason: str | None
    teams: tuple[str, ...]
    personal: bool
    now_us: int


class AlertReading:
    """What there is to see; may be used from any thread. An alert of a scope that may not be seen does not exist."""

    def __init__(self, projection: Projection, ports: AlertPorts) -> None:
        self._projection = projection
        self._ports = ports

    def list(
        self, caller: Caller, wanted: Filter | None = None, *, after: str | None = None, limit: int = PAGE_MAX
    ) -> Page:
        """Return a page of the alerts that the caller may see. Raises PermissionMissingError, AlertInvalidError."""
        wanted = wanted or Filter()
        check_filter(wanted)
        require(caller, Permission.ALERTS_READ)
        now = self._ports.now_us()
        condition = rows.condition_of(wanted, caller.rights.scopes(Permission.ALERTS_READ), now)
        if after is not None:
            rank, index = _parse_after(after)
            follows = or_(rows.gravity < rank, and_(rows.gravity == rank, ALERT.c.opened_index < index))
            condition = and_(condition, follows)
        limit = max(1, min(limit, PAGE_MAX))
        order = (rows.gravity.desc(), ALERT.c.opened_index.desc())
        with self._projection.engine.connect() as connection:
            found = rows.select_alerts(connection, condition, *order, limit=limit + 1)
        self._ports.looked(caller, LOOKED, _place(caller, wanted.scope))
        shown = found[:limit]
        more = len(found) > limit
        last = f"{SEVERITIES.index(shown[-1].severity)}-{shown[-1].opened_index}" if more else None
        return Page(tuple(rows.seen_by(alert, caller) for alert in shown), last, now)

    def get(self, caller: Caller, alert_id: str) -> Detail:
        """Return one alert with everything that belongs to it. Raises AlertNotFoundError."""
        with self._projection.engine.connect() as connection:
            alert = visible_alert(connection, caller, alert_id)
            steps = rows.steps_of(connection, caller, alert)
            events = tuple(rows.events_of(connection, alert))
            personal = rows.sees_personal(caller, alert.scope)
            asked = rows.reason_at(connection, alert.asked.index) if alert.asked and personal else None
            teams = tuple(sorted(self._ports.teams(connection)))
        self._ports.looked(caller, LOOKED, alert.scope)
        rendered = tuple(replace(step, message=self._message(alert, step)) for step in steps)
        card = self._ports.card(alert.kind, alert.version)
        return Detail(rows.seen_by(alert, caller), rendered, events, card, asked, teams, personal, self._ports.now_us())

    def waiting(self, caller: Caller) -> Mapping[str, int]:
        """Return how many alerts that the caller may see are not closed, by severity. Not recorded: it shows none."""
        seen = caller.rights.scopes(Permission.ALERTS_READ)
        query = select(ALERT.c.severity, func.count()).where(rows.unclosed(), rows.within(*seen))
        with self._projection.engine.connect() as connection:
            found = {row[0]: row[1] for row in connection.execute(query.group_by(ALERT.c.severity))}
        return {severity: found.get(severity, 0) for severity in reversed(SEVERITIES)}

    def _message(self, alert: Alert, step: Step) -> str:
        facts: dict[str, Any] = {"alert": alert.id, **step.facts}
        target = {"type": "alert", "id": alert.id}
        event = {"action": step.action, "scope": alert.scope, "targets": [target], "metadata": facts}
        return self._ports.message(step.index, event)


def check_filter(wanted: Filter) -> None:
    """Raise AlertInvalidError for severities and states that there are not."""
    for given, known, what in (
        (wanted.severities, SEVERITIES, "severity"),
        (wanted.states, STATES, "state"),
    ):
        strange = [each for each in given if each not in known]
        if strange:
            raise AlertInvalidError(
                f"{strange[0][:40]!r} is no {what}; there are: {', '.join(known)}", pointer=f"/{what}"
            )


def visible_alert(connection: Connection, caller: Caller, alert_id: str) -> Alert:
    """Return an alert that the caller may see, with everything; raises AlertNotFoundError."""
    found = rows.find_alert(connection, alert_id)
    if found is None or not caller.rights.allows(Permission.ALERTS_READ, found.scope):
        raise AlertNotFoundError(f"there is no alert {alert_id[:16]!r} that you may see")
    return found


def handled_alerts(connection: Connection, caller: Caller, alert_ids: Sequence[str]) -> list[Alert]:
    """Return alerts that the caller may handle; raises AlertNotFoundError, PermissionMissingError."""
    alerts = [visible_alert(connection, caller, each) for each in alert_ids]
    require(caller, Permission.ALERTS_HANDLE, *(alert.scope for alert in alerts))
    return alerts


def _place(caller: Caller, scope: str) -> str:
    return scope if caller.rights.allows(Permission.ALERTS_READ, scope) else ""


def _parse_after(text: str) -> tuple[int, int]:
    rank, _, index = text.partition("-")
    digits = all(part.isascii() and part.isdigit() and len(part) < len(str(1 << 63)) for part in (rank, index))
    if not digits:
        raise AlertInvalidError(f"{text[:40]!r} is not from a page before", pointer="/after")
    return int(rank), int(index)
