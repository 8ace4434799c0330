"""Handling alerts: each step is one event of the log, and is answered with the alert as it is then."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from tallystick.access.grants.errors import OwnDecisionError
from tallystick.access.model import Caller
from tallystick.alert.book.closing import BULK_MAX, Closing
from tallystick.alert.book.errors import AlertInvalidError, AlertNotFoundError, AlertStateError
from tallystick.alert.book.model import TEXT_MAX, Assignee, Verdict
from tallystick.api.alert_views import AlertDetail, detail_view
from tallystick.api.alerts import AlertId
from tallystick.api.commands import BODY_PROBLEMS, COMMAND
from tallystick.api.openapi import PROBLEMS
from tallystick.api.services import Services, caller_of
from tallystick.errors import PermissionMissingError

_KNOWN: Final = {
    403: PermissionMissingError.code,
    404: AlertNotFoundError.code,
    409: AlertStateError.code,
    422: AlertInvalidError.code,
}
_STEP: Final[dict[str, Any]] = {**COMMAND, "status_code": 200, "tags": ["alerts"], "opt": {PROBLEMS: _KNOWN}}
_SAID: Final[dict[str, Any]] = {**_STEP, "opt": {PROBLEMS: {**_KNOWN, **BODY_PROBLEMS}}}
_DECIDED: Final[dict[str, Any]] = {
    **_STEP,
    "opt": {PROBLEMS: {**_KNOWN, 403: OwnDecisionError.code, **BODY_PROBLEMS}},
}
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_MAX)]
Digest = Annotated[str, msgspec.Meta(max_length=64, description="Of the closing as it was looked at.")]
VerdictName = Literal["true_positive", "benign_true_positive", "false_positive", "duplicate"]


class Assignment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who gets the alert: a person, by id or handle, or a team; nobody where both are left out."""

    person: str | None = None
    team: str | None = None


class Comment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody says about an alert; it is personal."""

    text: Reason


class EventLink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An event that belongs to the alert, by index or id, and why."""

    event: int | str
    note: Annotated[str, msgspec.Meta(max_length=TEXT_MAX)] = ""


class ResponseTaken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was done: as the rule says (`follows_rule`), in words of one's own, or both."""

    text: Annotated[str, msgspec.Meta(max_length=TEXT_MAX)] = ""
    follows_rule: bool = False


class AlertClosing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The verdict and its reason; a duplicate says of which alert."""

    verdict: VerdictName
    reason: Reason
    duplicate_of: str | None = None


class BulkClosing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Alerts that are closed with one verdict and reason, all or none."""

    alerts: Annotated[list[str], msgspec.Meta(min_length=1, max_length=BULK_MAX)]
    verdict: VerdictName
    reason: Reason
    duplicate_of: str | None = None


class ClosingApproval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which closing is approved."""

    digest: Digest


class ClosingRefusal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which closing is declined, and why; who asked for it takes it back without a reason."""

    digest: Digest
    reason: Annotated[str, msgspec.Meta(max_length=TEXT_MAX)] = ""


class Reopening(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why an alert is not over."""

    reason: Reason


class ClosingView(msgspec.Struct, frozen=True, kw_only=True):
    """Which alerts are closed now, and which wait for a second person."""

    closed: list[str]
    waiting: list[str]


@post("/api/v1/alerts/{alert:str}/acknowledge", summary="Acknowledge an alert", **_STEP)
def acknowledge_alert(
    request: Request[Any, Any, Any], services: NamedDependency[Services], alert: AlertId
) -> AlertDetail:
    """Say that somebody looks at a new alert; its time to acknowledge stops."""
    caller = caller_of(request, services)
    services.alerts.service.acknowledge(caller, alert)
    return _now(services, caller, alert)


@post("/api/v1/alerts/{alert:str}/start", summary="Begin to work on an alert", **_STEP)
def start_alert(request: Request[Any, Any, Any], services: NamedDependency[Services], alert: AlertId) -> AlertDetail:
    """Say that somebody works on an alert; where nobody had acknowledged it, this does."""
    caller = caller_of(request, services)
    services.alerts.service.start(caller, alert)
    return _now(services, caller, alert)


@post("/api/v1/alerts/{alert:str}/assign", summary="Give an alert to somebody", **_SAID)
def assign_alert(
    request: Request[Any, Any, Any], services: NamedDependency[Services], alert: AlertId, data: JSONBody[Assignment]
) -> AlertDetail:
    """Give an alert to a person who may handle it, to a team, or to nobody."""
    caller = caller_of(request, services)
    services.alerts.service.assign(caller, alert, assignee_of(data.person, data.team))
    return _now(services, caller, alert)


@post("/api/v1/alerts/{alert:str}/comments", summary="Comment on an alert", **_SAID)
def comment_alert(
    request: Request[Any, Any, Any], services: NamedDependency[Services], alert: AlertId, data: JSONBody[Comment]
) -> AlertDetail:
    """Write a comment, also on what is closed."""
    caller = caller_of(request, services)
    services.alerts.service.comment(caller, alert, data.text)
    return _now(services, caller, alert)


@post("/api/v1/alerts/{alert:str}/events", summary="Link an event to an alert", **_SAID)
def link_alert(
    request: Request[Any, Any, Any], services: NamedDependency[Services], alert: AlertId, data: JSONBody[EventLink]
) -> AlertDetail:
    """Link an event that the caller may read, by index or id."""
    caller = caller_of(request, services)
    services.alerts.service.link(caller, alert, data.event, data.note)
    return _now(services, caller, alert)


@post("/api/v1/alerts/{alert:str}/responses", summary="Record a response to an alert", **_SAID)
def respond_alert(
    request: Request[Any, Any, Any], services: NamedDependency[Services], alert: AlertId, data: JSONBody[ResponseTaken]
) -> AlertDetail:
    """Record what was done about an alert: as its rule says, in words of one's own, or both."""
    caller = caller_of(request, services)
    services.alerts.service.respond(caller, alert, data.text, follows_rule=data.follows_rule)
    return _now(services, caller, alert)


@post("/api/v1/alerts/close", summary="Close alerts", **_SAID)
def close_alerts(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[BulkClosing]
) -> ClosingView:
    """Close alerts with one verdict and reason, all or none, each by an event of its own."""
    caller, verdict = caller_of(request, services), Verdict(data.verdict)
    done = services.alerts.closing.close(caller, data.alerts, verdict, data.reason, data.duplicate_of)
    return closing_view(done)


@post("/api/v1/alerts/{alert:str}/close", summary="Close an alert", **_SAID)
def close_alert(
    request: Request[Any, Any, Any], services: NamedDependency[Services], alert: AlertId, data: JSONBody[AlertClosing]
) -> ClosingView:
    """Close an alert with a verdict and a reason; where the settings want a second person, ask for it."""
    caller, verdict = caller_of(request, services), Verdict(data.verdict)
    return closing_view(services.alerts.closing.close(caller, [alert], verdict, data.reason, data.duplicate_of))


@post("/api/v1/alerts/{alert:str}/closing/approve", summary="Approve the closing of an alert", **_DECIDED)
def approve_closing(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    alert: AlertId,
    data: JSONBody[ClosingApproval],
) -> AlertDetail:
    """Close an alert as another person asked for; never as one asked oneself."""
    caller = caller_of(request, services)
    services.alerts.closing.approve(caller, alert, data.digest)
    return _now(services, caller, alert)


@post("/api/v1/alerts/{alert:str}/closing/decline", summary="Decline the closing of an alert", **_DECIDED)
def decline_closing(
    request: Request[Any, Any, Any], services: NamedDependency[Services], alert: AlertId, data: JSONBody[ClosingRefusal]
) -> AlertDetail:
    """Say no to a closing, with a reason, or take back one's own."""
    caller = caller_of(request, services)
    services.alerts.closing.decline(caller, alert, data.digest, data.reason)
    return _now(services, caller, alert)


@post("/api/v1/alerts/{alert:str}/reopen", summary="Reopen an alert", **_SAID)
def reopen_alert(
    request: Request[Any, Any, Any], services: NamedDependency[Services], alert: AlertId, data: JSONBody[Reopening]
) -> AlertDetail:
    """Open a closed alert again. Its history stays, and its time to close begins anew."""
    caller = caller_of(request, services)
    services.alerts.closing.reopen(caller, alert, data.reason)
    return _now(services, caller, alert)


def assignee_of(person: str | None, team: str | None) -> Assignee | None:
    """Return who is meant, None for nobody; raises AlertInvalidError where both are named."""
    if person and team:
        raise AlertInvalidError("an alert is given to a person or to a team, not to both", pointer="/team")
    if person:
        return Assignee("person", person.strip())
    return Assignee("team", team.strip()) if team else None


def closing_view(done: Closing) -> ClosingView:
    """Return what became of a closing."""
    return ClosingView(closed=list(done.closed), waiting=list(done.waiting))


def _now(services: Services, caller: Caller, alert: str) -> AlertDetail:
    return detail_view(services.alerts.reading.get(caller, alert))


#: Every route of this module.
ALERT_ACT_ROUTES: Final = (
    acknowledge_alert,
    start_alert,
    assign_alert,
    comment_alert,
    link_alert,
    respond_alert,
    close_alerts,
    close_alert,
    approve_closing,
    decline_closing,
    reopen_alert,
)
