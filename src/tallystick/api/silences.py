"""Silences, and what became of notifications."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter

from tallystick.alert.notify.errors import (
    NotificationStateError,
    NotificationUnknownError,
    SilenceInvalidError,
    SilenceStateError,
    SilenceUnknownError,
)
from tallystick.alert.notify.matchers import Matcher, parse_matchers
from tallystick.alert.notify.model import US
from tallystick.api.commands import BODY_PROBLEMS, COMMAND, need_caller
from tallystick.api.notification_views import NotificationsView, notifications_view
from tallystick.api.openapi import PROBLEMS
from tallystick.api.services import Services, caller_of
from tallystick.api.silence_views import SilencesView, SilenceView, silence_view
from tallystick.durations import parse_duration
from tallystick.event.occurred import normalise_time, us_of_time
from tallystick.event.refusals import BadTimeError

_CHANGING: Final[dict[str, Any]] = {**COMMAND, "tags": ["silences"]}
_READING: Final[dict[str, Any]] = {"guards": [need_caller], "sync_to_thread": True, "tags": ["silences"]}
_KNOWN: Final = {
    404: SilenceUnknownError.code,
    409: SilenceStateError.code,
    422: SilenceInvalidError.code,
    **BODY_PROBLEMS,
}
_Silence = Annotated[str, PathParameter(description="The id of a silence.")]
_Key = Annotated[str, PathParameter(description="The key of a notification.")]
_Alert = Annotated[str | None, QueryParameter(description="Only what is about this alert.")]
Reason = Annotated[str, msgspec.Meta(max_length=2000, description="Why; it is personal.")]
Until = Annotated[str, msgspec.Meta(description="When it ends: RFC 3339, or how long from now, such as 2h or 30m.")]


class NewSilence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Alerts that nobody is to be told of: those that meet every matcher, such as `scope="acme/payments"`."""

    matchers: Annotated[list[str], msgspec.Meta(min_length=1, max_length=20)]
    reason: Reason
    until: Until


class SilenceChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another end for a silence, and why."""

    until: Until
    reason: Reason


class SilenceEnd(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a silence ends before its time."""

    reason: Reason


@get("/api/v1/silences", opt={"parameters": ("ended",)}, summary="Silences", **_READING)
def silences(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ended: Annotated[bool, QueryParameter(description="With those that have ended.")] = False,
) -> SilencesView:
    """Return the silences that touch what the caller may see. Needs `alerts.read`; the look is recorded."""
    service = services.notify.silences
    found, now = service.list(caller_of(request, services), ended=ended), service.now_us()
    return SilencesView(silences=[silence_view(*each, now) for each in found])


@post(
    "/api/v1/silences",
    opt={PROBLEMS: {422: SilenceInvalidError.code, **BODY_PROBLEMS}},
    summary="Place a silence",
    **_CHANGING,
)
def place_silence(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[NewSilence]
) -> SilenceView:
    """Keep alerts quiet for a time. Needs `alerts.route` in the scope that it names, for everything where it names none."""
    caller, service = caller_of(request, services), services.notify.silences
    made = service.place(caller, matchers_of(data.matchers), data.reason, until_of(data.until, service.now_us()))
    return silence_view(*service.get(caller, made), service.now_us())


@post(
    "/api/v1/silences/{silence:str}/change",
    status_code=200,
    opt={PROBLEMS: _KNOWN},
    summary="Change the end of a silence",
    **_CHANGING,
)
def change_silence(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    silence: _Silence,
    data: JSONBody[SilenceChange],
) -> SilenceView:
    """Give a silence another end, for a reason."""
    caller, service = caller_of(request, services), services.notify.silences
    service.change(caller, silence, data.reason, until_of(data.until, service.now_us()))
    return silence_view(*service.get(caller, silence), service.now_us())


@post(
    "/api/v1/silences/{silence:str}/end", status_code=200, opt={PROBLEMS: _KNOWN}, summary="End a silence", **_CHANGING
)
def end_silence(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    silence: _Silence,
    data: JSONBody[SilenceEnd],
) -> SilenceView:
    """End a silence before its time, for a reason."""
    caller, service = caller_of(request, services), services.notify.silences
    service.end(caller, silence, data.reason)
    return silence_view(*service.get(caller, silence), service.now_us())


@get("/api/v1/notifications", opt={"parameters": ("alert",)}, summary="Notifications", **_READING)
def notifications(
    request: Request[Any, Any, Any], services: NamedDependency[Services], alert: _Alert = None
) -> NotificationsView:
    """Return what was delivered, waits, was given up, or was held back and why. Needs `alerts.read`."""
    return notifications_view(services.notify.evidence.list(caller_of(request, services), alert=alert))


@post(
    "/api/v1/notifications/{key:str}/retry",
    status_code=204,
    opt={PROBLEMS: {404: NotificationUnknownError.code, 409: NotificationStateError.code, **BODY_PROBLEMS}},
    summary="Send a notification again",
    **_CHANGING,
)
def retry_notification(request: Request[Any, Any, Any], services: NamedDependency[Services], key: _Key) -> None:
    """Send what was given up again, with the same key. Needs `alerts.route` in its scope."""
    services.notify.evidence.retry(caller_of(request, services), key)


def matchers_of(texts: list[str]) -> tuple[Matcher, ...]:
    """Return matchers, each given alone or several with commas; raises MatcherInvalidError."""
    return tuple(each for text in texts for each in parse_matchers(text))


def until_of(text: str, now_us: int) -> int:
    """Return the moment that a text names; raises SilenceInvalidError."""
    try:
        return now_us + parse_duration(text.strip()) * US
    except ValueError:
        pass
    try:
        return us_of_time(normalise_time(text.strip()))
    except BadTimeError:
        raise SilenceInvalidError("write the end as RFC 3339, or as 2h or 30m from now", pointer="/until") from None


SILENCE_ROUTES: Final = (silences, place_silence, change_silence, end_silence, notifications, retry_notification)
