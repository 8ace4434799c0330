"""Exceptions on pages: the register, one of them, asking for one, and every step of its life."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.access.scopes import parse_scope
from tallystick.api.exception_views import ExceptionView, exception_rows, exception_views
from tallystick.api.exceptions import parse_exception_state, parse_kind
from tallystick.api.grants import parse_time
from tallystick.api.problem import Problem, problem_of
from tallystick.api.register_file import register_file
from tallystick.api.services import Services
from tallystick.errors import ConflictError, ForbiddenError, InvalidInputError
from tallystick.event.occurred import time_of_us
from tallystick.govern.exceptions.errors import ExceptionInvalidError
from tallystick.govern.exceptions.model import Kind, Risk, State, Wish
from tallystick.web.caller import person
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.grants.pages import StepUnknownError, confirm_presence
from tallystick.web.page import render

Page = Response[bytes]
Id = Annotated[str, PathParameter(description="The id of an exception.")]
_REFUSED: Final = (InvalidInputError, ConflictError, ForbiddenError)
_ASKED: Final = ("kind", "subject", "scope", "query", "justification", "control", "risk", "start", "until")
_STEP: Final = ("digest", "reason", "until", "justification", "control", "risk")


class ExceptionsPage(msgspec.Struct, frozen=True, kw_only=True):
    """Exceptions in one state or in all, which of them wait for the caller, and whether she may ask for one."""

    exceptions: list[ExceptionView]
    to_decide: list[str]
    state: str
    states: list[str]
    kind: str
    kinds: list[str]
    can_request: bool


class ExceptionPage(msgspec.Struct, frozen=True, kw_only=True):
    """One exception with its life, and what the caller may do with it."""

    exception: ExceptionView
    now: str
    can_decide: bool
    is_own: bool
    can_revoke: bool
    can_extend: bool


class AskPage(msgspec.Struct, frozen=True, kw_only=True):
    """The form that asks for an exception, as it was filled in."""

    kinds: list[str]
    risks: list[str]
    days_max: int
    kind: str = Kind.RULE.value
    subject: str = ""
    scope: str = ""
    query: str = ""
    justification: str = ""
    control: str = ""
    risk: str = Risk.MEDIUM.value
    start: str = ""
    until: str = "now+90d"


@get("/exceptions", sync_to_thread=True, opt={"parameters": ("state", "kind")})
def exceptions_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return the exceptions that the caller may see, filtered by state and kind."""
    caller, register = person(request, services), services.systems.exceptions
    state, kind = request.query_params.get("state") or "", request.query_params.get("kind") or ""
    found = register.list(caller, state=parse_exception_state(state or None), kind=parse_kind(kind or None))
    now_us = register.now_us()
    waiting = [each.id for each in found if each.state(now_us) is State.REQUESTED and register.may_decide(caller, each)]
    view = ExceptionsPage(
        exceptions=exception_views(services, found, now_us),
        to_decide=waiting,
        state=state,
        states=[each.value for each in State],
        kind=kind,
        kinds=[each.value for each in Kind],
        can_request=caller.rights.anywhere(Permission.EXCEPTIONS_REQUEST),
    )
    return render(request, services, "exceptions/list.html", view, title="Exceptions")


@get("/exceptions/export", sync_to_thread=True, opt={"parameters": ("format",)})
def exceptions_file(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return the register as a file: every exception that the caller may see."""
    caller, register = person(request, services), services.systems.exceptions
    found, now_us = register.list(caller), register.now_us()
    about = {"register": "exceptions", "made_at": time_of_us(now_us)}
    as_json = request.query_params.get("format") == "json"
    return register_file("exceptions", "json" if as_json else "csv", exception_rows(found, now_us), about)


@get("/exceptions/request", sync_to_thread=True, opt={"parameters": ("kind", "subject", "scope")})
def ask_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return the form that asks for an exception; the address may name what from."""
    require(person(request, services), Permission.EXCEPTIONS_REQUEST)
    given = {name: request.query_params[name] for name in ("kind", "subject", "scope") if name in request.query_params}
    return _asking(request, services, given)


@post("/exceptions/request", sync_to_thread=True, dependencies=FORM, opt={"fields": _ASKED})
def ask(request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]) -> Page:
    """Ask for an exception."""
    caller = person(request, services)
    try:
        made = services.systems.exceptions.request(caller, _wish(services, form))
    except _REFUSED as error:
        return _asking(request, services, {name: form[name] for name in _ASKED}, problem_of(error))
    return see_other(request, f"/exceptions/{made}", "Asked. Nothing is allowed until somebody else approves.")


@get("/exceptions/{exception:str}", sync_to_thread=True)
def exception_page(request: Request[Any, Any, Any], services: NamedDependency[Services], exception: Id) -> Page:
    """Return one exception with every step of its life."""
    return _one(request, services, exception)


@post("/exceptions/{exception:str}/{step:str}", sync_to_thread=True, dependencies=FORM, opt={"fields": _STEP})
def step_exception(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    form: NamedDependency[Form],
    exception: Id,
    step: Annotated[str, PathParameter(description="What to do.")],
) -> Page:
    """Approve, reject, withdraw, revoke, or ask for it to go on."""
    caller = person(request, services)
    if step == "approve":
        confirm_presence(services, caller)
    try:
        path, said = _take(caller, services, exception, step, form)
    except _REFUSED as error:
        return _one(request, services, exception, problem_of(error))
    return see_other(request, path, said)


def _take(caller: Caller, services: Services, exception: str, step: str, form: Form) -> tuple[str, str]:
    """Take one step of an exception's life; return where to go on, and what to say there."""
    path, register = f"/exceptions/{exception}", services.systems.exceptions
    match step:
        case "approve":
            register.approve(caller, exception, form["digest"], reason=form["reason"])
            return path, "Approved."
        case "reject":
            register.reject(caller, exception, reason=form["reason"])
            return path, "Rejected."
        case "withdraw":
            register.withdraw(caller, exception)
            return path, "Taken back."
        case "revoke":
            register.revoke(caller, exception, reason=form["reason"])
            return path, "Revoked: it ended at once."
        case "extend":
            made = register.extend(
                caller,
                exception,
                until_us=parse_time(form["until"], services, "/until"),
                justification=form["justification"],
                control=form["control"],
                risk=_risk(form["risk"]),
            )
            return f"/exceptions/{made}", "Asked. It ends as before unless somebody else approves."
    raise StepUnknownError(f"an exception cannot be {step[:32]!r}")


def _wish(services: Services, form: Form) -> Wish:
    kind = parse_kind(form["kind"])
    assert kind is not None
    return Wish(
        kind=kind,
        subject=form["subject"],
        scope=parse_scope(form["scope"]),
        justification=form["justification"],
        control=form["control"],
        risk=_risk(form["risk"]),
        until_us=parse_time(form["until"], services, "/until"),
        start_us=parse_time(form["start"], services, "/start") if form["start"] else None,
        query=form["query"] or None,
    )


def _risk(text: str) -> Risk:
    try:
        return Risk(text)
    except ValueError:
        raise ExceptionInvalidError(f"{text[:32]!r} is not a risk: {', '.join(Risk)}", pointer="/risk") from None


def _asking(
    request: Request[Any, Any, Any], services: Services, given: dict[str, str], problem: Problem | None = None
) -> Page:
    days_max = services.settings.count("exceptions.days_max")
    view = AskPage(kinds=[each.value for each in Kind], risks=[each.value for each in Risk], days_max=days_max, **given)
    status = 200 if problem is None else problem.status
    title = "Ask for an exception"
    return render(request, services, "exceptions/request.html", view, title=title, status=status, problem=problem)


def _one(request: Request[Any, Any, Any], services: Services, exception: str, problem: Problem | None = None) -> Page:
    caller, register = person(request, services), services.systems.exceptions
    found, now_us = register.get(caller, exception), register.now_us()
    state, rights, scope = found.state(now_us), caller.rights, found.terms.scope
    asked, going_on = state is State.REQUESTED, state in {State.ACTIVE, State.AGREED}
    view = ExceptionPage(
        exception=exception_views(services, [found], now_us)[0],
        now=time_of_us(now_us),
        can_decide=asked and register.may_decide(caller, found),
        is_own=asked and caller.id == found.requester,
        can_revoke=going_on and (caller.id == found.requester or rights.allows(Permission.EXCEPTIONS_APPROVE, scope)),
        can_extend=going_on and found.extended_by is None and rights.allows(Permission.EXCEPTIONS_REQUEST, scope),
    )
    status, title = 200 if problem is None else problem.status, f"Exception {exception[:40]}"
    return render(request, services, "exceptions/one.html", view, title=title, status=status, problem=problem)


EXCEPTION_PAGES: Final = (
    exceptions_page,
    exceptions_file,
    ask_page,
    ask,
    exception_page,
    step_exception,
)
