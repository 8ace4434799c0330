"""The pages of silences and of notifications."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.alert.book.model import SEVERITIES
from tallystick.alert.notify.matchers import LABELS, make_matcher
from tallystick.api.notification_views import NotificationsView, notifications_view
from tallystick.api.problem import Problem, problem_of
from tallystick.api.services import Services
from tallystick.api.silence_views import SilenceView, silence_view
from tallystick.api.silences import matchers_of, until_of
from tallystick.errors import ConflictError, InvalidInputError
from tallystick.web.caller import person
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render

_FIELDS: Final = (*LABELS, "more", "reason", "until")
_Silence = Annotated[str, PathParameter(description="The id of a silence.")]
_Key = Annotated[str, PathParameter(description="The key of a notification.")]


class SilencesPage(msgspec.Struct, frozen=True, kw_only=True):
    """The silences, of those that have ended only the newest, and the form as it was typed."""

    silences: list[SilenceView]
    ended: bool
    can_route: bool
    hours_max: int
    severities: list[str]
    typed: dict[str, str]


class NotificationsPage(msgspec.Struct, frozen=True, kw_only=True):
    """What became of notifications, of one alert where it is named."""

    found: NotificationsView
    alert: str | None
    can_route: bool


@get("/alerts/silences", sync_to_thread=True, opt={"parameters": ("ended",)})
def silences_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ended: Annotated[bool, QueryParameter(description="With those that have ended.")] = False,
) -> Response[bytes]:
    """Return the silences. The look is recorded."""
    return _silences(request, services, person(request, services), ended=ended)


@post("/alerts/silences", sync_to_thread=True, dependencies=FORM, opt={"fields": _FIELDS}, status_code=200)
def place_silence_from_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Response[bytes]:
    """Place a silence; when it is refused, what was typed stays."""
    caller, service = person(request, services), services.notify.silences
    try:
        matchers = [make_matcher(name, "=", form[name]) for name in LABELS if form[name]]
        matchers += matchers_of(form["more"].splitlines())
        service.place(caller, matchers, form["reason"], until_of(form["until"], service.now_us()))
    except InvalidInputError as error:
        typed = {name: form[name] for name in _FIELDS}
        return _silences(request, services, caller, typed=typed, problem=problem_of(error))
    return see_other(request, "/alerts/silences", "Silenced. The alerts themselves stay; only nobody is told.")


@post(
    "/alerts/silences/{silence:str}/change",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("until", "reason")},
    status_code=200,
)
def change_silence_from_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    silence: _Silence,
    form: NamedDependency[Form],
) -> Response[bytes]:
    """Give a silence another end; without one it ends now."""
    caller, service = person(request, services), services.notify.silences
    try:
        if form["until"]:
            service.change(caller, silence, form["reason"], until_of(form["until"], service.now_us()))
        else:
            service.end(caller, silence, form["reason"])
    except (InvalidInputError, ConflictError) as error:
        return _silences(request, services, caller, problem=problem_of(error))
    return see_other(request, "/alerts/silences", "The silence was changed." if form["until"] else "It has ended.")


@get("/alerts/notifications", sync_to_thread=True, opt={"parameters": ("alert",)})
def notifications_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    alert: Annotated[str | None, QueryParameter(description="Only what is about this alert.")] = None,
) -> Response[bytes]:
    """Return what became of notifications. The look is recorded."""
    caller = person(request, services)
    view = NotificationsPage(
        found=notifications_view(services.notify.evidence.list(caller, alert=alert or None)),
        alert=alert or None,
        can_route=caller.rights.anywhere(Permission.ALERTS_ROUTE),
    )
    return render(request, services, "notify/notifications.html", view, title="Notifications")


@post(
    "/alerts/notifications/{key:str}/retry",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ()},
    status_code=200,
)
def retry_from_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], key: _Key, form: NamedDependency[Form]
) -> Response[bytes]:
    """Send what was given up again."""
    del form
    services.notify.evidence.retry(person(request, services), key)
    return see_other(request, "/alerts/notifications", "It is sent again, with the key that it had.")


def _silences(
    request: Request[Any, Any, Any],
    services: Services,
    caller: Caller,
    *,
    ended: bool = False,
    typed: dict[str, str] | None = None,
    problem: Problem | None = None,
) -> Response[bytes]:
    service = services.notify.silences
    found, now = service.list(caller, ended=ended), service.now_us()
    view = SilencesPage(
        silences=[silence_view(*each, now) for each in found],
        ended=ended,
        can_route=caller.rights.anywhere(Permission.ALERTS_ROUTE),
        hours_max=services.settings.count("alerts.silence_hours_max"),
        severities=list(reversed(SEVERITIES)),
        typed=typed or {**dict.fromkeys(_FIELDS, ""), "until": "2h"},
    )
    status = 200 if problem is None else problem.status
    return render(request, services, "notify/silences.html", view, title="Silences", status=status, problem=problem)


SILENCE_PAGES: Final = (
    silences_page,
    place_silence_from_page,
    change_silence_from_page,
    notifications_page,
    retry_from_page,
)
