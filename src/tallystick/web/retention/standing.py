"""Retention as it stands on its page, and the forms of that page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter

from tallystick.access.permissions import Permission
from tallystick.api.problem import Problem, problem_of
from tallystick.api.retention import standing_view
from tallystick.api.retention_views import (
    RetentionView,
)
from tallystick.api.services import Services
from tallystick.counted import counted
from tallystick.errors import ConflictError, InvalidInputError, NotFoundError
from tallystick.web.caller import person
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.grants.pages import confirm_presence
from tallystick.web.page import render
from tallystick.web.retention.given import given_hold, given_rules, given_terms
from tallystick.web.retention.parts import TERMS, Page, may, outcome_of, values_of

HOLD: Final = ("hold", "owner", "reason", "classes", "sources", "ranges", "received_from", "received_to")


class RetentionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Retention as it stands, and what was filled in where a form was refused."""

    retention: RetentionView
    rules_text: str
    typed: dict[str, str]
    can_manage: bool
    can_approve: bool


@get("/retention", sync_to_thread=True)
def retention_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return retention as it stands. The look is recorded."""
    return _page(request, services, {})


@post(
    "/retention/classes",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("name", "guarded", *TERMS)},
    status_code=200,
)
def define_class_from_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Page:
    """Make a class."""
    caller = person(request, services)

    def act() -> str:
        terms = given_terms(values_of(form, TERMS), guarded=form.flag("guarded"))
        services.retention.service.define(caller, form["name"], terms, form["reason"])
        return f"The class {form['name']} is made."

    return _do(request, services, act, values_of(form, ("name", *TERMS)))


@post("/retention/rules", sync_to_thread=True, dependencies=FORM, opt={"fields": ("rules", "reason")}, status_code=200)
def assign_from_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Page:
    """Send events to classes by other rules."""
    caller = person(request, services)

    def act() -> str:
        rules = given_rules(form["rules"], services.retention.reading)
        return outcome_of(services.retention.service.assign(caller, rules, form["reason"]))

    return _do(request, services, act, values_of(form, ("rules", "reason")))


@post("/retention/holds", sync_to_thread=True, dependencies=FORM, opt={"fields": HOLD}, status_code=200)
def place_hold_from_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Page:
    """Place a hold."""
    caller, values = person(request, services), values_of(form, HOLD)

    def act() -> str:
        services.retention.service.place(
            caller, given_hold(values, services.retention.reading, services.ledger.status().now)
        )
        return f"The hold {values['hold']} is placed."

    return _do(request, services, act, values)


@post(
    "/retention/holds/{hold:str}/release",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("reason",)},
    status_code=200,
)
def release_hold_from_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    hold: Annotated[str, PathParameter(description="The name of a hold.")],
    form: NamedDependency[Form],
) -> Page:
    """Propose that a hold ends."""
    caller = person(request, services)
    return _do(
        request, services, lambda: outcome_of(services.retention.service.release(caller, hold, form["reason"])), {}
    )


@post("/retention/runs", sync_to_thread=True, dependencies=FORM, opt={"fields": ()}, status_code=200)
def run_from_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Page:
    """Destroy everything that is due now."""
    del form
    caller = person(request, services)

    def act() -> str:
        confirm_presence(services, caller)
        outcome = services.retention.runner.run_for(caller)
        return f"Content of {counted(outcome.events, 'event')} was destroyed in {counted(outcome.erasures, 'erasure')}."

    return _do(request, services, act, {})


def _do(request: Request[Any, Any, Any], services: Services, act: Callable[[], str], typed: dict[str, str]) -> Page:
    """Do what a form of the page asks for, and show the page again with what was refused."""
    try:
        said = act()
    except (InvalidInputError, ConflictError, NotFoundError) as error:
        return _page(request, services, typed, problem_of(error))
    return see_other(request, "/retention", said)


def _page(
    request: Request[Any, Any, Any], services: Services, typed: dict[str, str], problem: Problem | None = None
) -> Page:
    caller = person(request, services)
    found = standing_view(services, caller)
    view = RetentionPage(
        retention=found,
        rules_text="\n".join(_rule(each) for each in found.rules),
        typed=typed,
        can_manage=may(caller, Permission.RETENTION_MANAGE),
        can_approve=may(caller, Permission.RETENTION_APPROVE),
    )
    status = 200 if problem is None else problem.status
    return render(request, services, "retention/list.html", view, title="Retention", status=status, problem=problem)


def _rule(rule: Any) -> str:
    said = (("action", rule.action), ("scope", rule.scope), ("source", rule.source))
    return " ".join([rule.class_name, *(f"{name}={value}" for name, value in said if value)])
