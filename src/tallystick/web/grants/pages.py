"""Grants on pages: the list, one of them with its decisions, asking, and breaking the glass."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter

from tallystick.access.grants.errors import AccessQuestionError
from tallystick.access.grants.model import Grant, State, Subject
from tallystick.access.model import Caller
from tallystick.access.permissions import PERMISSIONS, Permission
from tallystick.access.scopes import parse_scope
from tallystick.api.grant_views import GrantView, RoleView, grant_views, role_view
from tallystick.api.grants import parse_state, parse_subject, parse_time
from tallystick.api.problem import Problem, problem_of
from tallystick.api.services import Services
from tallystick.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from tallystick.web.caller import person
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.grants.who import holders_page
from tallystick.web.page import render

Page = Response[bytes]
Id = Annotated[str, PathParameter(description="The id of a grant.")]
_REFUSED: Final = (InvalidInputError, ConflictError, NotFoundError)
_ASKED: Final = ("kind", "subject", "role", "scope", "until", "reason")


class StepUnknownError(NotFoundError):
    """There is nothing of this name to be done with a grant."""

    code = "step-unknown"
    advice = "Use the buttons of the page."


class GrantsPage(msgspec.Struct, frozen=True, kw_only=True):
    """Grants in one state or in all, which of them wait for the caller, and whether the caller may ask for access."""

    grants: list[GrantView]
    to_decide: list[str]
    state: str
    states: list[str]
    can_request: bool
    can_break_glass: bool
    sees_access: bool


class GrantPage(msgspec.Struct, frozen=True, kw_only=True):
    """One grant: what exactly it allows, its life, and what the caller may do with it."""

    grant: GrantView
    allows: list[tuple[str, str]]
    can_decide: bool
    is_own: bool
    can_revoke: bool
    can_extend: bool


class RequestPage(msgspec.Struct, frozen=True, kw_only=True):
    """The form that asks for access, as it was filled in."""

    roles: list[RoleView]
    kind: str = "person"
    subject: str = ""
    role: str = "viewer"
    scope: str = "/"
    until: str = "now+30d"
    reason: str = ""


class GlassPage(msgspec.Struct, frozen=True, kw_only=True):
    """The form of an emergency, as it was filled in."""

    roles: list[RoleView]
    role: str = "analyst"
    scope: str = "/"
    minutes: str = "60"
    reason: str = ""


@get("/access", sync_to_thread=True, opt={"parameters": ("state", "subject")})
def grants_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return the grants and requests that the caller may see, filtered by state."""
    caller = person(request, services)
    wanted = request.query_params.get("state") or None
    subject = parse_subject(request.query_params.get("subject") or None)
    found, now_us = (
        services.grants.list(caller, state=parse_state(wanted), subject=subject),
        services.ledger.status().now,
    )
    view = GrantsPage(
        grants=grant_views(found, services.grants, now_us),
        to_decide=[each.id for each in found if _may_decide(caller, each, now_us)],
        state=wanted or "",
        states=[each.value for each in State],
        can_request=caller.rights.anywhere(Permission.GRANTS_REQUEST),
        can_break_glass=caller.rights.anywhere(Permission.GRANTS_BREAK_GLASS),
        sees_access=caller.rights.anywhere(Permission.ACCESS_READ),
    )
    return render(request, services, "grants/list.html", view, title="Access")


@get("/access/grants/{grant_id:str}", sync_to_thread=True)
def grant_page(request: Request[Any, Any, Any], services: NamedDependency[Services], grant_id: Id) -> Page:
    """Return one grant with every step of its life."""
    return _grant(request, services, grant_id)


@post(
    "/access/grants/{grant_id:str}/{step:str}",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("reason", "until")},
)
def step_grant(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    form: NamedDependency[Form],
    grant_id: Id,
    step: Annotated[str, PathParameter(description="What to do.")],
) -> Page:
    """Approve, reject, withdraw, revoke, or ask for more time."""
    caller = person(request, services)
    if step == "approve":
        confirm_presence(services, caller)
    try:
        path, said = _take(caller, services, grant_id, step, form)
    except (InvalidInputError, ConflictError, ForbiddenError) as error:
        return _grant(request, services, grant_id, problem_of(error))
    return see_other(request, path, said)


@get("/access/request", sync_to_thread=True, opt={"parameters": ("subject",)})
def request_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return the form that asks for access, for the caller where the address names nobody else."""
    caller = person(request, services)
    subject = request.query_params.get("subject") or caller.id
    return _asking(request, services, RequestPage(roles=_roles(caller, services), subject=subject))


@post("/access/request", sync_to_thread=True, dependencies=FORM, opt={"fields": _ASKED})
def send_request(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Page:
    """Ask for access."""
    caller = person(request, services)
    try:
        subject = parse_subject(f"{form['kind']}:{form['subject']}")
        assert subject is not None
        made = services.grants.request(
            caller,
            subject=subject,
            role=form["role"],
            scope=parse_scope(form["scope"]),
            reason=form["reason"],
            until_us=parse_time(form["until"], services, "/until"),
        )
    except _REFUSED as error:
        typed = {name: form[name] for name in _ASKED}
        return _asking(request, services, RequestPage(roles=_roles(caller, services), **typed), problem_of(error))
    return see_other(request, f"/access/grants/{made}", "Asked. Nothing is allowed until somebody else approves.")


@get("/access/break-glass", sync_to_thread=True)
def glass_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return the form of an emergency."""
    return _glass(request, services, GlassPage(roles=_roles(person(request, services), services)))


@post(
    "/access/break-glass",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("role", "scope", "minutes", "reason")},
)
def break_glass_now(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Page:
    """Take access at once; everybody who decides there is told."""
    caller = person(request, services)
    confirm_presence(services, caller)
    try:
        made = services.grants.break_glass(
            caller,
            role=form["role"],
            scope=parse_scope(form["scope"]),
            reason=form["reason"],
            minutes=_minutes(form["minutes"]),
        )
    except _REFUSED as error:
        typed = {name: form[name] for name in ("role", "scope", "minutes", "reason")}
        return _glass(request, services, GlassPage(roles=_roles(caller, services), **typed), problem_of(error))
    return see_other(request, f"/access/grants/{made}", "The glass is broken, and everybody told.", kind="attention")


def confirm_presence(services: Services, caller: Caller) -> None:
    """Ask who comes with a session to prove again who they are, before access is given."""
    if caller.session is not None:
        services.sessions.require_fresh(caller)


def _take(caller: Caller, services: Services, grant_id: str, step: str, form: Form) -> tuple[str, str]:
    """Take one step of a grant's life; return where to go on, and what to say there."""
    path, reason, grants = f"/access/grants/{grant_id}", form["reason"], services.grants
    match step:
        case "approve":
            grants.approve(caller, grant_id, reason=reason)
            return path, "Approved: the access is in force."
        case "reject":
            grants.reject(caller, grant_id, reason=reason)
            return path, "Rejected."
        case "withdraw":
            grants.withdraw(caller, grant_id)
            return path, "Taken back."
        case "revoke":
            grants.revoke(caller, grant_id, reason=reason)
            return "/access", "Revoked: the access ended at once."
        case "extend":
            until_us = parse_time(form["until"], services, "/until")
            made = grants.extend(caller, grant_id, until_us=until_us, reason=reason)
            return f"/access/grants/{made}", "Asked. The grant ends as before unless somebody else approves."
    raise StepUnknownError(f"a grant cannot be {step[:32]!r}")


def _grant(request: Request[Any, Any, Any], services: Services, grant_id: str, problem: Problem | None = None) -> Page:
    caller, now_us = person(request, services), services.ledger.status().now
    found = services.grants.get(caller, grant_id)
    state, rights = found.state(now_us), caller.rights
    mine = found.subject == Subject("person", caller.id)
    own = mine or caller.id == found.requester
    active, asked = state is State.ACTIVE, state is State.REQUESTED
    view = GrantPage(
        grant=grant_views([found], services.grants, now_us)[0],
        allows=[(each.value, PERMISSIONS[each].description) for each in sorted(found.terms.permissions)],
        can_decide=_may_decide(caller, found, now_us),
        is_own=asked and own,
        can_revoke=active and (mine or rights.allows(Permission.GRANTS_REVOKE, found.scope)),
        can_extend=active
        and found.ground.value == "decision"
        and rights.allows(Permission.GRANTS_REQUEST, found.scope),
    )
    status = 200 if problem is None else problem.status
    return render(
        request, services, "grants/grant.html", view, title=f"Grant {grant_id[:40]}", status=status, problem=problem
    )


def _may_decide(caller: Caller, grant: Grant, now_us: int) -> bool:
    """Return whether to offer the decision; the service alone knows whether it stands."""
    own = caller.id == grant.requester or grant.subject == Subject("person", caller.id)
    return (
        grant.state(now_us) is State.REQUESTED
        and not own
        and caller.rights.allows(Permission.GRANTS_APPROVE, grant.scope)
    )


def _asking(
    request: Request[Any, Any, Any], services: Services, view: RequestPage, problem: Problem | None = None
) -> Page:
    status = 200 if problem is None else problem.status
    return render(
        request, services, "grants/request.html", view, title="Ask for access", status=status, problem=problem
    )


def _glass(
    request: Request[Any, Any, Any], services: Services, view: GlassPage, problem: Problem | None = None
) -> Page:
    status = 200 if problem is None else problem.status
    return render(request, services, "grants/glass.html", view, title="Emergency", status=status, problem=problem)


def _roles(caller: Caller, services: Services) -> list[RoleView]:
    return [role_view(role) for role in services.roles.list(caller)]


def _minutes(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise AccessQuestionError(f"{text[:20]!r} is not a number of minutes", pointer="/minutes")
    return int(text)


GRANT_PAGES: Final = (
    grants_page,
    grant_page,
    step_grant,
    request_page,
    send_request,
    glass_page,
    break_glass_now,
    holders_page,
)
