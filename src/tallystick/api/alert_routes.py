"""Whom alerts go to: the routes, the receivers, and trying both."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter

from tallystick.alert.notify.errors import (
    MatcherInvalidError,
    ReceiverInvalidError,
    ReceiverUnknownError,
    ReceiverUsedError,
    RoutingChangedError,
    RoutingInvalidError,
)
from tallystick.alert.notify.model import ReceiverSettings
from tallystick.alert.notify.model import Way as Kind
from tallystick.alert.notify.routes import Question
from tallystick.api.commands import BODY_PROBLEMS, COMMAND, need_caller
from tallystick.api.notification_views import attempt_view
from tallystick.api.notify_views import (
    CheckedView,
    NewReceiverView,
    ReceiversView,
    RoutesView,
    TestResultView,
    WaysView,
    receiver_view,
    route_view,
    routes_view,
    way_view,
)
from tallystick.api.openapi import PROBLEMS
from tallystick.api.services import Services, caller_of
from tallystick.event.occurred import normalise_time, us_of_time
from tallystick.event.refusals import BadTimeError

_CHANGING: Final[dict[str, Any]] = {**COMMAND, "tags": ["alert routes"]}
_READING: Final[dict[str, Any]] = {"guards": [need_caller], "sync_to_thread": True, "tags": ["alert routes"]}
_TEXT_CHARS_MAX: Final = 64 << 10
Text = Annotated[str, msgspec.Meta(max_length=_TEXT_CHARS_MAX, description="The routes as YAML.")]
_Receiver = Annotated[str, PathParameter(description="The name of a receiver.")]


class NewRoutes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Routes to put in force; `before` is the digest of those that they replace, where that is to be made sure."""

    text: Text
    before: str | None = None


class RoutesText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Routes to look at."""

    text: Text


class TriedAlert(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An alert that nobody raised. `at` is when, in RFC 3339, and now without it; `text` is tried in place of the routes."""

    severity: Literal["informational", "low", "medium", "high", "critical"]
    scope: str
    kind: str = ""
    owner: str = ""
    at: str | None = None
    text: Text | None = None


class SetReceiver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a receiver is. `to` is for mail; `url` for a webhook, or as Apprise writes it. Both are secrets, as are the
    values of `headers`. `personal` tells it what alerts say of people, where the caller may read that herself.
    """

    kind: Literal["email", "webhook", "apprise"]
    to: list[str] = []
    url: str = ""
    send_resolved: bool = True
    personal: bool = False
    headers: dict[str, str] = {}
    new_signing_secret: bool = False


@get("/api/v1/alert-routes", summary="Routes of alerts", **_READING)
def alert_routes(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> RoutesView:
    """Return the routes in force. Needs `alerts.read`; the look is recorded."""
    return routes_view(*services.notify.routes.get(caller_of(request, services)))


@put(
    "/api/v1/alert-routes",
    opt={PROBLEMS: {409: RoutingChangedError.code, 422: RoutingInvalidError.code, **BODY_PROBLEMS}},
    summary="Set the routes of alerts",
    **_CHANGING,
)
def set_alert_routes(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[NewRoutes]
) -> RoutesView:
    """Put routes in force at once. Needs `alerts.route` for everything; a mistake is named with line and column."""
    caller = caller_of(request, services)
    services.notify.routes.set(caller, data.text, before=data.before)
    return routes_view(*services.notify.routes.get(caller))


@post(
    "/api/v1/alert-routes/check",
    status_code=200,
    opt={PROBLEMS: {422: RoutingInvalidError.code, **BODY_PROBLEMS}},
    summary="Check routes",
    **_CHANGING,
)
def check_alert_routes(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[RoutesText]
) -> CheckedView:
    """Return what a text says, without putting it in force."""
    routing = services.notify.routes.check(caller_of(request, services), data.text)
    return CheckedView(route=route_view(routing.route), receivers=sorted(routing.receivers()))


@post(
    "/api/v1/alert-routes/try",
    status_code=200,
    opt={PROBLEMS: {422: MatcherInvalidError.code, **BODY_PROBLEMS}},
    summary="Try where an alert would go",
    **_CHANGING,
)
def try_alert_routes(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[TriedAlert]
) -> WaysView:
    """Return where an alert of that severity and scope would go, and what would hold it back."""
    question = question_of(data.severity, data.scope, data.kind, data.owner, data.at)
    found = services.notify.routes.ask(caller_of(request, services), question, data.text)
    return WaysView(ways=[way_view(each) for each in found])


@get("/api/v1/alert-receivers", summary="Receivers of alerts", **_READING)
def alert_receivers(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> ReceiversView:
    """Return the receivers with the last notification of each. Needs `alerts.read`; the look is recorded."""
    caller = caller_of(request, services)
    found = services.notify.receivers.list(caller)
    return ReceiversView(receivers=[receiver_view(caller, *each) for each in found])


@put(
    "/api/v1/alert-receivers/{receiver:str}",
    opt={PROBLEMS: {422: ReceiverInvalidError.code, **BODY_PROBLEMS}},
    summary="Set a receiver",
    **_CHANGING,
)
def set_alert_receiver(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    receiver: _Receiver,
    data: JSONBody[SetReceiver],
) -> NewReceiverView:
    """Set a receiver up, or another in its place. The signing secret of a webhook is in this answer only."""
    settings = ReceiverSettings(
        name=receiver,
        way=Kind(data.kind),
        to=tuple(data.to),
        url=data.url,
        send_resolved=data.send_resolved,
        personal=data.personal,
        headers=data.headers,
    )
    caller = caller_of(request, services)
    made = services.notify.receivers.set(caller, settings, new_signing=data.new_signing_secret)
    return NewReceiverView(name=made.name, signing_secret=made.signing)


@post(
    "/api/v1/alert-receivers/{receiver:str}/remove",
    status_code=204,
    opt={PROBLEMS: {404: ReceiverUnknownError.code, 409: ReceiverUsedError.code, **BODY_PROBLEMS}},
    summary="Remove a receiver",
    **_CHANGING,
)
def remove_alert_receiver(
    request: Request[Any, Any, Any], services: NamedDependency[Services], receiver: _Receiver
) -> None:
    """Remove a receiver that no route leads to; its secrets are forgotten."""
    services.notify.receivers.remove(caller_of(request, services), receiver)


@post(
    "/api/v1/alert-receivers/{receiver:str}/test",
    status_code=200,
    opt={PROBLEMS: {404: ReceiverUnknownError.code, **BODY_PROBLEMS}},
    summary="Test a receiver",
    **_CHANGING,
)
def check_alert_receiver(
    request: Request[Any, Any, Any], services: NamedDependency[Services], receiver: _Receiver
) -> TestResultView:
    """Send a message that is about no alert, and return what came of it."""
    delivered, tried = services.notify.receivers.test(caller_of(request, services), receiver)
    return TestResultView(delivered=delivered, attempt=attempt_view(tried))


def question_of(severity: str, scope: str, kind: str, owner: str, at: str | None) -> Question:
    """Return the question that a request asks; raises MatcherInvalidError for a time that is none."""
    try:
        at_us = us_of_time(normalise_time(at)) if at else None
    except BadTimeError:
        raise MatcherInvalidError("this is not a time as RFC 3339 writes it", pointer="/at") from None
    return Question(severity, scope or "/", kind, owner, at_us)


ALERT_ROUTE_ROUTES: Final = (
    alert_routes,
    set_alert_routes,
    check_alert_routes,
    try_alert_routes,
    alert_receivers,
    set_alert_receiver,
    remove_alert_receiver,
    check_alert_receiver,
)
