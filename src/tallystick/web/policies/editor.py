"""Editing policies that are kept here: what a text would change, putting it in force, proposing it, deciding about it."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter

from tallystick.access.permissions import Permission
from tallystick.api.policies import project_detail
from tallystick.api.policy_views import ChangeView, ProjectDetail, ProjectView, ProposalView, change_views
from tallystick.api.problem import Problem, problem_of
from tallystick.api.services import Services
from tallystick.errors import ConflictError, ForbiddenError, InvalidInputError
from tallystick.policies.errors import PolicyProjectConflictError, PolicyProposalUnknownError, PolicyTextError
from tallystick.web.caller import person, require
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render
from tallystick.web.policies.project import Id, PolicyStepUnknownError, confirm_presence
from tallystick.web.policies.projects import Page

ProposalId = Annotated[str, PathParameter(description="The id of a proposal.")]
_REFUSED: Final = (InvalidInputError, ConflictError, ForbiddenError)
EXAMPLE: Final = """\
approval_policy:
- name: Two pairs of eyes
  description: Every merge request is approved by somebody else.
  enabled: true
  rules:
  - type: any_merge_request
    branch_type: protected
    commits: any
  actions:
  - type: require_approval
    approvals_required: 1
    role_approvers: [maintainer]
"""


class EditorPage(msgspec.Struct, frozen=True, kw_only=True):
    """A text being edited. `changes` is what it would change, None until that was asked for; `line` is what is wrong."""

    project: ProjectView
    text: str
    based_on: str
    reason: str
    is_example: bool
    changes: list[ChangeView] | None = None
    wrong: str = ""


class ProposalPage(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal, what it would change now, and what the reader may do about it."""

    project: ProjectView
    proposal: ProposalView
    changes: list[ChangeView] | None
    outdated: bool
    proposed_by: str
    decided_by: str
    can_decide: bool
    is_own: bool


@get("/policies/{project:str}/edit", sync_to_thread=True)
def policy_editor_page(request: Request[Any, Any, Any], services: NamedDependency[Services], project: Id) -> Page:
    """Return the editor with the text in force."""
    detail = _editable(request, services, project)
    text = detail.text or EXAMPLE
    view = EditorPage(
        project=detail.project,
        text=text,
        based_on=detail.project.digest or "",
        reason="",
        is_example=detail.text is None,
    )
    return _editor(request, services, view)


@post(
    "/policies/{project:str}/edit",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("text", "based_on", "reason", "do")},
    status_code=200,
)
def edit_policies_from_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], project: Id, form: NamedDependency[Form]
) -> Page:
    """Show what a text would change, or put it in force, or propose it."""
    caller, service = person(request, services), services.policies.service
    detail = _editable(request, services, project)
    text, based_on = form["text"] + "\n", form["based_on"]
    view = EditorPage(project=detail.project, text=text, based_on=based_on, reason=form["reason"], is_example=False)
    try:
        if form["do"] == "look":
            changes = change_views(service.preview(caller, project, text))
            return _editor(request, services, msgspec.structs.replace(view, changes=changes))
        confirm_presence(services, caller)
        if detail.project.approval:
            made = service.propose(caller, project, text, based_on or None, form["reason"])
            said = "Proposed. Nothing is in force until somebody else approves."
            return see_other(request, f"/policies/{project}/proposals/{made}", said)
        done = service.edit(caller, project, text, based_on or None)
    except _REFUSED as error:
        wrong = _line_of(text, error)
        return _editor(request, services, msgspec.structs.replace(view, wrong=wrong), problem_of(error))
    return see_other(request, f"/policies/{project}", f"In force: {len(done)} policies changed.")


@get("/policies/{project:str}/proposals/{proposal:str}", sync_to_thread=True)
def policy_proposal_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], project: Id, proposal: ProposalId
) -> Page:
    """Return a proposal with what it would change."""
    return _proposal(request, services, project, proposal)


@post(
    "/policies/{project:str}/proposals/{proposal:str}/{step:str}",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("digest", "reason")},
    status_code=200,
)
def decide_policy_proposal(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    project: Id,
    proposal: ProposalId,
    step: Annotated[str, PathParameter(description="What to do.")],
    form: NamedDependency[Form],
) -> Page:
    """Approve, decline or withdraw a proposal."""
    caller, service = person(request, services), services.policies.service
    if step == "approve":
        confirm_presence(services, caller)
    try:
        if step == "approve":
            done = service.approve(caller, project, proposal, form["digest"], form["reason"])
            said = f"Approved: {len(done)} policies changed."
        elif step == "decline":
            service.decline(caller, project, proposal, form["reason"])
            said = "Declined."
        elif step == "withdraw":
            service.withdraw(caller, project, proposal)
            said = "Taken back."
        else:
            raise PolicyStepUnknownError(f"a proposal cannot be {step[:32]!r}")
    except _REFUSED as error:
        return _proposal(request, services, project, proposal, problem_of(error))
    return see_other(request, f"/policies/{project}", said)


def _editable(request: Request[Any, Any, Any], services: Services, project: str) -> ProjectDetail:
    caller = person(request, services)
    detail = project_detail(services, caller, project)
    require(caller, Permission.POLICIES_MANAGE, detail.project.scope)
    if detail.project.kept != "here" or detail.project.state == "retired":
        raise PolicyProjectConflictError("the policies of this project are not edited here")
    return detail


def _editor(
    request: Request[Any, Any, Any], services: Services, view: EditorPage, problem: Problem | None = None
) -> Page:
    status = 200 if problem is None else problem.status
    title = f"Edit {view.project.title[:80]}"
    return render(request, services, "policies/editor.html", view, title=title, status=status, problem=problem)


def _proposal(
    request: Request[Any, Any, Any],
    services: Services,
    project: str,
    proposal: str,
    problem: Problem | None = None,
) -> Page:
    caller = person(request, services)
    detail = project_detail(services, caller, project)
    found = next((each for each in detail.proposals if each.proposal == proposal), None)
    if found is None:
        raise PolicyProposalUnknownError(f"there is no proposal {proposal[:32]!r} here")
    names = services.grants.names({found.proposed_by, found.decided_by or ""})
    is_open = found.state == "open" and detail.project.state != "retired"
    changes = None
    if is_open and found.text is not None:
        changes = change_views(services.policies.service.preview(caller, project, found.text, changing=False))
    own = found.proposed_by == caller.id
    view = ProposalPage(
        project=detail.project,
        proposal=found,
        changes=changes,
        outdated=is_open and found.based_on != detail.project.digest,
        proposed_by=names.get(found.proposed_by, found.proposed_by),
        decided_by=names.get(found.decided_by or "", found.decided_by or ""),
        can_decide=is_open and not own and caller.rights.allows(Permission.POLICIES_APPROVE, detail.project.scope),
        is_own=is_open and own,
    )
    status = 200 if problem is None else problem.status
    title = f"Proposal {proposal[:32]}"
    return render(request, services, "policies/proposal.html", view, title=title, status=status, problem=problem)


def _line_of(text: str, error: Exception) -> str:
    """Return the line of the text that an error is about."""
    lines = text.split("\n")
    line = error.line if isinstance(error, PolicyTextError) else None
    return lines[line - 1] if line is not None and 0 < line <= len(lines) else ""
