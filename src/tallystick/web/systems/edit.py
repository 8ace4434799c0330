"""What is changed about systems on pages: registering, changing, declaring, deciding, retiring."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter

from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.api.problem import Problem, problem_of
from tallystick.api.services import Services
from tallystick.api.system_views import system_views
from tallystick.errors import ConflictError, ForbiddenError, InvalidInputError
from tallystick.govern.systems.model import DataClass, Environment, Facts
from tallystick.web.caller import person
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.grants.pages import StepUnknownError, confirm_presence
from tallystick.web.page import render
from tallystick.web.systems.forms import (
    DECLARATION,
    FACTS,
    CategoryTyped,
    FactsTyped,
    declaration_as_typed,
    facts_as_typed,
    read_declaration,
    read_facts,
    typed_declaration,
    typed_facts,
)
from tallystick.web.systems.pages import Id, show_system

Page = Response[bytes]
_REFUSED: Final = (InvalidInputError, ConflictError, ForbiddenError)


class FactsPage(msgspec.Struct, frozen=True, kw_only=True):
    """The form of a system; `system` is None for a new one."""

    system: str | None
    typed: FactsTyped
    environments: list[str]
    data_classes: list[str]


class DeclarePage(msgspec.Struct, frozen=True, kw_only=True):
    """The form of a declaration, from the one in force `based_on`; `sources` are those that may be named."""

    system: str
    name: str
    based_on: str
    typed: list[CategoryTyped]
    reason: str


@get("/systems/register", sync_to_thread=True)
def register_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return the form that registers a system."""
    caller = person(request, services)
    require(caller, Permission.SYSTEMS_MANAGE)
    return _facts(request, services, None, FactsTyped(owner=caller.id))


@post("/systems/register", sync_to_thread=True, dependencies=FORM, opt={"fields": FACTS})
def register(request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]) -> Page:
    """Register a system."""
    caller = person(request, services)
    try:
        made = services.systems.register.register(caller, read_facts(form))
    except _REFUSED as error:
        return _facts(request, services, None, typed_facts(form), problem_of(error))
    return see_other(request, f"/systems/{made}", "Registered. Declare what is critical in it.")


@get("/systems/{system:str}/edit", sync_to_thread=True)
def edit_page(request: Request[Any, Any, Any], services: NamedDependency[Services], system: Id) -> Page:
    """Return the form that changes a system."""
    found = services.systems.register.to_change(person(request, services), system)
    return _facts(request, services, system, facts_as_typed(system_views(services, [found])[0]))


@post("/systems/{system:str}/edit", sync_to_thread=True, dependencies=FORM, opt={"fields": FACTS})
def edit(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], system: Id
) -> Page:
    """Change a system."""
    caller = person(request, services)
    try:
        facts = read_facts(form)
        wanted = {each.name: getattr(facts, each.name) for each in fields(Facts)}
        done = services.systems.register.change(caller, system, wanted)
    except _REFUSED as error:
        return _facts(request, services, system, typed_facts(form), problem_of(error))
    return see_other(request, f"/systems/{system}", "Changed." if done else "Nothing was different.")


@get("/systems/{system:str}/declare", sync_to_thread=True)
def declare_page(request: Request[Any, Any, Any], services: NamedDependency[Services], system: Id) -> Page:
    """Return the form that proposes a declaration, filled in with the one in force."""
    found = services.systems.register.to_change(person(request, services), system).in_force
    typed = declaration_as_typed(None if found is None else found.text)
    return _declare(request, services, system, typed, "" if found is None else found.declaration, "")


@post("/systems/{system:str}/declare", sync_to_thread=True, dependencies=FORM, opt={"fields": DECLARATION})
def declare(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], system: Id
) -> Page:
    """Propose a declaration."""
    caller, based_on = person(request, services), form["based_on"]
    try:
        document = read_declaration(form)
        services.systems.register.propose(caller, system, document, based_on=based_on or None, reason=form["reason"])
    except _REFUSED as error:
        typed = typed_declaration(form)
        return _declare(request, services, system, typed, based_on, form["reason"], problem_of(error))
    return see_other(request, f"/systems/{system}", "Proposed. Somebody else has to approve it.")


@post(
    "/systems/{system:str}/{step:str}",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("declaration", "digest", "reason")},
)
def step_system(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    form: NamedDependency[Form],
    system: Id,
    step: Annotated[str, PathParameter(description="What to do.")],
) -> Page:
    """Approve, reject or withdraw a declaration, or retire the system."""
    caller, register = person(request, services), services.systems.register
    if step == "approve":
        confirm_presence(services, caller)
    try:
        match step:
            case "approve":
                register.approve(caller, system, form["declaration"], form["digest"], reason=form["reason"])
                said = "Approved: the declaration is in force."
            case "reject":
                register.reject(caller, system, form["declaration"], reason=form["reason"])
                said = "Rejected."
            case "withdraw":
                register.withdraw(caller, system, form["declaration"])
                said = "Taken back."
            case "retire":
                register.retire(caller, system, reason=form["reason"])
                said = "Retired. Its history stays."
            case _:
                raise StepUnknownError(f"a system cannot be {step[:32]!r}")
    except _REFUSED as error:
        return show_system(request, services, system, problem_of(error))
    return see_other(request, f"/systems/{system}", said)


def _facts(
    request: Request[Any, Any, Any],
    services: Services,
    system: str | None,
    typed: FactsTyped,
    problem: Problem | None = None,
) -> Page:
    view = FactsPage(
        system=system,
        typed=typed,
        environments=[each.value for each in Environment],
        data_classes=[each.value for each in DataClass],
    )
    status = 200 if problem is None else problem.status
    title = "Register a system" if system is None else "Change a system"
    return render(request, services, "systems/facts.html", view, title=title, status=status, problem=problem)


def _declare(
    request: Request[Any, Any, Any],
    services: Services,
    system: str,
    typed: list[CategoryTyped],
    based_on: str,
    reason: str,
    problem: Problem | None = None,
) -> Page:
    found = services.systems.register.to_change(person(request, services), system)
    view = DeclarePage(system=found.id, name=found.facts.name, based_on=based_on, typed=typed, reason=reason)
    status = 200 if problem is None else problem.status
    title = f"Declare critical activity: {found.facts.name}"
    return render(request, services, "systems/declare.html", view, title=title, status=status, problem=problem)


SYSTEM_EDIT_PAGES: Final = (register_page, register, edit_page, edit, declare_page, declare, step_system)
