"""One proposal on its page, and what is decided about it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter

from tallystick.access.permissions import Permission
from tallystick.api.problem import Problem, problem_of
from tallystick.api.retention_views import (
    ChangeView,
    change_view,
)
from tallystick.api.services import Services
from tallystick.errors import ConflictError, InvalidInputError
from tallystick.retain.errors import RetentionUnknownError
from tallystick.web.caller import person
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.grants.pages import confirm_presence
from tallystick.web.page import render
from tallystick.web.retention.parts import Page, may

ChangeId = Annotated[str, PathParameter(description="The id of a request.")]


class ChangePage(msgspec.Struct, frozen=True, kw_only=True):
    """One proposal. Events of an erasure are listed so that whoever decides can look at them."""

    change: ChangeView
    names: dict[str, str]
    own: bool
    can_approve: bool


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
        can_approve=may(caller, Permission.RETENTION_APPROVE),
    )
    status = 200 if problem is None else problem.status
    return render(request, services, "retention/change.html", view, title="A request", status=status, problem=problem)
