"""Exceptions as answers, pages and files show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tallystick.api.services import Services
from tallystick.event.occurred import time_of_us
from tallystick.govern.exceptions.model import ExceptionRecord, Step


class ExceptionPersonView(msgspec.Struct, frozen=True, kw_only=True):
    """A person or the operator. The id stands for a name that is not known."""

    id: str
    name: str


class ExceptionStepView(msgspec.Struct, frozen=True, kw_only=True):
    """One event in the life of an exception; `index` is its place in the log, `count` how often it was used."""

    index: int
    at: str
    step: str
    by: ExceptionPersonView
    via: str | None
    reason: str | None
    count: int | None


class ExceptionView(msgspec.Struct, frozen=True, kw_only=True):
    """An exception or the request for one. Texts are null once they were erased; `narrowed` stays."""

    exception: str
    state: str
    kind: str
    subject: str
    scope: str
    narrowed: bool
    query: str | None
    justification: str | None
    control: str | None
    risk: str
    start: str
    until: str
    digest: str
    requested_by: ExceptionPersonView
    requested_at: str
    requested_index: int
    decided_by: ExceptionPersonView | None
    decided_at: str | None
    decided_index: int | None
    extends: str | None
    extended_by: str | None
    revoked_at: str | None
    used: int
    used_at: str | None
    steps: list[ExceptionStepView]


class ExceptionsView(msgspec.Struct, frozen=True, kw_only=True):
    """Exceptions, the newest request first."""

    exceptions: list[ExceptionView]


class ExceptionRow(msgspec.Struct, frozen=True, kw_only=True):
    """An exception as one row of the register's file."""

    exception: str
    state: str
    kind: str
    subject: str
    scope: str
    query: str | None
    justification: str | None
    control: str | None
    risk: str
    start: str
    until: str
    requested_by: str
    requested_at: str
    requested_index: int
    decided_by: str | None
    decided_at: str | None
    decided_index: int | None
    extends: str | None
    extended_by: str | None
    revoked_at: str | None
    used: int
    used_at: str | None
    digest: str


def exception_views(services: Services, found: Sequence[ExceptionRecord], now_us: int) -> list[ExceptionView]:
    """Return exceptions as they are shown."""
    people = {each for record in found for each in _people(record)}
    names = services.grants.names(people)
    return [_view(record, names, now_us) for record in found]


def exception_rows(found: Sequence[ExceptionRecord], now_us: int) -> list[ExceptionRow]:
    """Return exceptions as rows of a file: people by their ids."""
    return [
        ExceptionRow(
            exception=each.id,
            state=each.state(now_us).value,
            kind=each.terms.kind.value,
            subject=each.terms.subject,
            scope=each.terms.scope or "/",
            query=each.terms.query,
            justification=each.terms.justification,
            control=each.terms.control,
            risk=each.terms.risk.value,
            start=time_of_us(each.terms.start_us),
            until=time_of_us(each.terms.until_us),
            requested_by=each.requester,
            requested_at=time_of_us(each.requested_at),
            requested_index=each.requested_index,
            decided_by=each.decided_by,
            decided_at=_time(each.decided_at),
            decided_index=each.decided_index,
            extends=each.terms.extends,
            extended_by=each.extended_by,
            revoked_at=_time(each.revoked_at),
            used=each.used,
            used_at=_time(each.used_at),
            digest=each.digest,
        )
        for each in found
    ]


def _view(record: ExceptionRecord, names: Mapping[str, str], now_us: int) -> ExceptionView:
    def who(person: str) -> ExceptionPersonView:
        return ExceptionPersonView(id=person, name=names.get(person, person))

    terms = record.terms
    return ExceptionView(
        exception=record.id,
        state=record.state(now_us).value,
        kind=terms.kind.value,
        subject=terms.subject,
        scope=terms.scope or "/",
        narrowed=terms.narrowed,
        query=terms.query,
        justification=terms.justification,
        control=terms.control,
        risk=terms.risk.value,
        start=time_of_us(terms.start_us),
        until=time_of_us(terms.until_us),
        digest=record.digest,
        requested_by=who(record.requester),
        requested_at=time_of_us(record.requested_at),
        requested_index=record.requested_index,
        decided_by=None if record.decided_by is None else who(record.decided_by),
        decided_at=_time(record.decided_at),
        decided_index=record.decided_index,
        extends=terms.extends,
        extended_by=record.extended_by,
        revoked_at=_time(record.revoked_at),
        used=record.used,
        used_at=_time(record.used_at),
        steps=[_step(each, who(each.actor)) for each in record.steps],
    )


def _step(step: Step, by: ExceptionPersonView) -> ExceptionStepView:
    return ExceptionStepView(
        index=step.index,
        at=time_of_us(step.at),
        step=step.step,
        by=by,
        via=step.via,
        reason=step.reason,
        count=step.count,
    )


def _people(record: ExceptionRecord) -> set[str]:
    found = {record.requester, *(each.actor for each in record.steps)}
    return found if record.decided_by is None else {*found, record.decided_by}


def _time(at_us: int | None) -> str | None:
    return None if at_us is None else time_of_us(at_us)
