"""The page of routes: the tree, the receivers, trying where an alert would go, and the text to change."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.alert.book.model import SEVERITIES
from tallystick.alert.notify.errors import ReceiverInvalidError
from tallystick.alert.notify.model import ReceiverSettings, Way
from tallystick.alert.notify.receivers import MadeReceiver
from tallystick.api.alert_routes import question_of
from tallystick.api.notify_views import ReceiverView, RoutesView, WayView, receiver_view, routes_view, way_view
from tallystick.api.problem import Problem, problem_of
from tallystick.api.services import Services
from tallystick.errors import ConflictError, InvalidInputError
from tallystick.web.caller import person
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render
from tallystick.web.streams.forms import parse_headers

_RECEIVER_FIELDS: Final = ("name", "way", "to", "url", "headers", "send_resolved", "personal", "new_signing_secret")
_Receiver = Annotated[str, PathParameter(description="The name of a receiver.")]
_Verb = Annotated[str, PathParameter(description="What to do.")]
_STARTING: Final = """\
route:
  receiver: nobody
  group_by: [scope, kind]
"""


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that nobody raised, as it was asked for, and the ways it would take."""

    severity: str
    scope: str
    kind: str
    owner: str
    ways: list[WayView]


class RoutesPage(msgspec.Struct, frozen=True, kw_only=True):
    """The routes with their receivers; `text` is what stands in the form, and `made` a secret for the only time."""

    routes: RoutesView
    receivers: list[ReceiverView]
    can_route: bool
    text: str
    severities: list[str]
    tried: Tried | None
    typed: dict[str, str]
    made: dict[str, str] | None


def _words(name: str) -> Any:
    return QueryParameter(name=name, description="Of the alert that is tried.")


@get("/alerts/routes", sync_to_thread=True, opt={"parameters": ("severity", "scope", "kind", "owner")})
def alert_routes_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    severity: Annotated[str | None, _words("severity")] = None,
    below: Annotated[str, _words("scope")] = "/",
    kind: Annotated[str, _words("kind")] = "",
    owner: Annotated[str, _words("owner")] = "",
) -> Response[bytes]:
    """Return the routes; with a severity also where such an alert would go. The look is recorded."""
    caller = person(request, services)
    if severity is None:
        return _page(request, services, caller)
    try:
        found = services.notify.routes.ask(caller, question_of(severity, below, kind, owner, None))
    except InvalidInputError as error:
        return _page(request, services, caller, problem=problem_of(error))
    ways = [way_view(each) for each in found]
    tried = Tried(severity=severity, scope=below, kind=kind, owner=owner, ways=ways)
    return _page(request, services, caller, tried=tried)


@post(
    "/alerts/routes",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("text", "before")},
    status_code=200,
)
def set_routes_from_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Response[bytes]:
    """Put routes in force; a mistake is shown with its line, and what was typed stays."""
    caller = person(request, services)
    try:
        services.notify.routes.set(caller, form["text"].replace("\r\n", "\n"), before=form["before"])
    except (InvalidInputError, ConflictError) as error:
        return _page(request, services, caller, text=form["text"], problem=problem_of(error))
    return see_other(request, "/alerts/routes", "The routes are in force.")


@post(
    "/alerts/routes/receivers",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": _RECEIVER_FIELDS},
    status_code=200,
)
def set_receiver_from_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Response[bytes]:
    """Set a receiver up; the secret of a webhook is shown once."""
    caller = person(request, services)
    try:
        made = services.notify.receivers.set(caller, _settings(form), new_signing=form.flag("new_signing_secret"))
    except (InvalidInputError, ConflictError) as error:
        typed = {name: form[name] for name in ("name", "way", "send_resolved", "personal")}
        return _page(request, services, caller, typed=typed, problem=problem_of(error))
    if made.signing is None:
        return see_other(request, "/alerts/routes", f"The receiver {made.name} is set.")
    return _page(request, services, caller, made=made)


@post(
    "/alerts/routes/receivers/{receiver:str}/{verb:str}",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ()},
    status_code=200,
)
def turn_receiver_from_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    receiver: _Receiver,
    verb: _Verb,
    form: NamedDependency[Form],
) -> Response[bytes]:
    """Test a receiver or remove it."""
    del form
    caller, service = person(request, services), services.notify.receivers
    if verb == "test":
        delivered, tried = service.test(caller, receiver)
        code = f" with {tried.code}" if tried.code else ""
        said = f": {tried.said}" if tried.said else ""
        words = f"The test was {'taken' if delivered else 'not taken'}{code} after {tried.latency_ms:,} ms{said}."
        return see_other(request, "/alerts/routes", words)
    if verb != "remove":
        raise ReceiverInvalidError("a receiver cannot do this")
    try:
        service.remove(caller, receiver)
    except ConflictError as error:
        return _page(request, services, caller, problem=problem_of(error))
    return see_other(request, "/alerts/routes", f"The receiver {receiver} is removed.")


def _settings(form: Form) -> ReceiverSettings:
    if form["way"] not in set(Way):
        raise ReceiverInvalidError("a receiver is reached by email, webhook or apprise", pointer="/way")
    return ReceiverSettings(
        name=form["name"],
        way=Way(form["way"]),
        to=tuple(form["to"].replace(",", " ").split()),
        url=form["url"],
        send_resolved=form.flag("send_resolved"),
        personal=form.flag("personal"),
        headers=parse_headers(form["headers"]),
    )


def _page(
    request: Request[Any, Any, Any],
    services: Services,
    caller: Caller,
    *,
    tried: Tried | None = None,
    text: str | None = None,
    typed: dict[str, str] | None = None,
    made: MadeReceiver | None = None,
    problem: Problem | None = None,
) -> Response[bytes]:
    routes = routes_view(*services.notify.routes.get(caller))
    view = RoutesPage(
        routes=routes,
        receivers=[receiver_view(caller, *each) for each in services.notify.receivers.list(caller)],
        can_route=caller.rights.allows(Permission.ALERTS_ROUTE, ""),
        text=text if text is not None else routes.text or _STARTING,
        severities=list(reversed(SEVERITIES)),
        tried=tried,
        typed=typed or {"name": "", "way": "email", "send_resolved": "yes", "personal": ""},
        made=None if made is None or made.signing is None else {"name": made.name, "signing": made.signing},
    )
    status = 200 if problem is None else problem.status
    return render(request, services, "notify/routes.html", view, title="Routes", status=status, problem=problem)


ALERT_ROUTE_PAGES: Final = (
    alert_routes_page,
    set_routes_from_page,
    set_receiver_from_page,
    turn_receiver_from_page,
)
