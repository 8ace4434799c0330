"""Coming in and going out."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency

from tallystick.access.people.errors import (
    LocalSignInOffError,
    ProviderMissingError,
    SignInBusyError,
    SignInRefusedError,
    SignInSlowedError,
)
from tallystick.access.people.model import Step
from tallystick.access.people.oidc import OidcService
from tallystick.access.people.room import CALLBACK
from tallystick.api.problem import Problem, problem_of
from tallystick.api.services import Services
from tallystick.web.account.cookies import TICKET, begin_session, end_session, keep_ticket, kept, visit_of
from tallystick.web.caller import HOME, local_path, person, visitor
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render

Page = Response[bytes]
_ANSWER: Final = ("code", "state", "iss", "error", "error_description", "error_uri", "session_state")
REFUSALS: Final = (SignInRefusedError, SignInSlowedError, SignInBusyError, LocalSignInOffError)


class SignInPage(msgspec.Struct, frozen=True, kw_only=True):
    """Which step comes now (`password`, `code`), where to go on to, and what was typed as a handle."""

    step: str
    next: str
    handle: str = ""
    provider: str = ""
    takes_passwords: bool = True
    needs_setup: bool = False


@get("/sign-in", sync_to_thread=True, opt={"parameters": ("next",)})
def sign_in_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Ask for handle and password; who is signed in already goes on."""
    following = local_path(request.query_params.get("next"))
    if visitor(request, services) is not None:
        return see_other(request, following)
    return _page(request, services, "password", following)


@post("/sign-in", sync_to_thread=True, dependencies=FORM, opt={"fields": ("handle", "password", "next")})
def sign_in(request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]) -> Page:
    """Check a password; open a session, or ask for the second factor."""
    following = local_path(form["next"])
    try:
        step = services.signin.password(form["handle"], form["password"], visit_of(request))
    except REFUSALS as error:
        return _page(request, services, "password", following, form["handle"], problem_of(error))
    if step.kind == "totp":
        answer = see_other(request, f"/sign-in/code?{urlencode({'next': following})}")
        return keep_ticket(request, answer, step.ticket)
    return _done(request, step, following)


@get("/sign-in/code", sync_to_thread=True, opt={"parameters": ("next",)})
def code_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Ask for the second factor."""
    return _page(request, services, "code", local_path(request.query_params.get("next")))


@post("/sign-in/code", sync_to_thread=True, dependencies=FORM, opt={"fields": ("code", "recovery", "next")})
def sign_in_with_code(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Page:
    """Check the six digits, or a recovery code in their place, and open a session."""
    following, ticket, visit = local_path(form["next"]), kept(request, TICKET), visit_of(request)
    try:
        if form["recovery"]:
            step = services.signin.recovery(ticket, form["recovery"], visit)
        else:
            step = services.signin.totp(ticket, form["code"], visit)
    except REFUSALS as error:
        return _page(request, services, "code", following, problem=problem_of(error))
    return _done(request, step, following)


@post("/sign-out", sync_to_thread=True, dependencies=FORM, opt={"fields": ()})
def sign_out(request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]) -> Page:
    """End the session of this browser."""
    del form  # read for its own check: no field belongs here
    caller = visitor(request, services)
    if caller is not None and caller.session is not None:
        services.sessions.close(caller)
    return end_session(request, see_other(request, "/sign-in", "You are signed out."))


@get("/sign-in/provider", sync_to_thread=True, opt={"parameters": ("next", "again")})
def go_to_provider(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Send the browser to the identity provider; `again` asks for a proof anew."""
    started = _provider(services).start(
        local_path(request.query_params.get("next")), again=request.query_params.get("again") == "yes"
    )
    return keep_ticket(request, see_other(request, started.url), started.state)


@get(CALLBACK, sync_to_thread=True, opt={"parameters": _ANSWER})
def back_from_provider(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Take the provider's answer, and open a session."""
    answer = {name: request.query_params[name] for name in _ANSWER if name in request.query_params}
    try:
        signed_in, following = _provider(services).finish(answer, kept(request, TICKET), visit_of(request))
    except SignInRefusedError as error:
        return _page(request, services, "password", HOME, problem=problem_of(error))
    return begin_session(request, see_other(request, following), signed_in)


def _provider(services: Services) -> OidcService:
    if services.oidc is None:
        raise ProviderMissingError("no identity provider is configured")
    return services.oidc


class ConfirmPage(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a code is asked for too, and where to go on to."""

    next: str
    needs_code: bool
    provider: str = ""
    """How who has no password confirms: at the identity provider."""


@get("/confirm", sync_to_thread=True, opt={"parameters": ("next",)})
def confirm_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Ask who is there to show again that it is her."""
    return _confirm(request, services, local_path(request.query_params.get("next")))


@post("/confirm", sync_to_thread=True, dependencies=FORM, opt={"fields": ("password", "code", "next")})
def confirm(request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]) -> Page:
    """Make the session fresh for dangerous acts."""
    following = local_path(form["next"])
    try:
        caller = person(request, services)
        services.signin.reauthenticate(caller, form["password"], form["code"], visit_of(request))
    except REFUSALS as error:
        return _confirm(request, services, following, problem_of(error))
    return see_other(request, following, "Confirmed. For some minutes you are not asked again.")


def _confirm(
    request: Request[Any, Any, Any], services: Services, following: str, problem: Problem | None = None
) -> Page:
    me = services.account.me(person(request, services))
    provider = "" if me.has_password or services.oidc is None else services.oidc.name
    view = ConfirmPage(next=following, needs_code=me.has_totp, provider=provider)
    status = 200 if problem is None else problem.status
    return render(
        request, services, "account/confirm.html", view, title="Confirm that it is you", status=status, problem=problem
    )


def _page(
    request: Request[Any, Any, Any],
    services: Services,
    step: str,
    following: str,
    handle: str = "",
    problem: Problem | None = None,
) -> Page:
    oidc = services.oidc
    view = SignInPage(
        step=step,
        next=following,
        handle=handle,
        provider="" if oidc is None else oidc.name,
        takes_passwords=services.signin.takes_passwords(),
        needs_setup=services.setup.is_needed(),
    )
    status = 200 if problem is None else problem.status
    return render(request, services, "account/sign_in.html", view, title="Sign in", status=status, problem=problem)


def _done(request: Request[Any, Any, Any], step: Step, following: str) -> Page:
    assert step.signed_in is not None, "a sign-in that is done has a session"
    return begin_session(request, see_other(request, following), step.signed_in)
