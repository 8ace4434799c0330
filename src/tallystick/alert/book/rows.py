"""Alerts as the tables have them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, true

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.alert.book.model import SEVERITIES, Alert, Asked, Assignee, Filter, Linked, State, Step, Verdict, Who
from tallystick.store.tables.alerts import ALERT, ALERT_EVENT, ALERT_STEP
from tallystick.store.tables.people import PERSON

STEPS_MAX: Final = 500
"""Of an alert's newest steps that are shown; the events page has all of them."""
gravity: Final[ColumnElement[int]] = case(
    {name: rank for rank, name in enumerate(SEVERITIES)}, value=ALERT.c.severity, else_=0
)


def find_alert(connection: Connection, alert: str) -> Alert | None:
    """Return an alert by its id."""
    row = connection.execute(_with_names().where(ALERT.c.alert == alert[:16])).first()
    return None if row is None else alert_of(row)


def select_alerts(
    connection: Connection, condition: ColumnElement[bool], *order: Any, limit: int | None = None
) -> list[Alert]:
    """Return the alerts that meet a condition."""
    query = _with_names().where(condition).order_by(*order)
    return [alert_of(row) for row in connection.execute(query if limit is None else query.limit(limit))]


def unclosed() -> ColumnElement[bool]:
    """Return the condition that an alert waits for somebody."""
    return ALERT.c.state != State.CLOSED


def condition_of(wanted: Filter, seen: Sequence[str], now_us: int) -> ColumnElement[bool]:
    """Return the condition that an alert is asked for and may be seen."""
    terms = [within(*seen), within(wanted.scope)]
    if wanted.severities:
        terms.append(ALERT.c.severity.in_(wanted.severities))
    if wanted.states:
        terms.append(ALERT.c.state.in_(wanted.states))
    if wanted.kind is not None:
        terms.append(ALERT.c.kind == wanted.kind)
    if wanted.assignee is not None:
        terms.append(ALERT.c.assignee == wanted.assignee if wanted.assignee else ALERT.c.assignee.is_(None))
    if wanted.start_us is not None:
        terms.append(ALERT.c.opened_at >= wanted.start_us)
    if wanted.end_us is not None:
        terms.append(ALERT.c.opened_at < wanted.end_us)
    if wanted.overdue:
        terms.append(overdue(now_us))
    return and_(*terms)


def overdue(now_us: int) -> ColumnElement[bool]:
    """Return the condition that an alert waits longer than its limit allows."""
    unseen = and_(ALERT.c.acknowledged_at.is_(None), ALERT.c.acknowledge_by < now_us)
    return and_(unclosed(), or_(unseen, ALERT.c.close_by < now_us))


def within(*scopes: str) -> ColumnElement[bool]:
    """Return the condition that an alert's scope is one of those given or lies below it; the empty one is everything."""
    if "" in scopes:
        return true()
    column = ALERT.c.scope
    # Not by comparing texts, which depends on the database's language, nor by LIKE, which may not heed letter case.
    return or_(*(or_(column == scope, func.substr(column, 1, len(scope) + 1) == f"{scope}/") for scope in scopes))


def steps_of(connection: Connection, caller: Caller, alert: Alert) -> list[Step]:
    """Return what happened to an alert, the newest first; messages are still to be rendered."""
    query = (
        select(ALERT_STEP)
        .where(ALERT_STEP.c.alert == alert.id)
        .order_by(ALERT_STEP.c.log_index.desc())
        .limit(STEPS_MAX)
    )
    return [_step(row, caller) for row in connection.execute(query)]


def events_of(connection: Connection, alert: Alert) -> list[Linked]:
    """Return the events that belong to an alert, in the order of the log."""
    query = select(ALERT_EVENT).where(ALERT_EVENT.c.alert == alert.id).order_by(ALERT_EVENT.c.event_index)
    return [Linked(row.event_index, row.linked_index, row.fired) for row in connection.execute(query)]


def reason_at(connection: Connection, index: int) -> str | None:
    """Return the reason that was given with a step; None once it was erased."""
    found: str | None = connection.scalar(select(ALERT_STEP.c.reason).where(ALERT_STEP.c.log_index == index))
    return found


def seen_by(alert: Alert, caller: Caller) -> Alert:
    """Return an alert as somebody may see it: without the right to personal data its texts and names are withheld."""
    if sees_personal(caller, alert.scope):
        return alert
    assignee = alert.assignee
    own = assignee is not None and assignee.id == caller.id
    hidden = assignee if assignee is None or own else replace(assignee, name=None)
    return replace(alert, about=None, sentence=None, assignee=hidden)


def sees_personal(caller: Caller, scope: str) -> bool:
    """Return whether somebody may see the texts and names of what happens in a scope."""
    return caller.rights.allows(Permission.EVENTS_READ_PERSONAL, scope)


def alert_of(row: Any) -> Alert:
    """Return the alert of a row with its assignee's name."""
    return Alert(
        id=row.alert,
        kind=row.kind,
        key=row.key,
        about=row.about,
        scope=row.scope,
        severity=row.severity,
        title=row.title,
        sentence=row.sentence,
        version=row.version,
        state=State(row.state),
        verdict=None if row.verdict is None else Verdict(row.verdict),
        duplicate_of=row.duplicate_of,
        assignee=None if row.assignee is None else Assignee(row.assignee_kind, row.assignee, row.assignee_name),
        count=row.count,
        first_at=row.first_at,
        last_at=row.last_at,
        opened_at=row.opened_at,
        opened_index=row.opened_index,
        changed_at=row.changed_at,
        changed_index=row.changed_index,
        severity_index=row.severity_index,
        recovered_at=row.recovered_at,
        recovered_index=row.recovered_index,
        acknowledged_at=row.acknowledged_at,
        acknowledged_index=row.acknowledged_index,
        closed_at=row.closed_at,
        closed_index=row.closed_index,
        reopened_at=row.reopened_at,
        reopened_index=row.reopened_index,
        acknowledge_by=row.acknowledge_by,
        close_by=row.close_by,
        closed_late=row.closed_late,
        asked=_asked(row),
    )


def _asked(row: Any) -> Asked | None:
    if row.asked_index is None:
        return None
    return Asked(row.asked_index, row.asked_by, Verdict(row.asked_verdict), row.asked_duplicate_of, row.asked_digest)


def _step(row: Any, caller: Caller) -> Step:
    sees = sees_personal(caller, row.scope) or caller.id == row.actor
    return Step(
        index=row.log_index,
        action=row.action,
        at=row.at,
        who=Who(row.actor, row.actor_type, row.actor_name if sees else None, row.via),
        facts=json.loads(row.facts),
        reason=row.reason if sees else None,
        sentence=row.sentence if sees else None,
    )


def _with_names() -> Any:
    joined = ALERT.outerjoin(PERSON, and_(ALERT.c.assignee_kind == "person", PERSON.c.person == ALERT.c.assignee))
    return select(ALERT, PERSON.c.name.label("assignee_name")).select_from(joined)
