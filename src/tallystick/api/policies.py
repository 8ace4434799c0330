"""The register of security policies: projects, what is in force, what changed, and who governs a scope."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter

from tallystick.access.model import Caller
from tallystick.access.scopes import parse_scope
from tallystick.api.commands import BODY_PROBLEMS, COMMAND, need_caller
from tallystick.api.openapi import PROBLEMS
from tallystick.api.policy_bodies import (
    Approval,
    Because,
    InForce,
    NewProject,
    NewProposal,
    NewVersion,
    ProjectChange,
    ProjectMade,
    ProposalMade,
    Push,
    TextToCheck,
)
from tallystick.api.policy_views import (
    CheckView,
    GovernedView,
    HistoryView,
    ProjectDetail,
    ProjectsView,
    ProjectView,
    before_of,
    change_views,
    check_view,
    policy_views,
    project_view,
    proposal_view,
    step_views,
)
from tallystick.api.services import Services, caller_of
from tallystick.errors import PermissionMissingError
from tallystick.policies.errors import (
    OwnPolicyProposalError,
    PolicyEditConflictError,
    PolicyProjectConflictError,
    PolicyProjectInvalidError,
    PolicyProjectUnknownError,
    PolicyProposalDecidedError,
    PolicyTextError,
)
from tallystick.policies.looking import STEPS_MAX
from tallystick.policies.model import ProjectSettings
from tallystick.policies.service import TEXT_BYTES_MAX

PAGE: Final = 50
_READING: Final[dict[str, Any]] = {"guards": [need_caller], "sync_to_thread": True, "tags": ["policies"]}
#: A text may need six bytes for each of its characters, as JSON that others write.
_CHANGING: Final[dict[str, Any]] = {
    **COMMAND,
    "request_max_body_size": 6 * TEXT_BYTES_MAX + (64 << 10),
    "tags": ["policies"],
}
_KNOWN: Final = {403: PermissionMissingError.code, 404: PolicyProjectUnknownError.code}
_MANAGED: Final = {
    **_KNOWN,
    409: PolicyProjectConflictError.code,
    422: PolicyProjectInvalidError.code,
    **BODY_PROBLEMS,
}
_WRITING: Final = {**_KNOWN, 409: PolicyEditConflictError.code, 422: PolicyTextError.code, **BODY_PROBLEMS}
_DECIDING: Final = {
    403: OwnPolicyProposalError.code,
    404: PolicyProjectUnknownError.code,
    409: PolicyProposalDecidedError.code,
    **BODY_PROBLEMS,
}
_Id = Annotated[str, PathParameter(description="The id of a policy project.")]
_ProposalId = Annotated[str, PathParameter(description="The id of a proposal.")]
_Before = Annotated[int | None, QueryParameter(ge=0, description="From the page before.")]
_Limit = Annotated[int, QueryParameter(ge=1, le=STEPS_MAX, description="Most events in one answer.")]


@get("/api/v1/policies", summary="Policy projects", **_READING)
def projects(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> ProjectsView:
    """Return the policy projects that the caller sees: whole, or as far as they govern scopes of hers."""
    found = services.policies.reading.projects(caller_of(request, services))
    enabled = services.policies.reading.enabled
    return ProjectsView(projects=[project_view(each, events_on=enabled(each.settings.scope)) for each in found])


@post("/api/v1/policies", opt={PROBLEMS: _MANAGED}, summary="Register a policy project", **_CHANGING)
def register_project(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[NewProject]
) -> ProjectMade:
    """Register a policy project. Needs `policies.manage` in its scope and in all that it governs."""
    given = msgspec.structs.asdict(data)
    given |= {"scope": parse_scope(data.scope), "governed": tuple(map(parse_scope, data.governed))}
    made = services.policies.service.register(caller_of(request, services), ProjectSettings(**given))
    return ProjectMade(project=made)


@get("/api/v1/policies/{project:str}", opt={PROBLEMS: _KNOWN}, summary="One policy project", **_READING)
def policy_project(request: Request[Any, Any, Any], services: NamedDependency[Services], project: _Id) -> ProjectDetail:
    """Return a policy project with what is in force in it and what was proposed."""
    return project_detail(services, caller_of(request, services), project)


@patch("/api/v1/policies/{project:str}", opt={PROBLEMS: _MANAGED}, summary="Change a policy project", **_CHANGING)
def change_project(
    request: Request[Any, Any, Any], services: NamedDependency[Services], project: _Id, data: JSONBody[ProjectChange]
) -> ProjectView:
    """Give a policy project other settings; where it is kept stays."""
    caller = caller_of(request, services)
    given = {name: value for name, value in msgspec.structs.asdict(data).items() if value is not None}
    if "scope" in given:
        given["scope"] = parse_scope(given["scope"])
    if "governed" in given:
        given["governed"] = tuple(map(parse_scope, given["governed"]))
    services.policies.service.change(caller, project, given)
    return _view(services, caller, project)


@post(
    "/api/v1/policies/{project:str}/retire",
    status_code=200,
    opt={PROBLEMS: _MANAGED},
    summary="Retire a policy project",
    **_CHANGING,
)
def retire_project(request: Request[Any, Any, Any], services: NamedDependency[Services], project: _Id) -> ProjectView:
    """End a policy project: each of its policies is deleted, with an event of its own."""
    caller = caller_of(request, services)
    services.policies.service.retire(caller, project)
    return _view(services, caller, project)


@post(
    "/api/v1/policies/{project:str}/sync",
    status_code=200,
    opt={PROBLEMS: _MANAGED},
    summary="Read a repository now",
    **_CHANGING,
)
def sync_project(
    request: Request[Any, Any, Any], services: NamedDependency[Services], project: _Id, data: JSONBody[Push]
) -> ProjectView:
    """Look at the repository of a project now, as a forge asks for after a push; it is looked at by itself too."""
    caller = caller_of(request, services)
    services.policies.service.sync(caller, project, data.pusher, data.commit)
    return _view(services, caller, project)


@get(
    "/api/v1/policies/{project:str}/history",
    opt={"parameters": ("before", "limit", "policy"), PROBLEMS: _KNOWN},
    summary="History of a policy project",
    **_READING,
)
def project_history(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    project: _Id,
    before: _Before = None,
    limit: _Limit = PAGE,
    policy: Annotated[str | None, QueryParameter(description="Only the events of this policy, by id.")] = None,
) -> HistoryView:
    """Return what was done in a policy project, the newest first, each policy's change with its whole difference."""
    caller = caller_of(request, services)
    steps = services.policies.reading.history(caller, project, below=before, policy=policy, limit=limit)
    return HistoryView(events=step_views(steps), before=before_of(steps, limit))


@post("/api/v1/policies/{project:str}/versions", opt={PROBLEMS: _WRITING}, summary="Edit policies", **_CHANGING)
def edit_policies(
    request: Request[Any, Any, Any], services: NamedDependency[Services], project: _Id, data: JSONBody[NewVersion]
) -> InForce:
    """Put a version in force that is kept here; refused where somebody else has to approve."""
    caller = caller_of(request, services)
    changes = services.policies.service.edit(caller, project, data.text, data.based_on)
    return InForce(digest=_view(services, caller, project).digest, changes=change_views(changes))


@post("/api/v1/policies/{project:str}/proposals", opt={PROBLEMS: _WRITING}, summary="Propose policies", **_CHANGING)
def propose_policies(
    request: Request[Any, Any, Any], services: NamedDependency[Services], project: _Id, data: JSONBody[NewProposal]
) -> ProposalMade:
    """Propose a version for somebody else to approve; nothing is in force yet."""
    caller = caller_of(request, services)
    made = services.policies.service.propose(caller, project, data.text, data.based_on, data.reason)
    return ProposalMade(proposal=made, state="open")


@post(
    "/api/v1/policies/{project:str}/proposals/{proposal:str}/approve",
    status_code=200,
    opt={PROBLEMS: _DECIDING},
    summary="Approve a proposal",
    **_CHANGING,
)
def approve_proposal(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    project: _Id,
    proposal: _ProposalId,
    data: JSONBody[Approval],
) -> InForce:
    """Put what somebody else proposed in force."""
    caller = caller_of(request, services)
    changes = services.policies.service.approve(caller, project, proposal, data.digest, data.reason)
    return InForce(digest=data.digest, changes=change_views(changes))


@post(
    "/api/v1/policies/{project:str}/proposals/{proposal:str}/decline",
    status_code=200,
    opt={PROBLEMS: _DECIDING},
    summary="Decline a proposal",
    **_CHANGING,
)
def decline_proposal(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    project: _Id,
    proposal: _ProposalId,
    data: JSONBody[Because],
) -> ProposalMade:
    """Refuse what somebody else proposed, and say why."""
    services.policies.service.decline(caller_of(request, services), project, proposal, data.reason)
    return ProposalMade(proposal=proposal, state="declined")


@post(
    "/api/v1/policies/{project:str}/proposals/{proposal:str}/withdraw",
    status_code=200,
    opt={PROBLEMS: _DECIDING},
    summary="Withdraw a proposal",
    **_CHANGING,
)
def withdraw_proposal(
    request: Request[Any, Any, Any], services: NamedDependency[Services], project: _Id, proposal: _ProposalId
) -> ProposalMade:
    """Take one's own proposal back."""
    services.policies.service.withdraw(caller_of(request, services), project, proposal)
    return ProposalMade(proposal=proposal, state="withdrawn")


@get(
    "/api/v1/policy-scopes",
    opt={"parameters": ("scope", "before", "limit"), PROBLEMS: {403: PermissionMissingError.code}},
    summary="What governs a scope",
    **_READING,
)
def governed_scope(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    within: Annotated[str, QueryParameter(name="scope", description="A scope, and what lies below it.")] = "/",
    before: _Before = None,
    limit: _Limit = PAGE,
) -> GovernedView:
    """Return the policies that govern a scope, or a part of it, and their events, whichever project owns them."""
    return governed_view(services, caller_of(request, services), parse_scope(within), before, limit)


@post(
    "/api/v1/policy-checks",
    status_code=200,
    opt={PROBLEMS: {422: PolicyTextError.code, **BODY_PROBLEMS}},
    summary="Check a text",
    **_CHANGING,
)
def check_policies(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[TextToCheck]
) -> CheckView:
    """Say whether a text could be accepted, and which policies it holds. Nothing is kept or recorded."""
    caller_of(request, services)
    return check_view(services.policies.service.check(data.text.encode("utf-8", "surrogatepass")))


def project_detail(services: Services, caller: Caller, project_id: str) -> ProjectDetail:
    """Return a project with its policies and proposals, as far as the caller sees them."""
    reading = services.policies.reading
    project = reading.project(caller, project_id)
    return ProjectDetail(
        project=project_view(project, events_on=reading.enabled(project.settings.scope)),
        policies=policy_views(reading.policies(caller, project.project)),
        proposals=[proposal_view(each) for each in reading.proposals(caller, project.project)],
        text=project.text,
    )


def governed_view(services: Services, caller: Caller, scope: str, before: int | None, limit: int) -> GovernedView:
    """Return what governs a scope, with its events."""
    reading = services.policies.reading
    steps = reading.events_of(caller, scope, below=before, limit=limit)
    return GovernedView(
        scope=scope or "/",
        policies=policy_views(reading.governing(caller, scope)),
        events=step_views(steps),
        before=before_of(steps, limit),
    )


def _view(services: Services, caller: Caller, project_id: str) -> ProjectView:
    reading = services.policies.reading
    project = reading.project(caller, project_id)
    return project_view(project, events_on=reading.enabled(project.settings.scope))


POLICY_ROUTES: Final = (
    projects,
    register_project,
    policy_project,
    change_project,
    retire_project,
    sync_project,
    project_history,
    edit_policies,
    propose_policies,
    approve_proposal,
    decline_proposal,
    withdraw_proposal,
    governed_scope,
    check_policies,
)
