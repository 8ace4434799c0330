"""Everybody with an account, and one of them."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter

from tallystick.access.people.model import Person, Profile
from tallystick.access.permissions import Permission
from tallystick.api.people import PersonView, full_url, invitation_path, person_view
from tallystick.api.problem import Problem, problem_of
from tallystick.api.services import Services
from tallystick.errors import ConflictError, InvalidInputError, NotFoundError
from tallystick.web.account.page import Device, device_of
from tallystick.web.caller import person
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.grants.pages import confirm_presence
from tallystick.web.page import render

Page = Response[bytes]
PATH: Final = "/access/people"
Id = Annotated[str, PathParameter(description="The id of a person.")]


class VerbUnknownError(NotFoundError):
    """There is nothing of this name to be done with a person."""

    code = "verb-unknown"
    advice = "Use the buttons of the page."


class PeoplePage(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody, and what was typed into the form that invites somebody."""

    people: tuple[PersonView, ...]
    can_manage: bool
    handle: str = ""
    name: str = ""
    email: str = ""


class PersonPage(msgspec.Struct, frozen=True, kw_only=True):
    """One person, with the devices where the caller may see them."""

    person: PersonView
    devices: tuple[Device, ...]
    can_manage: bool
    is_me: bool
    now: int


class InvitedPage(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation, shown once. `local` says that its address is the one by which this browser reached the server."""

    person: PersonView
    link: str
    local: bool
    until: int


@get(PATH, sync_to_thread=True)
def people_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return everybody with an account. The look is recorded."""
    return _people(request, services)


@post(PATH, sync_to_thread=True, dependencies=FORM, opt={"fields": ("handle", "name", "email")})
def invite(request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]) -> Page:
    """Make an account and show the link that opens it, once."""
    profile, caller = Profile(form["handle"], form["name"], form["email"]), person(request, services)
    confirm_presence(services, caller)
    try:
        invited, link = services.people.invite(caller, profile)
    except (InvalidInputError, ConflictError) as error:
        return _people(request, services, profile, problem_of(error))
    return _invited(request, services, invited, link.token, link.until)


@get(f"{PATH}/{{person_id:str}}", sync_to_thread=True)
def person_page(request: Request[Any, Any, Any], services: NamedDependency[Services], person_id: Id) -> Page:
    """Return one person. The look is recorded."""
    caller = person(request, services)
    found = services.people.get(caller, person_id)
    can_manage = caller.rights.allows(Permission.PEOPLE_MANAGE, "")
    sessions = services.people.sessions_of(caller, person_id) if can_manage else ()
    view = PersonPage(
        person=person_view(found),
        devices=tuple(device_of(session, caller) for session in sessions),
        can_manage=can_manage,
        is_me=found.id == caller.id,
        now=services.ledger.status().now,
    )
    return render(request, services, "people/person.html", view, title=found.name or found.id)


@post(
    f"{PATH}/{{person_id:str}}/{{verb:str}}",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("reason",)},
)
def change_person(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    form: NamedDependency[Form],
    person_id: Id,
    verb: Annotated[str, PathParameter(description="What to do.")],
) -> Page:
    """Invite again, disable, enable, sign out everywhere, or switch off a lost second factor."""
    caller, people = person(request, services), services.people
    path = f"{PATH}/{person_id}"
    if verb != "sign-out":
        confirm_presence(services, caller)
    if verb == "invite":
        link = people.invite_again(caller, person_id)
        return _invited(request, services, people.get(caller, person_id), link.token, link.until)
    if verb == "disable":
        people.disable(caller, person_id, reason=form["reason"])
        return see_other(request, path, "Disabled: sessions, tokens and grants have ended.")
    if verb == "enable":
        people.enable(caller, person_id)
        return see_other(request, path, "Enabled. Grants do not come back; ask for new ones.")
    if verb == "sign-out":
        people.revoke_sessions(caller, person_id)
        return see_other(request, path, "Signed out everywhere.")
    if verb == "second-factor-off":
        people.reset_second_factor(caller, person_id, reason=form["reason"])
        return see_other(request, path, "The second factor is off, and every session has ended.")
    raise VerbUnknownError("there is no such page")


def _people(
    request: Request[Any, Any, Any],
    services: Services,
    typed: Profile | None = None,
    problem: Problem | None = None,
) -> Page:
    caller = person(request, services)
    typed = typed or Profile("", "")
    view = PeoplePage(
        people=tuple(person_view(each) for each in services.people.list(caller)),
        can_manage=caller.rights.allows(Permission.PEOPLE_MANAGE, ""),
        handle=typed.handle,
        name=typed.name,
        email=typed.email,
    )
    status = 200 if problem is None else problem.status
    return render(request, services, "people/list.html", view, title="People", status=status, problem=problem)


def _invited(request: Request[Any, Any, Any], services: Services, invited: Person, token: str, until: int) -> Page:
    path = invitation_path(token)
    link = full_url(services, path) or f"{request.url.scheme}://{request.url.netloc}{path}"
    view = InvitedPage(person=person_view(invited), link=link, local=services.public_url is None, until=until)
    return render(request, services, "people/invited.html", view, title="Invitation")
