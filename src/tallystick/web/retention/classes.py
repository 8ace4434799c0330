"""One class on its page, with what other terms would do to it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter

from tallystick.access.permissions import Permission
from tallystick.api.problem import Problem, problem_of
from tallystick.api.retention import standing_view
from tallystick.api.retention_views import (
    ClassView,
    SimulationView,
    simulation_view,
)
from tallystick.api.services import Services
from tallystick.errors import ConflictError, InvalidInputError
from tallystick.retain.errors import RetentionUnknownError
from tallystick.web.caller import person
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render
from tallystick.web.retention.given import given_terms
from tallystick.web.retention.parts import TERMS, Page, may, outcome_of, values_of

Name = Annotated[str, PathParameter(description="The name of a class.")]


class ClassPage(msgspec.Struct, frozen=True, kw_only=True):
    """One class, the terms that were tried on it, and what they would do."""

    kept: ClassView
    typed: dict[str, str]
    simulation: SimulationView | None
    can_manage: bool


@get("/retention/classes/{name:str}", sync_to_thread=True, opt={"parameters": TERMS})
def retention_class_page(request: Request[Any, Any, Any], services: NamedDependency[Services], name: Name) -> Page:
    """Return one class, with what other terms would do where some are given. The look is recorded."""
    given = request.query_params
    typed = {each: given[each].strip() for each in TERMS if each in given}
    return _class_page(request, services, name, typed)


@post(
    "/retention/classes/{name:str}",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": (*TERMS, "simulation")},
    status_code=200,
)
def change_class_from_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], name: Name, form: NamedDependency[Form]
) -> Page:
    """Give a class other terms, or ask for it."""
    caller, typed = person(request, services), values_of(form, TERMS)
    try:
        made = services.retention.service.change(caller, name, given_terms(typed), typed["reason"], form["simulation"])
    except (InvalidInputError, ConflictError) as error:
        return _class_page(request, services, name, typed, problem_of(error))
    return see_other(request, "/retention", outcome_of(made))


def _class_page(
    request: Request[Any, Any, Any],
    services: Services,
    name: str,
    typed: dict[str, str],
    problem: Problem | None = None,
) -> Page:
    caller = person(request, services)
    standing = standing_view(services, caller)
    kept = next((each for each in standing.classes if each.name == name), None)
    if kept is None:
        raise RetentionUnknownError(f"there is no retention class {name[:64]!r}")
    simulation = None
    if typed and problem is None:
        typed = {**dict.fromkeys(TERMS, ""), **typed}
        try:
            found = services.retention.service.simulate(caller, name, given_terms(typed))
            simulation = simulation_view(found, services.retention.reading.class_names())
        except InvalidInputError as error:
            problem = problem_of(error)
    shown = typed or {
        "retention_days": str(kept.retention_days or ""),
        "personal_days": str(kept.personal_days or ""),
        "regulations": " ".join(f"{regulation}:{years}" for regulation, years in kept.regulations),
        "reason": "",
    }
    view = ClassPage(kept=kept, typed=shown, simulation=simulation, can_manage=may(caller, Permission.RETENTION_MANAGE))
    status = 200 if problem is None else problem.status
    title = f"Retention class {name}"
    return render(request, services, "retention/class.html", view, title=title, status=status, problem=problem)
