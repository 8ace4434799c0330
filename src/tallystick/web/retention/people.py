"""One person's data on its page: found, and asked to be destroyed."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency

from tallystick.access.permissions import Permission
from tallystick.api.problem import problem_of
from tallystick.api.retention_views import (
    PersonView,
    person_view,
)
from tallystick.api.services import Services
from tallystick.errors import ConflictError, InvalidInputError
from tallystick.web.caller import person, require
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render
from tallystick.web.retention.parts import Page


class PersonPage(msgspec.Struct, frozen=True, kw_only=True):
    """Who was asked for, and the events that name her."""

    names: str
    found: PersonView | None


@get("/retention/person", sync_to_thread=True)
def person_erasure_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return the form that looks for a person."""
    require(person(request, services), Permission.RETENTION_MANAGE)
    return render(request, services, "retention/person.html", PersonPage(names="", found=None), title="A person's data")


@post(
    "/retention/person",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("names", "reason", "step")},
    status_code=200,
)
def person_erasure_from_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Page:
    """Look for a person; with the step `request`, ask for what names her to be destroyed."""
    caller, people = person(request, services), services.retention.people
    names = form["names"].splitlines()
    title, found, problem = "A person's data", None, None
    try:
        if form["step"] == "request":
            change, _ = people.request(caller, names, form["reason"])
            return see_other(request, f"/retention/changes/{change}", "Asked for; somebody else decides.")
        found = person_view(people.find(caller, names), services.retention.reading.class_names())
    except (InvalidInputError, ConflictError) as error:
        problem = problem_of(error)
    view = PersonPage(names=form["names"], found=found)
    status = 200 if problem is None else problem.status
    return render(request, services, "retention/person.html", view, title=title, status=status, problem=problem)
