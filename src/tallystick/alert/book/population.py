"""Every alert that was opened in a period, for who audits: complete, counted against the log itself, and hashed."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import Connection, select

from tallystick.access.acts import Target, act
from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.alert.book import events, rows
from tallystick.alert.book.clock import breaches
from tallystick.alert.book.model import Alert, Filter
from tallystick.alert.ports import AlertPorts
from tallystick.event.identifier import is_within
from tallystick.event.occurred import time_of_us
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.search.export import neutralised
from tallystick.store.tables.alerts import ALERT, ALERT_STEP

Format = Literal["csv", "json"]
MEDIA: Final[Mapping[Format, str]] = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
_STEPS_AT_ONCE: Final = 400


@dataclass(frozen=True, slots=True)
class Population:
    """The alerts opened in a period within a scope, in the order of the log, each with who did what about it.

    `events` counts the `alert.opened` in the log itself, read for this; `missing` names those of them that the list
    does not have, and `strange` alerts of the list that the log does not have: both are empty, or something is wrong.
    """

    rows: tuple[Mapping[str, Any], ...]
    start_us: int
    end_us: int
    scope: str
    made_at: int
    events: int
    missing: tuple[str, ...]
    strange: tuple[str, ...]

    @property
    def reconciles(self) -> bool:
        """Whether the list is what the log says."""
        return not self.missing and not self.strange and self.events == len(self.rows)


@dataclass(frozen=True, slots=True)
class Export:
    """A file with a population, as its event says it."""

    name: str
    media_type: str
    body: bytes
    sha256: str

    @property
    def sha256_base64(self) -> str:
        """The digest as an HTTP field writes it."""
        return base64.b64encode(bytes.fromhex(self.sha256)).decode()


class PopulationService:
    """Lists for auditors; may be used from any thread."""

    def __init__(self, projection: Projection, commands: Commands, ports: AlertPorts) -> None:
        self._projection = projection
        self._commands = commands
        self._ports = ports

    def of(self, caller: Caller, start_us: int, end_us: int, scope: str = "") -> Population:
        """Return every alert opened from `start_us` to before `end_us` that the caller may see.

        Raises PermissionMissingError.
        """
        require(caller, Permission.ALERTS_READ)
        now = self._ports.now_us()
        seen = caller.rights.scopes(Permission.ALERTS_READ)
        wanted = Filter(scope=scope, start_us=start_us, end_us=end_us)
        with self._projection.engine.connect() as connection:
            alerts = rows.select_alerts(connection, rows.condition_of(wanted, seen, now), ALERT.c.opened_index)
            told = _steps(connection, alerts)
        logged = set(self._opened(seen, start_us, end_us, scope))
        listed = {alert.id for alert in alerts}
        return Population(
            rows=tuple(_row(alert, told, caller, now) for alert in alerts),
            start_us=start_us,
            end_us=end_us,
            scope=scope,
            made_at=now,
            events=len(logged),
            missing=tuple(sorted(logged - listed)),
            strange=tuple(sorted(listed - logged)),
        )

    def export(self, caller: Caller, start_us: int, end_us: int, scope: str = "", form: Format = "csv") -> Export:
        """Return a population as a file. Its event, with the digest and the count, is durable first."""
        population = self.of(caller, start_us, end_us, scope)
        body = _as_csv(population, caller) if form == "csv" else _as_json(population, caller)
        digest = hashlib.sha256(body).hexdigest()
        facts = {
            "from": start_us,
            "to": end_us,
            "scope": scope or "/",
            "rows": len(population.rows),
            "opened": population.events,
            "format": form,
            "digest": digest,
            "via": caller.via,
        }
        event = act(caller, events.EXPORTED, Target("alerts", digest[:16]), facts, population.made_at, scope=scope)
        self._commands.run(lambda _: [event])
        name = f"alerts-{time_of_us(start_us)[:10]}-{time_of_us(end_us)[:10]}.{form}"
        return Export(name, MEDIA[form], body, digest)

    def _opened(self, seen: Sequence[str], start_us: int, end_us: int, scope: str) -> Iterator[str]:
        """Yield the ids of the alerts that the log itself says were opened."""
        for event in self._ports.product_since(start_us):
            if event.received_at >= end_us:
                return
            if event.action != events.OPENED or event.received_at < start_us:
                continue
            where = event.event["scope"]
            if is_within(where, scope) and any(is_within(where, root) for root in seen):
                yield event.metadata["alert"]


def _steps(connection: Connection, alerts: Sequence[Alert]) -> Mapping[int, Any]:
    """Return the steps that acknowledged and closed alerts, by index."""
    wanted = [i for alert in alerts for i in (alert.acknowledged_index, alert.closed_index) if i is not None]
    found: dict[int, Any] = {}
    for start in range(0, len(wanted), _STEPS_AT_ONCE):
        part = wanted[start : start + _STEPS_AT_ONCE]
        for row in connection.execute(select(ALERT_STEP).where(ALERT_STEP.c.log_index.in_(part))):
            found[row.log_index] = row
    return found


def _row(alert: Alert, told: Mapping[int, Any], caller: Caller, now_us: int) -> Mapping[str, Any]:
    personal = rows.sees_personal(caller, alert.scope)
    shown = rows.seen_by(alert, caller)
    looked = told.get(alert.acknowledged_index) if alert.acknowledged_index is not None else None
    ended = told.get(alert.closed_index) if alert.closed_index is not None else None
    late = {each.what for each in breaches(alert, now_us)}
    return {
        "alert": alert.id,
        "opened_index": alert.opened_index,
        "opened_at": _time(alert.opened_at),
        "kind": alert.kind,
        "version": alert.version,
        "severity": alert.severity,
        "title": alert.title,
        "scope": alert.scope,
        "count": alert.count,
        "first_at": _time(alert.first_at),
        "last_at": _time(alert.last_at),
        "state": alert.state.value,
        "assignee": alert.assignee.id if alert.assignee else None,
        "acknowledged_at": _time(alert.acknowledged_at),
        "acknowledged_by": looked.actor if looked is not None else None,
        "acknowledge_by": _time(alert.acknowledge_by),
        "acknowledged_late": "acknowledge" in late,
        "closed_at": _time(alert.closed_at),
        "closed_by": ended.actor if ended is not None else None,
        "closed_index": alert.closed_index,
        "close_by": _time(alert.close_by),
        "closed_late": "close" in late or alert.closed_late,
        "verdict": alert.verdict.value if alert.verdict else None,
        "duplicate_of": alert.duplicate_of,
        "reopened_at": _time(alert.reopened_at),
        **({"about": shown.about, "sentence": shown.sentence} if personal else {"about": None, "sentence": None}),
        "reason": ended.reason if ended is not None and personal else None,
        "withheld": not personal,
    }


def _head(population: Population, caller: Caller) -> dict[str, Any]:
    """Return what says which list this is, who made it when, and whether it is complete."""
    return {
        "list": "alerts opened",
        "from": _time(population.start_us),
        "to": _time(population.end_us),
        "scope": population.scope or "/",
        "made_at": _time(population.made_at),
        "made_by": caller.id,
        "rows": len(population.rows),
        "opened_events_in_log": population.events,
        "reconciles": population.reconciles,
        "missing": list(population.missing),
        "strange": list(population.strange),
    }


def _as_json(population: Population, caller: Caller) -> bytes:
    return msgspec.json.encode({**_head(population, caller), "alerts": population.rows})


def _as_csv(population: Population, caller: Caller) -> bytes:
    """Return CSV (RFC 4180): names, rows, and a last line of one cell, beginning with #, that says what this is."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in population.rows:
        writer.writerow([neutralised("" if row[name] is None else row[name]) for name in COLUMNS])
    writer.writerow([f"# {msgspec.json.encode(_head(population, caller)).decode()}"])
    return text.getvalue().encode()


def _time(at_us: int | None) -> str | None:
    return None if at_us is None else time_of_us(at_us)


COLUMNS: Final = (
    "alert",
    "opened_index",
    "opened_at",
    "kind",
    "version",
    "severity",
    "title",
    "scope",
    "count",
    "first_at",
    "last_at",
    "state",
    "assignee",
    "acknowledged_at",
    "acknowledged_by",
    "acknowledge_by",
    "acknowledged_late",
    "closed_at",
    "closed_by",
    "closed_index",
    "close_by",
    "closed_late",
    "verdict",
    "duplicate_of",
    "reopened_at",
    "about",
    "sentence",
    "reason",
    "withheld",
)
