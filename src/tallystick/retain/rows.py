"""What the tables say about retention, as values."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, select

from tallystick.retain.errors import RetentionUnknownError
from tallystick.retain.model import FLOOR_DAYS, Change, Hold, Kind, RetentionClass, Rule, Run, State, Terms
from tallystick.store.tables.log import HOLD, RETENTION_CLASS
from tallystick.store.tables.retention import RETENTION_CHANGE, RETENTION_REQUEST, RETENTION_RULE, RETENTION_RUN


def load_classes(connection: Connection) -> dict[int, RetentionClass]:
    """Return every class by number."""
    rows = connection.execute(select(RETENTION_CLASS).order_by(RETENTION_CLASS.c.number))
    return {row.number: _class(row) for row in rows}


def get_class(connection: Connection, name: str) -> RetentionClass:
    """Return the class of a name or number; raises RetentionUnknownError."""
    found = load_classes(connection)
    for each in found.values():
        if name in (each.name, str(each.number)):
            return each
    raise RetentionUnknownError(f"there is no retention class {name[:64]!r}")


def load_rules(connection: Connection) -> list[Rule]:
    """Return the assignment rules in order."""
    rows = connection.execute(select(RETENTION_RULE).order_by(RETENTION_RULE.c.position))
    return [Rule(row.class_number, row.action, row.scope, row.source) for row in rows]


def load_holds(connection: Connection, *, active: bool) -> list[Hold]:
    """Return the holds, the newest first; with `active` only those not released."""
    query = select(HOLD).order_by(HOLD.c.placed_index.desc())
    if active:
        query = query.where(HOLD.c.released_index.is_(None))
    return [_hold(row) for row in connection.execute(query)]


def load_changes(connection: Connection, limit: int, *, waiting: bool = False) -> list[Change]:
    """Return proposals, the newest first; with `waiting` only those that nobody decided yet."""
    query = select(RETENTION_CHANGE).order_by(RETENTION_CHANGE.c.proposed_index.desc()).limit(limit)
    if waiting:
        query = query.where(RETENTION_CHANGE.c.state == State.OPEN.value)
    return [_change(row) for row in connection.execute(query)]


def get_change(connection: Connection, change: str) -> Change:
    """Return a proposal; raises RetentionUnknownError."""
    row = connection.execute(select(RETENTION_CHANGE).where(RETENTION_CHANGE.c.change == change[:32])).first()
    if row is None:
        raise RetentionUnknownError(f"there is no request {change[:32]!r}")
    return _change(row)


def request_indexes(connection: Connection, change: str) -> list[tuple[int, int | None]]:
    """Return the indexes of the erasure requests of a proposal, each with that of its approval."""
    query = select(RETENTION_REQUEST).where(RETENTION_REQUEST.c.change == change)
    rows = connection.execute(query.order_by(RETENTION_REQUEST.c.request_index))
    return [(row.request_index, row.approval_index) for row in rows]


def load_runs(connection: Connection, limit: int) -> list[Run]:
    """Return the runs, the newest first."""
    rows = connection.execute(select(RETENTION_RUN).order_by(RETENTION_RUN.c.run_index.desc()).limit(limit))
    return [Run(row.run_index, row.ran_at, row.state, row.events, row.erasures, row.took_ms, row.code) for row in rows]


def _class(row: Any) -> RetentionClass:
    below = json.loads(row.below_floor) if row.below_floor else {}
    regulations = tuple((name, years) for name, years in json.loads(row.regulations or "[]"))
    guarded = (row.floor_days or 0) >= FLOOR_DAYS
    return RetentionClass(
        row.number,
        row.name,
        Terms(row.retention_days, row.personal_days, guarded, regulations),
        row.keeps_facts,
        row.changed_index,
        row.floor_days,
        below.get("exception"),
        below.get("until"),
    )


def _hold(row: Any) -> Hold:
    return Hold(
        row.hold,
        row.owner,
        row.reason,
        row.placed_by,
        row.placed_at,
        row.placed_index,
        _tuple(row.ranges),
        _tuple(row.classes),
        _tuple(row.sources),
        _tuple(row.received),
        row.released_at,
        row.released_by,
    )


def _change(row: Any) -> Change:
    return Change(
        row.change,
        Kind(row.kind),
        row.subject,
        json.loads(row.body),
        row.digest,
        State(row.state),
        row.reason,
        row.proposed_by,
        row.proposed_at,
        row.proposed_index,
        row.decided_by,
        row.decided_at,
        row.decided_index,
        row.decision_reason,
    )


def _tuple(text: str | None) -> Any:
    return None if text is None else tuple(tuple(each) if isinstance(each, list) else each for each in json.loads(text))
