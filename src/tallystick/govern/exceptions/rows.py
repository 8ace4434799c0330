"""Rows of the tables as values."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, Connection, Row, select

from tallystick.govern.exceptions.model import ExceptionRecord, Kind, Risk, Step, Terms
from tallystick.store.tables.exceptions import EXCEPTION, EXCEPTION_STEP

STEPS_MAX: Final = 200
_PLAIN: Final = (
    *("digest", "requester", "requested_index", "requested_at", "decision", "decided_by", "decided_index"),
    *("decided_at", "revoked_index", "revoked_at", "extended_by", "used", "used_at", "expiring_index", "expiry_index"),
)


def find_exception(connection: Connection, exception: str) -> ExceptionRecord | None:
    """Return an exception with the newest steps of its life, oldest first, or None."""
    row = connection.execute(select(EXCEPTION).where(EXCEPTION.c.exception == exception[:32])).first()
    return None if row is None else _record(row, _steps(connection, row.exception))


def load_exceptions(connection: Connection, *conditions: ColumnElement[bool]) -> list[ExceptionRecord]:
    """Return exceptions, the newest request first, without their steps."""
    query = select(EXCEPTION).where(*conditions).order_by(EXCEPTION.c.requested_index.desc())
    return [_record(row) for row in connection.execute(query)]


def of_subject(kind: Kind, subject: str) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of exceptions that were approved for a subject and not revoked."""
    return (
        EXCEPTION.c.kind == kind.value,
        EXCEPTION.c.subject == subject,
        EXCEPTION.c.decision == "approved",
        EXCEPTION.c.revoked_index.is_(None),
    )


def _steps(connection: Connection, exception: str) -> tuple[Step, ...]:
    of = select(EXCEPTION_STEP, EXCEPTION_STEP.c.count.label("times")).where(EXCEPTION_STEP.c.exception == exception)
    newest = connection.execute(of.order_by(EXCEPTION_STEP.c.log_index.desc()).limit(STEPS_MAX)).all()
    return tuple(
        Step(row.log_index, row.at, row.step, row.actor, row.actor_type, row.via, row.reason, row.times)
        for row in reversed(newest)
    )


def _record(row: Row[tuple[object, ...]], steps: tuple[Step, ...] = ()) -> ExceptionRecord:
    values = row._mapping  # noqa: SLF001 - the documented way to the columns by name
    terms = Terms(
        exception=values["exception"],
        kind=Kind(values["kind"]),
        subject=values["subject"],
        scope=values["scope"],
        narrowed=values["narrowed"],
        query=values["query"],
        justification=values["justification"],
        control=values["control"],
        risk=Risk(values["risk"]),
        start_us=values["start_at"],
        until_us=values["until_at"],
        extends=values["extends"],
    )
    return ExceptionRecord(terms=terms, steps=steps, **{name: values[name] for name in _PLAIN})
