"""Exceptions from policies, rules, retention, declarations and reviews: ask, decide, extend, end; and the register."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter

from tallystick.access.grants.errors import AccessQuestionError, OwnDecisionError
from tallystick.access.scopes import parse_scope
from tallystick.api.commands import BODY_PROBLEMS, COMMAND, need_caller
from tallystick.api.exception_views import ExceptionsView, ExceptionView, exception_rows, exception_views
from tallystick.api.grants import parse_time
from tallystick.api.openapi import FILES, PROBLEMS
from tallystick.api.register_file import MEDIA, Form, register_file
from tallystick.api.services import Services, caller_of
from tallystick.errors import PermissionMissingError
from tallystick.event.occurred import time_of_us
from tallystick.govern.exceptions.errors import (
    ExceptionDecidedError,
    ExceptionInvalidError,
    ExceptionNotActiveError,
    ExceptionUnknownError,
)
from tallystick.govern.exceptions.model import Kind, Risk, State, Wish

_READING: Final[dict[str, Any]] = {"guards": [need_caller], "sync_to_thread": True, "tags": ["exceptions"]}
_CHANGING: Final[dict[str, Any]] = {**COMMAND, "tags": ["exceptions"]}
_ASKING: Final = {403: PermissionMissingError.code, 422: ExceptionInvalidError.code, **BODY_PROBLEMS}
_DECIDING: Final = {
    403: OwnDecisionError.code,
    404: ExceptionUnknownError.code,
    409: ExceptionDecidedError.code,
    **BODY_PROBLEMS,
}
_ENDING: Final = {404: ExceptionUnknownError.code, 409: ExceptionNotActiveError.code, **BODY_PROBLEMS}
ExceptionId = Annotated[str, PathParameter(description="The id of an exception.")]
_Why = Annotated[str, msgspec.Meta(max_length=1000, description="Why; personal data, and kept out of the facts.")]
_Text = Annotated[str, msgspec.Meta(max_length=4000, description="Personal data, and kept out of the facts.")]
_Until = Annotated[str, msgspec.Meta(description="The end: a time with zone, or relative such as now+90d.")]
_RiskName = Literal["low", "medium", "high", "critical"]
_KindName = Literal["policy", "rule", "retention", "declaration", "review"]


class NewException(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An exception to be asked for."""

    kind: _KindName
    subject: Annotated[
        str, msgspec.Meta(description="The id of what it is from: of a rule, a system, a class, a duty.")
    ]
    scope: Annotated[str, msgspec.Meta(description="A path such as acme/payments; / is everything.")]
    justification: _Text
    control: Annotated[str, msgspec.Meta(max_length=4000, description="What makes up for it meanwhile.")]
    risk: _RiskName
    until: _Until
    start: Annotated[str | None, msgspec.Meta(description="The beginning; null is now.")] = None
    query: Annotated[str | None, msgspec.Meta(description="Narrows an exception from a rule to what it finds.")] = None


class ExceptionExtension(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Until when an exception is to go on, and why it should."""

    until: _Until
    justification: _Text
    control: _Text
    risk: _RiskName


class ExceptionApproval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is agreed to: exactly what this digest stands for."""

    digest: str
    reason: _Why = ""


class ExceptionBecause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why something is refused or ended."""

    reason: _Why


class ExceptionOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """Which exception it was about, and where it stands now."""

    exception: str
    state: str


_Scope = Annotated[str, QueryParameter(name="scope", description="Only in this scope and below it.")]
_State = Annotated[str | None, QueryParameter(name="state", description="requested, active, expired, ...")]
_Kind = Annotated[str | None, QueryParameter(name="kind", description="policy, rule, retention, declaration, review.")]
_Subject = Annotated[str | None, QueryParameter(name="subject", description="Only from this subject, by its id.")]


@get(
    "/api/v1/exceptions",
    opt={"parameters": ("scope", "state", "kind", "subject"), PROBLEMS: {422: AccessQuestionError.code}},
    summary="Exceptions",
    **_READING,
)
def exceptions(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    within: _Scope = "/",
    standing: _State = None,
    kind: _Kind = None,
    subject: _Subject = None,
) -> ExceptionsView:
    """Return the exceptions that the caller may see, the newest request first, without their steps."""
    found = services.systems.exceptions.list(
        caller_of(request, services),
        scope=parse_scope(within),
        state=parse_exception_state(standing),
        kind=parse_kind(kind),
        subject=subject,
    )
    return ExceptionsView(exceptions=exception_views(services, found, services.systems.exceptions.now_us()))


@get(
    "/api/v1/exceptions/export",
    opt={"parameters": ("scope", "format"), FILES: tuple(MEDIA.values())},
    summary="The register of exceptions as a file",
    **_READING,
)
def export_exceptions(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    within: _Scope = "/",
    form: Annotated[Form, QueryParameter(name="format", description="csv or json.")] = "csv",
) -> Response[bytes]:
    """Return every exception that the caller may see, whatever its state."""
    register = services.systems.exceptions
    found, now_us = register.list(caller_of(request, services), scope=parse_scope(within)), register.now_us()
    about = {"register": "exceptions", "scope": within, "made_at": time_of_us(now_us)}
    return register_file("exceptions", form, exception_rows(found, now_us), about)


@post("/api/v1/exceptions", opt={PROBLEMS: _ASKING}, summary="Ask for an exception", **_CHANGING)
def request_exception(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[NewException]
) -> ExceptionOutcome:
    """Ask for an exception; somebody else decides. Needs `exceptions.request` in its scope."""
    wish = Wish(
        kind=Kind(data.kind),
        subject=data.subject,
        scope=parse_scope(data.scope),
        justification=data.justification,
        control=data.control,
        risk=Risk(data.risk),
        until_us=parse_time(data.until, services, "/until"),
        start_us=None if data.start is None else parse_time(data.start, services, "/start"),
        query=data.query,
    )
    made = services.systems.exceptions.request(caller_of(request, services), wish)
    return ExceptionOutcome(exception=made, state=State.REQUESTED.value)


@get(
    "/api/v1/exceptions/{exception:str}",
    opt={PROBLEMS: {404: ExceptionUnknownError.code}},
    summary="One exception",
    **_READING,
)
def one_exception(
    request: Request[Any, Any, Any], services: NamedDependency[Services], exception: ExceptionId
) -> ExceptionView:
    """Return an exception with the steps of its life."""
    register = services.systems.exceptions
    return exception_views(services, [register.get(caller_of(request, services), exception)], register.now_us())[0]


@post(
    "/api/v1/exceptions/{exception:str}/approve",
    status_code=200,
    opt={PROBLEMS: _DECIDING},
    summary="Approve an exception",
    **_CHANGING,
)
def approve_exception(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    exception: ExceptionId,
    data: JSONBody[ExceptionApproval],
) -> ExceptionOutcome:
    """Agree to what somebody else asked for. Needs `exceptions.approve`, and a person."""
    caller = caller_of(request, services)
    services.systems.exceptions.approve(caller, exception, data.digest, reason=data.reason)
    return ExceptionOutcome(exception=exception, state="approved")


@post(
    "/api/v1/exceptions/{exception:str}/reject",
    status_code=200,
    opt={PROBLEMS: _DECIDING},
    summary="Reject an exception",
    **_CHANGING,
)
def reject_exception(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    exception: ExceptionId,
    data: JSONBody[ExceptionBecause],
) -> ExceptionOutcome:
    """Refuse what somebody else asked for, and say why."""
    services.systems.exceptions.reject(caller_of(request, services), exception, reason=data.reason)
    return ExceptionOutcome(exception=exception, state=State.REJECTED.value)


@post(
    "/api/v1/exceptions/{exception:str}/withdraw",
    status_code=200,
    opt={PROBLEMS: _DECIDING},
    summary="Take a request back",
    **_CHANGING,
)
def withdraw_exception(
    request: Request[Any, Any, Any], services: NamedDependency[Services], exception: ExceptionId
) -> ExceptionOutcome:
    """Take one's own request back."""
    services.systems.exceptions.withdraw(caller_of(request, services), exception)
    return ExceptionOutcome(exception=exception, state=State.WITHDRAWN.value)


@post(
    "/api/v1/exceptions/{exception:str}/revoke",
    status_code=200,
    opt={PROBLEMS: _ENDING},
    summary="Revoke an exception",
    **_CHANGING,
)
def revoke_exception(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    exception: ExceptionId,
    data: JSONBody[ExceptionBecause],
) -> ExceptionOutcome:
    """End an exception at once, with what was agreed to follow it."""
    services.systems.exceptions.revoke(caller_of(request, services), exception, reason=data.reason)
    return ExceptionOutcome(exception=exception, state=State.REVOKED.value)


@post(
    "/api/v1/exceptions/{exception:str}/extend",
    opt={PROBLEMS: {**_ENDING, 422: ExceptionInvalidError.code}},
    summary="Ask for an exception to go on",
    **_CHANGING,
)
def extend_exception(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    exception: ExceptionId,
    data: JSONBody[ExceptionExtension],
) -> ExceptionOutcome:
    """Ask for an exception to go on after its end: a new request, which somebody else decides about."""
    made = services.systems.exceptions.extend(
        caller_of(request, services),
        exception,
        until_us=parse_time(data.until, services, "/until"),
        justification=data.justification,
        control=data.control,
        risk=Risk(data.risk),
    )
    return ExceptionOutcome(exception=made, state=State.REQUESTED.value)


def parse_exception_state(text: str | None) -> State | None:
    """Return a state by name, None for none; raises AccessQuestionError."""
    try:
        return None if text is None else State(text)
    except ValueError:
        raise AccessQuestionError(f"{text!r} is not a state: {', '.join(State)}", pointer="/state") from None


def parse_kind(text: str | None) -> Kind | None:
    """Return a kind by name, None for none; raises AccessQuestionError."""
    try:
        return None if text is None else Kind(text)
    except ValueError:
        raise AccessQuestionError(f"{text!r} is not a kind: {', '.join(Kind)}", pointer="/kind") from None


EXCEPTION_ROUTES: Final = (
    exceptions,
    export_exceptions,
    request_exception,
    one_exception,
    approve_exception,
    reject_exception,
    withdraw_exception,
    revoke_exception,
    extend_exception,
)
