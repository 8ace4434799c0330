"""One policy project: what is in force, its history with every difference, its settings, and reading its repository."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.api.policies import PAGE, project_detail
from tallystick.api.policy_views import (
    PolicyView,
    ProjectView,
    ProposalView,
    StepView,
    before_of,
    project_view,
    step_views,
)
from tallystick.api.problem import Problem, problem_of
from tallystick.api.services import Services
from tallystick.errors import ConflictError, InvalidInputError, NotFoundError
from tallystick.web.caller import person, require
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render
from tallystick.web.policies.projects import FIELDS, Page, form_page, given_settings, parse_before

Id = Annotated[str, PathParameter(description="The id of a policy project.")]


class PolicyStepUnknownError(NotFoundError):
    """There is nothing of this name to be done with a policy project."""

    code = "policy-step-unknown"
    advice = "Use the buttons of the page."


class ProjectPage(msgspec.Struct, frozen=True, kw_only=True):
    """A policy project with what is in force, what waits for approval, and its newest events."""

    project: ProjectView
    policies: list[PolicyView]
    proposals: list[ProposalView]
    names: dict[str, str]
    events: list[StepView]
    can_manage: bool
    can_approve: bool
    now: int


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """The events of a project, or of one policy of it, the newest first."""

    project: ProjectView
    policy: str
    events: list[StepView]
    before: int | None


@get("/policies/{project:str}", sync_to_thread=True)
def policy_project_page(request: Request[Any, Any, Any], services: NamedDependency[Services], project: Id) -> Page:
    """Return one policy project. The look is recorded."""
    return project_page(request, services, project)


@get("/policies/{project:str}/history", sync_to_thread=True, opt={"parameters": ("before", "policy")})
def policy_history_page(request: Request[Any, Any, Any], services: NamedDependency[Services], project: Id) -> Page:
    """Return what was done in a project, each policy's change with its whole difference. The look is recorded."""
    caller, given, reading = person(request, services), request.query_params, services.policies.reading
    below, policy = parse_before(given.get("before")), given.get("policy") or None
    steps = reading.history(caller, project, below=below, policy=policy, limit=PAGE)
    found = reading.project(caller, project)
    view = HistoryPage(
        project=project_view(found, events_on=reading.enabled(found.settings.scope)),
        policy=policy or "",
        events=step_views(steps),
        before=before_of(steps, PAGE),
    )
    return render(request, services, "policies/history.html", view, title=f"History of {found.settings.title}")


@get("/policies/{project:str}/settings", sync_to_thread=True)
def policy_settings_page(request: Request[Any, Any, Any], services: NamedDependency[Services], project: Id) -> Page:
    """Return the form of a project's settings."""
    caller = person(request, services)
    found = project_detail(services, caller, project).project
    require(caller, Permission.POLICIES_MANAGE, found.scope)
    typed = {
        **{name: str(getattr(found, name)) for name in FIELDS if name not in {"governed", "approval"}},
        "governed": " ".join(found.governed),
        "approval": "yes" if found.approval else "",
    }
    return form_page(request, services, project, typed)


@post(
    "/policies/{project:str}/settings",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": FIELDS},
    status_code=200,
)
def change_policy_settings(
    request: Request[Any, Any, Any], services: NamedDependency[Services], project: Id, form: NamedDependency[Form]
) -> Page:
    """Give a project other settings."""
    caller = person(request, services)
    try:
        changed = services.policies.service.change(caller, project, given_settings(form))
    except (InvalidInputError, ConflictError) as error:
        return form_page(request, services, project, {name: form[name] for name in FIELDS}, problem_of(error))
    return see_other(request, f"/policies/{project}", "Changed." if changed else "It was so already.")


@post("/policies/{project:str}/{step:str}", sync_to_thread=True, dependencies=FORM, opt={"fields": ()}, status_code=200)
def step_policy_project(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    project: Id,
    step: Annotated[str, PathParameter(description="What to do.")],
    form: NamedDependency[Form],
) -> Page:
    """Read the repository now, or retire the project."""
    del form
    caller, service = person(request, services), services.policies.service
    try:
        if step == "sync":
            found = service.sync(caller, project)
            return see_other(request, f"/policies/{project}", f"The repository was read: {found.state}.")
        if step == "retire":
            confirm_presence(services, caller)
            service.retire(caller, project)
            return see_other(request, f"/policies/{project}", "The policy project is retired.")
    except ConflictError as error:
        return project_page(request, services, project, problem_of(error))
    raise PolicyStepUnknownError(f"a policy project cannot be {step[:32]!r}")


def project_page(
    request: Request[Any, Any, Any], services: Services, project_id: str, problem: Problem | None = None
) -> Page:
    """Return the page of a project, with what was refused."""
    caller, reading = person(request, services), services.policies.reading
    detail = project_detail(services, caller, project_id)
    steps = reading.history(caller, project_id, limit=_NEWEST)
    scope = detail.project.scope
    people = {each.proposed_by for each in detail.proposals} | {each.decided_by or "" for each in detail.proposals}
    whole, live = detail.project.whole, detail.project.state != "retired"
    view = ProjectPage(
        project=detail.project,
        policies=detail.policies,
        proposals=detail.proposals,
        names=dict(services.grants.names(people)),
        events=step_views(steps),
        can_manage=whole and live and caller.rights.allows(Permission.POLICIES_MANAGE, scope),
        can_approve=whole and live and caller.rights.allows(Permission.POLICIES_APPROVE, scope),
        now=services.ledger.status().now,
    )
    status = 200 if problem is None else problem.status
    title = detail.project.title
    return render(request, services, "policies/project.html", view, title=title[:80], status=status, problem=problem)


def confirm_presence(services: Services, caller: Caller) -> None:
    """Ask who comes with a session to prove again who they are, before something ends or comes into force."""
    if caller.session is not None:
        services.sessions.require_fresh(caller)


_NEWEST: Final = 10
