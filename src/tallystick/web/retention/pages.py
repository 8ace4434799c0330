"""Retention on pages: everything as it stands, one class with its simulation, one proposal, one person's erasure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.api.problem import Problem, problem_of
from tallystick.api.retention import standing_view
from tallystick.api.retention_views import (
    ChangeView,
    ClassView,
    PersonView,
    RetentionView,
    SimulationView,
    change_view,
    person_view,
    simulation_view,
)
from tallystick.api.services import Services
from tallystick.errors import ConflictError, InvalidInputError, NotFoundError
from tallystick.retain.errors import RetentionUnknownError
from tallystick.web.caller import person, require
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.grants.pages import confirm_presence
from tallystick.web.page import render
from tallystick.web.retention.given import given_hold, given_rules, given_terms

Page = Response[bytes]
TERMS: Final = ("retention_days", "personal_days", "regulations", "reason")
HOLD: Final = ("hold", "owner", "reason", "classes", "sources", "ranges", "received_from", "received_to")
Name = Annotated[str, PathParameter(description="The name of a class.")]
ChangeId = Annotated[str, PathParameter(description="The id of a request.")]


class RetentionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Retention as it stands, and what was filled in where a form was refused."""

    retention: RetentionView
    rules_text: str
    typed: dict[str, str]
    can_manage: bool
    can_approve: bool


class ClassPage(msgspec.Struct, frozen=True, kw_only=True):
    """One class, the terms that were tried on it, and what they would do."""

    kept: ClassView
    typed: dict[str, str]
    simulation: SimulationView | None
    can_manage: bool


class ChangePage(msgspec.Struct, frozen=True, kw_only=True):
    """One proposal. Events of an erasure are listed so that whoever decides can look at them."""

    change: ChangeView
    names: dict[str, str]
    own: bool
    can_approve: bool


class PersonPage(msgspec.Struct, frozen=True, kw_only=True):
    """Who was asked for, and the events that name her."""

    names: str
    found: PersonView | None


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
        terms = given_terms(_values(form, TERMS), guarded=form.flag("guarded"))
        services.retention.service.define(caller, form["name"], terms, form["reason"])
        return f"The class {form['name']} is made."

    return _do(request, services, act, _values(form, ("name", *TERMS)))


@post("/retention/rules", sync_to_thread=True, dependencies=FORM, opt={"fields": ("rules", "reason")}, status_code=200)
def assign_from_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Page:
    """Send events to classes by other rules."""
    caller = person(request, services)

    def act() -> str:
        rules = given_rules(form["rules"], services.retention.reading)
        return _said(services.retention.service.assign(caller, rules, form["reason"]))

    return _do(request, services, act, _values(form, ("rules", "reason")))


@post("/retention/holds", sync_to_thread=True, dependencies=FORM, opt={"fields": HOLD}, status_code=200)
def place_hold_from_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Page:
    """Place a hold."""
    caller, values = person(request, services), _values(form, HOLD)

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
    return _do(request, services, lambda: _said(services.retention.service.release(caller, hold, form["reason"])), {})


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
        return f"Content of {outcome.events:,} events was destroyed in {outcome.erasures} erasures."

    return _do(request, services, act, {})


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
    caller, typed = person(request, services), _values(form, TERMS)
    try:
        made = services.retention.service.change(caller, name, given_terms(typed), typed["reason"], form["simulation"])
    except (InvalidInputError, ConflictError) as error:
        return _class_page(request, services, name, typed, problem_of(error))
    return see_other(request, "/retention", _said(made))


@get("/retention/changes/{change:str}", sync_to_thread=True)
def retention_change_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], change: ChangeId
) -> Page:
    """Return one proposal. The look is recorded."""
    return _change_page(request, services, change)


@post(
    "/retention/changes/{change:str}/{step:str}",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("digest", "reason")},
    status_code=200,
)
def decide_retention_change(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    change: ChangeId,
    step: Annotated[str, PathParameter(description="approve, decline or withdraw.")],
    form: NamedDependency[Form],
) -> Page:
    """Decide about a proposal, or take one's own back."""
    caller, service = person(request, services), services.retention.service
    try:
        match step:
            case "approve":
                confirm_presence(services, caller)
                service.approve(caller, change, form["digest"], form["reason"])
            case "decline":
                service.decline(caller, change, form["reason"])
            case "withdraw":
                service.withdraw(caller, change)
            case _:
                raise RetentionUnknownError(f"nothing called {step[:32]!r} is done with a proposal")
    except (InvalidInputError, ConflictError) as error:
        return _change_page(request, services, change, problem_of(error))
    return see_other(request, f"/retention/changes/{change}", "It is decided." if step != "withdraw" else "Withdrawn.")


@get("/retention/changes/{change:str}/proof", sync_to_thread=True)
def deletion_proof_file(request: Request[Any, Any, Any], services: NamedDependency[Services], change: ChangeId) -> Page:
    """Return the proof of a deletion as a file. The look is recorded."""
    body = services.retention.proofs.make(person(request, services), change)
    headers = {"content-disposition": f'attachment; filename="deletion-{change[:32]}.zip"'}
    return Response(body, media_type="application/zip", headers=headers)


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
        can_manage=_may(caller, Permission.RETENTION_MANAGE),
        can_approve=_may(caller, Permission.RETENTION_APPROVE),
    )
    status = 200 if problem is None else problem.status
    return render(request, services, "retention/list.html", view, title="Retention", status=status, problem=problem)


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
    view = ClassPage(
        kept=kept, typed=shown, simulation=simulation, can_manage=_may(caller, Permission.RETENTION_MANAGE)
    )
    status = 200 if problem is None else problem.status
    title = f"Retention class {name}"
    return render(request, services, "retention/class.html", view, title=title, status=status, problem=problem)


def _change_page(
    request: Request[Any, Any, Any], services: Services, change: str, problem: Problem | None = None
) -> Page:
    caller = person(request, services)
    found = change_view(*services.retention.reading.change(caller, change))
    names = {str(number): name for number, name in services.retention.reading.class_names().items()}
    view = ChangePage(
        change=found,
        names=names,
        own=found.proposed_by == caller.id,
        can_approve=_may(caller, Permission.RETENTION_APPROVE),
    )
    status = 200 if problem is None else problem.status
    return render(request, services, "retention/change.html", view, title="A request", status=status, problem=problem)


def _values(form: Form, names: tuple[str, ...]) -> dict[str, str]:
    return {name: form[name] for name in names}


def _said(change: str | None) -> str:
    return "It is in force." if change is None else "Asked for; somebody else decides."


def _rule(rule: Any) -> str:
    said = (("action", rule.action), ("scope", rule.scope), ("source", rule.source))
    return " ".join([rule.class_name, *(f"{name}={value}" for name, value in said if value)])


def _may(caller: Caller, permission: Permission) -> bool:
    return caller.rights.allows(permission, "")


RETENTION_PAGES: Final = (
    retention_page,
    define_class_from_page,
    assign_from_page,
    place_hold_from_page,
    release_hold_from_page,
    run_from_page,
    retention_class_page,
    change_class_from_page,
    retention_change_page,
    decide_retention_change,
    deletion_proof_file,
    person_erasure_page,
    person_erasure_from_page,
)
