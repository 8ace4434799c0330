"""Grants: ask, decide, end, break the glass; and who could do something at a time."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter

from tallystick.access.grants.errors import (
    AccessQuestionError,
    GrantDecidedError,
    GrantTermsInvalidError,
    GrantUnknownError,
    OwnDecisionError,
)
from tallystick.access.grants.model import State, Subject
from tallystick.access.permissions import Permission
from tallystick.access.scopes import parse_scope
from tallystick.api.commands import BODY_PROBLEMS, COMMAND, need_caller
from tallystick.api.grant_views import GrantsView, GrantView, HoldersView, grant_views, holder_view
from tallystick.api.openapi import PROBLEMS
from tallystick.api.services import Services, caller_of
from tallystick.event.occurred import time_of_us
from tallystick.query.moments import parse_moment

_DECIDING: Final = {
    403: OwnDecisionError.code,
    404: GrantUnknownError.code,
    409: GrantDecidedError.code,
    **BODY_PROBLEMS,
}
_ASKING: Final = {422: GrantTermsInvalidError.code, **BODY_PROBLEMS}
_READING: Final[dict[str, Any]] = {"guards": [need_caller], "sync_to_thread": True, "tags": ["access"]}
_CHANGING: Final[dict[str, Any]] = {**COMMAND, "tags": ["access"]}
_GrantId = Annotated[str, PathParameter(description="The id of a grant.")]
Reason = Annotated[str, msgspec.Meta(max_length=1000, description="Why; personal data, and kept out of the facts.")]
Until = Annotated[str, msgspec.Meta(description="The end: a time with zone, or relative such as now+30d.")]


class SubjectGiven(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is to get the access."""

    kind: Literal["person", "group"]
    id: Annotated[str, msgspec.Meta(max_length=128)]


class NewRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Access to be asked for."""

    subject: SubjectGiven
    role: str
    scope: Annotated[str, msgspec.Meta(description="A path such as acme/payments; / is everything.")]
    reason: Reason
    until: Until


class Extension(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Until when a grant is to go on, and why."""

    until: Until
    reason: Reason


class Remark(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an approver may add."""

    reason: Reason = ""


class Because(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why something is refused or ended."""

    reason: Reason


class Emergency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Access to be taken at once, for at most an hour."""

    role: str
    scope: str
    reason: Reason
    minutes: Annotated[int, msgspec.Meta(ge=1, le=60)]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Which grant it was about, and where it stands now."""

    grant: str
    state: str


@get(
    "/api/v1/grants",
    opt={"parameters": ("state", "subject"), PROBLEMS: {422: AccessQuestionError.code}},
    summary="Grants and requests",
    **_READING,
)
def grants(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    standing: Annotated[
        str | None, QueryParameter(name="state", description="requested, active, expired, revoked, ...")
    ] = None,
    subject: Annotated[str | None, QueryParameter(description="person:ID or group:NAME")] = None,
) -> GrantsView:
    """Return the grants that the caller may see, the newest request first."""
    caller = caller_of(request, services)
    found = services.grants.list(caller, state=parse_state(standing), subject=parse_subject(subject))
    return GrantsView(grants=grant_views(found, services.grants, services.ledger.status().now))


@get("/api/v1/grants/{grant:str}", opt={PROBLEMS: {404: GrantUnknownError.code}}, summary="One grant", **_READING)
def grant(request: Request[Any, Any, Any], services: NamedDependency[Services], grant: _GrantId) -> GrantView:
    """Return a grant with every step of its life."""
    found = services.grants.get(caller_of(request, services), grant)
    return grant_views([found], services.grants, services.ledger.status().now)[0]


@post("/api/v1/grants", opt={PROBLEMS: _ASKING}, summary="Ask for access", **_CHANGING)
def request_grant(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[NewRequest]
) -> Outcome:
    """Ask for access. Nothing is allowed until somebody else approves."""
    made = services.grants.request(
        caller_of(request, services),
        subject=Subject(data.subject.kind, data.subject.id),
        role=data.role,
        scope=parse_scope(data.scope),
        reason=data.reason,
        until_us=parse_time(data.until, services, "/until"),
    )
    return _outcome(made, State.REQUESTED)


@post("/api/v1/grants/break-glass", opt={PROBLEMS: _ASKING}, summary="Break the glass", **_CHANGING)
def break_glass(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[Emergency]
) -> Outcome:
    """Take access in an emergency, at once and for at most an hour; everybody who may decide there is told."""
    made = services.grants.break_glass(
        caller_of(request, services),
        role=data.role,
        scope=parse_scope(data.scope),
        reason=data.reason,
        minutes=data.minutes,
    )
    return _outcome(made, State.ACTIVE)


@post("/api/v1/grants/{grant:str}/approve", status_code=200, opt={PROBLEMS: _DECIDING}, summary="Approve", **_CHANGING)
def approve_grant(
    request: Request[Any, Any, Any], services: NamedDependency[Services], grant: _GrantId, data: JSONBody[Remark]
) -> Outcome:
    """Approve a request of somebody else: it is in force from now until its end."""
    services.grants.approve(caller_of(request, services), grant, reason=data.reason)
    return _outcome(grant, State.ACTIVE)


@post("/api/v1/grants/{grant:str}/reject", status_code=200, opt={PROBLEMS: _DECIDING}, summary="Reject", **_CHANGING)
def reject_grant(
    request: Request[Any, Any, Any], services: NamedDependency[Services], grant: _GrantId, data: JSONBody[Because]
) -> Outcome:
    """Refuse a request of somebody else, and say why."""
    services.grants.reject(caller_of(request, services), grant, reason=data.reason)
    return _outcome(grant, State.REJECTED)


@post(
    "/api/v1/grants/{grant:str}/withdraw", status_code=200, opt={PROBLEMS: _DECIDING}, summary="Withdraw", **_CHANGING
)
def withdraw_grant(request: Request[Any, Any, Any], services: NamedDependency[Services], grant: _GrantId) -> Outcome:
    """Take back a request of one's own."""
    services.grants.withdraw(caller_of(request, services), grant)
    return _outcome(grant, State.WITHDRAWN)


@post("/api/v1/grants/{grant:str}/revoke", status_code=200, opt={PROBLEMS: _DECIDING}, summary="Revoke", **_CHANGING)
def revoke_grant(
    request: Request[Any, Any, Any], services: NamedDependency[Services], grant: _GrantId, data: JSONBody[Because]
) -> Outcome:
    """End a grant at once, before its time."""
    services.grants.revoke(caller_of(request, services), grant, reason=data.reason)
    return _outcome(grant, State.REVOKED)


@post("/api/v1/grants/{grant:str}/extend", opt={PROBLEMS: _DECIDING}, summary="Ask to go on", **_CHANGING)
def extend_grant(
    request: Request[Any, Any, Any], services: NamedDependency[Services], grant: _GrantId, data: JSONBody[Extension]
) -> Outcome:
    """Ask for a grant to go on until later: a new request, to be decided anew."""
    until_us = parse_time(data.until, services, "/until")
    made = services.grants.extend(caller_of(request, services), grant, until_us=until_us, reason=data.reason)
    return _outcome(made, State.REQUESTED)


@get(
    "/api/v1/access",
    opt={"parameters": ("permission", "scope", "at"), PROBLEMS: {422: AccessQuestionError.code}},
    summary="Who could",
    **_READING,
)
def who_could(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    permission: Annotated[str, QueryParameter(description="What they could do.")] = Permission.EVENTS_READ.value,
    within: Annotated[str, QueryParameter(name="scope", description="Where; / is everything.")] = "/",
    at: Annotated[str, QueryParameter(description="When: a time with zone, or relative such as -30d.")] = "now",
) -> HoldersView:
    """Return everybody who could do something somewhere at a time, with the grant that explains it: from the log."""
    at_us = parse_time(at, services, "/at")
    asked = parse_permission(permission)
    found = services.grants.who_could(caller_of(request, services), asked, parse_scope(within), at_us)
    holders = [holder_view(each) for each in found]
    return HoldersView(permission=asked.value, scope=within, at=time_of_us(at_us), holders=holders)


def parse_time(text: str, services: Services, pointer: str) -> int:
    """Return a moment as microseconds, of a day its beginning; raises AccessQuestionError."""
    moment = parse_moment(text, services.ledger.status().now)
    if moment is None:
        raise AccessQuestionError(f"{text[:64]!r} is not a time", pointer=pointer)
    return moment.start


def parse_permission(text: str) -> Permission:
    """Return a permission by name; raises AccessQuestionError."""
    try:
        return Permission(text)
    except ValueError:
        raise AccessQuestionError(f"{text[:64]!r} is not a permission", pointer="/permission") from None


def parse_state(text: str | None) -> State | None:
    """Return a state by name, None for none; raises AccessQuestionError."""
    try:
        return None if text is None else State(text)
    except ValueError:
        raise AccessQuestionError(f"{text!r} is not a state: {', '.join(State)}", pointer="/state") from None


def parse_subject(text: str | None) -> Subject | None:
    """Return whom `person:ID` or `group:NAME` means, None for none; raises AccessQuestionError."""
    if text is None:
        return None
    kind, _, name = text.partition(":")
    if kind == "person" and name:
        return Subject("person", name)
    if kind == "group" and name:
        return Subject("group", name)
    raise AccessQuestionError(f"{text[:64]!r} names neither person:ID nor group:NAME", pointer="/subject")


def _outcome(grant_id: str, state: State) -> Outcome:
    return Outcome(grant=grant_id, state=state.value)


GRANT_ROUTES: Final = (
    grants,
    grant,
    request_grant,
    break_glass,
    approve_grant,
    reject_grant,
    withdraw_grant,
    revoke_grant,
    extend_grant,
    who_could,
)
