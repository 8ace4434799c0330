"""The list of policy projects, registering one, and what governs a scope."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency

from tallystick.access.permissions import Permission
from tallystick.access.scopes import parse_scope
from tallystick.api.policies import PAGE, governed_view
from tallystick.api.policy_views import PolicyView, ProjectView, StepView, project_view
from tallystick.api.problem import Problem, problem_of
from tallystick.api.services import Services
from tallystick.errors import ConflictError, InvalidInputError
from tallystick.policies.errors import PolicyProjectInvalidError
from tallystick.policies.model import DEFAULT_PATH, ProjectSettings
from tallystick.web.caller import person, require
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render

Page = Response[bytes]
FIELDS: Final = (
    *("title", "scope", "governed", "kept", "repository", "branch", "path"),
    *("approval", "signers", "keys"),
)


class ProjectsPage(msgspec.Struct, frozen=True, kw_only=True):
    """The policy projects that the caller sees."""

    projects: list[ProjectView]
    can_manage: bool


class ProjectForm(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a project as they were filled in; `project` is empty for a new one."""

    project: str
    typed: dict[str, str]
    error_at: str = ""


class GovernedPage(msgspec.Struct, frozen=True, kw_only=True):
    """What governs a scope, and the events of that."""

    scope: str
    policies: list[PolicyView]
    events: list[StepView]
    before: int | None


@get("/policies", sync_to_thread=True)
def policy_projects_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return the policy projects. The look is recorded."""
    caller, reading = person(request, services), services.policies.reading
    found = reading.projects(caller)
    view = ProjectsPage(
        projects=[project_view(each, events_on=reading.enabled(each.settings.scope)) for each in found],
        can_manage=caller.rights.anywhere(Permission.POLICIES_MANAGE),
    )
    return render(request, services, "policies/projects.html", view, title="Security policies")


@get("/policies/register", sync_to_thread=True)
def register_project_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return the form of a new policy project."""
    require(person(request, services), Permission.POLICIES_MANAGE)
    typed = {**dict.fromkeys(FIELDS, ""), "kept": "git", "branch": "main", "path": DEFAULT_PATH}
    return form_page(request, services, "", typed)


@post("/policies/register", sync_to_thread=True, dependencies=FORM, opt={"fields": FIELDS}, status_code=200)
def register_project_from_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Page:
    """Register a policy project, and go to its page."""
    caller = person(request, services)
    try:
        made = services.policies.service.register(caller, ProjectSettings(**given_settings(form)))
    except (InvalidInputError, ConflictError) as error:
        return form_page(request, services, "", {name: form[name] for name in FIELDS}, problem_of(error))
    return see_other(request, f"/policies/{made}", "The policy project is registered.")


@get("/policies/scopes", sync_to_thread=True, opt={"parameters": ("scope", "before")})
def governed_scope_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return what governs a scope, or a part of it, and what became of that. The look is recorded."""
    caller, given = person(request, services), request.query_params
    seen = caller.rights.scopes(Permission.POLICIES_READ)
    asked = given.get("scope") or (seen[0] if seen else "") or "/"
    found = governed_view(services, caller, parse_scope(asked), parse_before(given.get("before")), PAGE)
    view = GovernedPage(scope=found.scope, policies=found.policies, events=found.events, before=found.before)
    return render(request, services, "policies/scope.html", view, title=f"Policies of {asked[:80]}")


def form_page(
    request: Request[Any, Any, Any],
    services: Services,
    project: str,
    typed: dict[str, str],
    problem: Problem | None = None,
) -> Page:
    """Return the form of a project's settings, with what was wrong with it beside the field."""
    at = (problem.pointer or "").lstrip("/") if problem is not None else ""
    view = ProjectForm(project=project, typed=typed, error_at=at)
    title = "Settings of a policy project" if project else "Register a policy project"
    status = 200 if problem is None else problem.status
    return render(request, services, "policies/form.html", view, title=title, status=status, problem=problem)


def given_settings(form: Form) -> dict[str, Any]:
    """Return the settings that a form says."""
    kept = form["kept"]
    texts = {name: form[name] for name in ("title", "repository", "branch", "path", "signers", "keys")}
    return {
        **texts,
        "scope": parse_scope(form["scope"]),
        "governed": tuple(parse_scope(each) for each in form["governed"].replace(",", " ").split()),
        "kept": kept,
        "approval": form.flag("approval"),
    }


def parse_before(text: str | None) -> int | None:
    """Return the index that a page begins below; raises PolicyProjectInvalidError."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise PolicyProjectInvalidError(f"{text[:20]!r} is no place in the log", pointer="/before")
    return int(text)
