"""Retention: classes, which events they take, holds, proposals, runs, and the erasure of one person's data."""

from __future__ import annotations

from typing import Annotated, Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter

from tallystick.access.grants.errors import OwnDecisionError
from tallystick.access.model import Caller
from tallystick.api.commands import BODY_PROBLEMS, COMMAND, need_caller
from tallystick.api.openapi import PROBLEMS
from tallystick.api.retention_bodies import (
    Approval,
    Because,
    ClassMade,
    NewClass,
    NewHold,
    NewRules,
    OtherTerms,
    Person,
    PersonErasureWish,
    Proposed,
    Ran,
    TermsChange,
)
from tallystick.api.retention_views import (
    ChangeView,
    PersonView,
    RetentionView,
    SimulationView,
    change_view,
    person_view,
    retention_view,
    simulation_view,
)
from tallystick.api.services import Services, caller_of
from tallystick.errors import PermissionMissingError
from tallystick.retain.check import checked_moment
from tallystick.retain.errors import (
    BelowFloorError,
    RetentionConflictError,
    RetentionInvalidError,
    RetentionUnknownError,
    SimulationOutdatedError,
)
from tallystick.retain.model import Hold, Rule, Terms

_READING: Final[dict[str, Any]] = {"guards": [need_caller], "sync_to_thread": True, "tags": ["retention"]}
_CHANGING: Final[dict[str, Any]] = {**COMMAND, "tags": ["retention"]}
_KNOWN: Final = {403: PermissionMissingError.code, 404: RetentionUnknownError.code}
_MANAGED: Final = {**_KNOWN, 409: RetentionConflictError.code, 422: RetentionInvalidError.code, **BODY_PROBLEMS}
_TERMS: Final = {**_MANAGED, 409: SimulationOutdatedError.code, 422: BelowFloorError.code}
_DECIDING: Final = {
    403: OwnDecisionError.code,
    404: RetentionUnknownError.code,
    409: RetentionConflictError.code,
    **BODY_PROBLEMS,
}
_Name = Annotated[str, PathParameter(description="The name of a class.")]
_ChangeId = Annotated[str, PathParameter(description="The id of a request.")]


@get("/api/v1/retention", opt={PROBLEMS: {403: PermissionMissingError.code}}, summary="Retention", **_READING)
def retention(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> RetentionView:
    """Return classes, rules, holds, proposals, what the next run takes, and past runs. Needs `retention.read`."""
    return standing_view(services, caller_of(request, services))


@post("/api/v1/retention/classes", opt={PROBLEMS: _TERMS}, summary="Define a class", **_CHANGING)
def define_class(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[NewClass]
) -> ClassMade:
    """Make a retention class. Needs `retention.manage`."""
    terms = Terms(data.retention_days, data.personal_days, data.guarded, tuple(data.regulations.items()))
    number = services.retention.service.define(caller_of(request, services), data.name, terms, data.reason)
    return ClassMade(number=number)


@post(
    "/api/v1/retention/classes/{name:str}/simulate",
    status_code=200,
    opt={PROBLEMS: _TERMS},
    summary="Simulate other terms",
    **_CHANGING,
)
def simulate_class(
    request: Request[Any, Any, Any], services: NamedDependency[Services], name: _Name, data: JSONBody[OtherTerms]
) -> SimulationView:
    """Return what other terms of a class would destroy, when, and how much."""
    caller = caller_of(request, services)
    found = services.retention.service.simulate(caller, name, _terms(data))
    return simulation_view(found, services.retention.reading.class_names())


@post(
    "/api/v1/retention/classes/{name:str}",
    status_code=200,
    opt={PROBLEMS: _TERMS},
    summary="Change a class",
    **_CHANGING,
)
def change_class(
    request: Request[Any, Any, Any], services: NamedDependency[Services], name: _Name, data: JSONBody[TermsChange]
) -> Proposed:
    """Give a class other terms, or ask for it where anything becomes shorter."""
    caller = caller_of(request, services)
    made = services.retention.service.change(caller, name, _terms(data), data.reason, data.simulation)
    return Proposed(change=made)


@post(
    "/api/v1/retention/rules",
    status_code=200,
    opt={PROBLEMS: _MANAGED},
    summary="Assign events to classes",
    **_CHANGING,
)
def assign_classes(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[NewRules]
) -> Proposed:
    """Replace the rules of assignment, or ask for it where events may be kept for less time."""
    caller, reading = caller_of(request, services), services.retention.reading
    rules = [
        Rule(
            reading.class_number(each.class_name),
            each.action,
            None if each.scope is None else each.scope.strip("/"),
            None if each.source is None else reading.source_number(each.source),
        )
        for each in data.rules
    ]
    return Proposed(change=services.retention.service.assign(caller, rules, data.reason))


@post("/api/v1/retention/holds", opt={PROBLEMS: _MANAGED}, summary="Place a hold", **_CHANGING)
def place_hold(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[NewHold]
) -> RetentionView:
    """Place a hold; from then on nothing that it covers is destroyed."""
    caller, reading = caller_of(request, services), services.retention.reading
    now_us = services.ledger.status().now
    start = None if data.received_from is None else checked_moment(data.received_from, now_us, "/received_from")
    end = None if data.received_to is None else checked_moment(data.received_to, now_us, "/received_to")
    hold = Hold(
        data.hold,
        data.owner,
        data.reason,
        None,
        0,
        0,
        None if data.ranges is None else tuple(data.ranges),
        None if data.classes is None else tuple(map(reading.class_number, data.classes)),
        None if data.sources is None else tuple(map(reading.source_number, data.sources)),
        None if (start, end) == (None, None) else (start, end),
    )
    services.retention.service.place(caller, hold)
    return standing_view(services, caller)


@post(
    "/api/v1/retention/holds/{hold:str}/release",
    status_code=200,
    opt={PROBLEMS: _MANAGED},
    summary="Propose the end of a hold",
    **_CHANGING,
)
def release_hold(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    hold: Annotated[str, PathParameter(description="The name of a hold.")],
    data: JSONBody[Because],
) -> Proposed:
    """Propose that a hold ends; somebody else decides."""
    return Proposed(change=services.retention.service.release(caller_of(request, services), hold, data.reason))


@get("/api/v1/retention/changes/{change:str}", opt={PROBLEMS: _KNOWN}, summary="One proposal", **_READING)
def retention_change(
    request: Request[Any, Any, Any], services: NamedDependency[Services], change: _ChangeId
) -> ChangeView:
    """Return a proposal; of an erasure also what of it is still there, and which hold keeps it."""
    return change_view(*services.retention.reading.change(caller_of(request, services), change))


@post(
    "/api/v1/retention/changes/{change:str}/approve",
    status_code=200,
    opt={PROBLEMS: _DECIDING},
    summary="Approve a proposal",
    **_CHANGING,
)
def approve_change(
    request: Request[Any, Any, Any], services: NamedDependency[Services], change: _ChangeId, data: JSONBody[Approval]
) -> ChangeView:
    """Put what somebody else proposed in force. Needs `retention.approve`."""
    caller = caller_of(request, services)
    services.retention.service.approve(caller, change, data.digest, data.reason)
    return change_view(*services.retention.reading.change(caller, change))


@post(
    "/api/v1/retention/changes/{change:str}/decline",
    status_code=200,
    opt={PROBLEMS: _DECIDING},
    summary="Decline a proposal",
    **_CHANGING,
)
def decline_change(
    request: Request[Any, Any, Any], services: NamedDependency[Services], change: _ChangeId, data: JSONBody[Because]
) -> ChangeView:
    """Refuse what somebody else proposed. Needs `retention.approve`."""
    caller = caller_of(request, services)
    services.retention.service.decline(caller, change, data.reason)
    return change_view(*services.retention.reading.change(caller, change))


@post(
    "/api/v1/retention/changes/{change:str}/withdraw",
    status_code=200,
    opt={PROBLEMS: _DECIDING},
    summary="Withdraw a proposal",
    **_CHANGING,
)
def withdraw_change(
    request: Request[Any, Any, Any], services: NamedDependency[Services], change: _ChangeId
) -> ChangeView:
    """Take one's own proposal back."""
    caller = caller_of(request, services)
    services.retention.service.withdraw(caller, change)
    return change_view(*services.retention.reading.change(caller, change))


@get(
    "/api/v1/retention/changes/{change:str}/proof", opt={PROBLEMS: _MANAGED}, summary="Proof of a deletion", **_READING
)
def deletion_proof(
    request: Request[Any, Any, Any], services: NamedDependency[Services], change: _ChangeId
) -> Response[bytes]:
    """Return a package that `tallystick verify` checks offline: who asked, who approved, what was destroyed."""
    body = services.retention.proofs.make(caller_of(request, services), change)
    disposition = f'attachment; filename="deletion-{change[:32]}.zip"'
    return Response(body, media_type="application/zip", headers={"content-disposition": disposition})


@post("/api/v1/retention/people", status_code=200, opt={PROBLEMS: _MANAGED}, summary="Find a person", **_CHANGING)
def find_person(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[Person]
) -> PersonView:
    """Return the events that name a person and still have a personal part. Needs `retention.manage`."""
    found = services.retention.people.find(caller_of(request, services), data.names)
    return person_view(found, services.retention.reading.class_names())


@post(
    "/api/v1/retention/erasures",
    opt={PROBLEMS: {**_MANAGED, 403: OwnDecisionError.code}},
    summary="Ask for a person's erasure",
    **_CHANGING,
)
def request_erasure(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[PersonErasureWish]
) -> Proposed:
    """Ask for everything personal in the events that name a person to be destroyed; somebody else decides."""
    change, _ = services.retention.people.request(caller_of(request, services), data.names, data.reason)
    return Proposed(change=change)


@post("/api/v1/retention/runs", status_code=200, opt={PROBLEMS: _MANAGED}, summary="Run retention now", **_CHANGING)
def run_retention(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Ran:
    """Destroy everything that is due now. Needs `retention.manage`."""
    outcome = services.retention.runner.run_for(caller_of(request, services))
    return Ran(events=outcome.events, erasures=outcome.erasures, took_ms=outcome.took_ms)


def standing_view(services: Services, caller: Caller) -> RetentionView:
    """Return retention as it stands, for answers and pages."""
    reading = services.retention.reading
    return retention_view(reading.standing(caller), reading.source_names())


def _terms(data: OtherTerms) -> Terms:
    return Terms(data.retention_days, data.personal_days, regulations=tuple(data.regulations.items()))


RETENTION_ROUTES: Final = (
    retention,
    define_class,
    simulate_class,
    change_class,
    assign_classes,
    place_hold,
    release_hold,
    retention_change,
    approve_change,
    decline_change,
    withdraw_change,
    deletion_proof,
    find_person,
    request_erasure,
    run_retention,
)
