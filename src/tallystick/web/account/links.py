"""What a one-time link opens: the first account, and an invitation."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency

from tallystick.access.people.errors import PasswordWeakError, PersonInvalidError
from tallystick.access.people.model import Profile
from tallystick.access.people.passwords import CHARS_MIN
from tallystick.api.problem import Problem, problem_of
from tallystick.api.services import Services
from tallystick.errors import InvalidInputError
from tallystick.web.account.cookies import begin_session, visit_of
from tallystick.web.caller import HOME
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render

Page = Response[bytes]


class MismatchError(InvalidInputError):
    """The two passwords are not the same."""

    code = "password-mismatch"
    advice = "Type the same password twice."


class LinkPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the link is for, and what was typed; never the password."""

    link: str
    handle: str = ""
    name: str = ""
    email: str = ""
    chars_min: int = CHARS_MIN


@get("/setup", sync_to_thread=True, opt={"parameters": ("link",)})
def setup_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Ask for the first account."""
    link = request.query_params.get("link", "")
    services.setup.check(link)
    return _page(request, services, "setup", LinkPage(link=link))


@post(
    "/setup",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("link", "handle", "name", "email", "password", "again")},
)
def set_up(request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]) -> Page:
    """Make the first account and sign it in."""
    try:
        password = _password(form)
        profile = Profile(form["handle"], form["name"], form["email"])
        signed_in = services.setup.complete(form["link"], profile, password, visit_of(request))
    except (MismatchError, PersonInvalidError, PasswordWeakError) as error:
        typed = LinkPage(link=form["link"], handle=form["handle"], name=form["name"], email=form["email"])
        return _page(request, services, "setup", typed, problem_of(error))
    said = "The installation is yours: you are its first administrator, and an analyst so that you can read."
    return begin_session(request, see_other(request, HOME, said), signed_in)


@get("/invitation", sync_to_thread=True, opt={"parameters": ("link",)})
def invitation_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Ask an invited person for a password."""
    return _invitation(request, services, request.query_params.get("link", ""))


@post("/invitation", sync_to_thread=True, dependencies=FORM, opt={"fields": ("link", "password", "again")})
def accept(request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]) -> Page:
    """Set the password and sign the person in."""
    try:
        signed_in = services.people.accept(form["link"], _password(form), visit_of(request))
    except (MismatchError, PasswordWeakError) as error:
        return _invitation(request, services, form["link"], problem_of(error))
    if signed_in is None:
        return see_other(request, "/sign-in", "The password is set. Sign in with it and your second factor.")
    return begin_session(request, see_other(request, "/", "Welcome. You are signed in."), signed_in)


def _invitation(request: Request[Any, Any, Any], services: Services, link: str, problem: Problem | None = None) -> Page:
    invited = services.people.check_invitation(link)
    return _page(
        request, services, "invitation", LinkPage(link=link, handle=invited.handle, name=invited.name), problem
    )


def _page(
    request: Request[Any, Any, Any], services: Services, what: str, view: LinkPage, problem: Problem | None = None
) -> Page:
    title = {"setup": "Set up Tallystick", "invitation": "Accept your invitation"}[what]
    status = 200 if problem is None else problem.status
    return render(request, services, f"account/{what}.html", view, title=title, status=status, problem=problem)


def _password(form: Form) -> str:
    if form["password"] != form["again"]:
        raise MismatchError("the two passwords are not the same", pointer="/again")
    return form["password"]
