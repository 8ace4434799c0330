"""One alert: what fired and why, what its rule says, its events, its history, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.alert.book.model import VERDICTS, State
from tallystick.api.alert_acts import assignee_of
from tallystick.api.alert_views import AlertDetail, detail_view
from tallystick.api.alerts import AlertId
from tallystick.api.problem import Problem, problem_of
from tallystick.api.services import Services
from tallystick.web.alerts.queue import REFUSED, Page, verdict_of
from tallystick.web.caller import person
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render


class AlertPage(msgspec.Struct, frozen=True, kw_only=True):
    """An alert, what the one who looks may do with it, and what she had typed when something was refused."""

    detail: AlertDetail
    can_handle: bool
    can_prove: bool
    can_read_rule: bool
    open: bool
    mine: bool
    own_request: bool
    teams: list[tuple[str, str]]
    verdicts: list[tuple[str, str]]
    typed: dict[str, str]


def _step(name: str, *fields: str) -> dict[str, Any]:
    return {
        "path": f"/alerts/{{alert:str}}/{name}",
        "sync_to_thread": True,
        "dependencies": FORM,
        "opt": {"fields": fields},
        "status_code": 200,
    }


@get("/alerts/{alert:str}", sync_to_thread=True)
def alert_page(request: Request[Any, Any, Any], services: NamedDependency[Services], alert: AlertId) -> Page:
    """Return one alert with its history. The look is recorded."""
    return show_alert(request, services, alert)


@post(**_step("acknowledge"))
def acknowledge_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], alert: AlertId
) -> Page:
    """Acknowledge the alert."""

    def act(caller: Caller) -> None:
        services.alerts.service.acknowledge(caller, alert)

    return _do(request, services, alert, form, act, "Acknowledged. Its time to acknowledge has stopped.")


@post(**_step("start"))
def start_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], alert: AlertId
) -> Page:
    """Begin to work on the alert."""

    def act(caller: Caller) -> None:
        services.alerts.service.start(caller, alert)

    return _do(request, services, alert, form, act, "It is in progress.")


@post(**_step("assign", "person", "team"))
def assign_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], alert: AlertId
) -> Page:
    """Give the alert to somebody, or to nobody."""

    def act(caller: Caller) -> None:
        services.alerts.service.assign(caller, alert, assignee_of(form["person"], form["team"]))

    return _do(request, services, alert, form, act, "It is assigned.")


@post(**_step("comment", "text"))
def comment_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], alert: AlertId
) -> Page:
    """Write a comment."""

    def act(caller: Caller) -> None:
        services.alerts.service.comment(caller, alert, form["text"])

    return _do(request, services, alert, form, act, "The comment is in its history.")


@post(**_step("link", "event", "note"))
def link_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], alert: AlertId
) -> Page:
    """Link an event by its index or id."""

    def act(caller: Caller) -> None:
        text = form["event"]
        digits = text.isascii() and text.isdigit() and len(text) < len(str(1 << 63))
        services.alerts.service.link(caller, alert, int(text) if digits else text, form["note"])

    return _do(request, services, alert, form, act, "The event is linked.")


@post(**_step("respond", "done", "follows_rule"))
def respond_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], alert: AlertId
) -> Page:
    """Record what was done."""

    def act(caller: Caller) -> None:
        services.alerts.service.respond(caller, alert, form["done"], follows_rule=form.flag("follows_rule"))

    return _do(request, services, alert, form, act, "The response is recorded.")


@post(**_step("close", "verdict", "reason", "duplicate_of"))
def close_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], alert: AlertId
) -> Page:
    """Close the alert, or ask for it where a second person is wanted."""
    waits = False

    def act(caller: Caller) -> None:
        nonlocal waits
        done = services.alerts.closing.close(
            caller, [alert], verdict_of(form["verdict"]), form["reason"], form["duplicate_of"] or None
        )
        waits = bool(done.waiting)

    answer = _do(request, services, alert, form, act, "The alert is closed.")
    return see_other(request, f"/alerts/{alert}", "The closing waits for a second person.") if waits else answer


@post(**_step("approve", "digest"))
def approve_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], alert: AlertId
) -> Page:
    """Close the alert as another person asked for."""

    def act(caller: Caller) -> None:
        services.alerts.closing.approve(caller, alert, form["digest"])

    return _do(request, services, alert, form, act, "The alert is closed.")


@post(**_step("decline", "digest", "no_reason"))
def decline_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], alert: AlertId
) -> Page:
    """Say no to the closing, or take it back."""

    def act(caller: Caller) -> None:
        services.alerts.closing.decline(caller, alert, form["digest"], form["no_reason"])

    return _do(request, services, alert, form, act, "The alert stays open.")


@post(**_step("reopen", "again"))
def reopen_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], alert: AlertId
) -> Page:
    """Open the alert again."""

    def act(caller: Caller) -> None:
        services.alerts.closing.reopen(caller, alert, form["again"])

    return _do(request, services, alert, form, act, "It is open again; its history stays.")


def show_alert(
    request: Request[Any, Any, Any],
    services: Services,
    alert: str,
    problem: Problem | None = None,
    typed: dict[str, str] | None = None,
) -> Page:
    """Return the page of an alert, with why something was refused where something was."""
    caller = person(request, services)
    found = services.alerts.reading.get(caller, alert)
    given, rights = found.alert.assignee, caller.rights
    view = AlertPage(
        detail=detail_view(found),
        can_handle=rights.allows(Permission.ALERTS_HANDLE, found.alert.scope),
        can_prove=rights.anywhere(Permission.PROOFS_READ),
        can_read_rule=rights.anywhere(Permission.RULES_READ),
        open=found.alert.state is not State.CLOSED,
        mine=given is not None and given.id == caller.id,
        own_request=found.alert.asked is not None and found.alert.asked.by == caller.id,
        teams=[("", "none"), *((name, name) for name in found.teams)] if found.teams else [],
        verdicts=[(name.value, label) for name, label in VERDICTS.items()],
        typed=typed or {},
    )
    status = 200 if problem is None else problem.status
    title = f"Alert {found.alert.id}"
    return render(request, services, "alerts/alert.html", view, title=title, status=status, problem=problem)


def _do(
    request: Request[Any, Any, Any],
    services: Services,
    alert: str,
    form: Form,
    act: Callable[[Caller], object],
    said: str,
) -> Page:
    """Take a step and show the alert as it is then, or what was refused beside what had been typed."""
    try:
        act(person(request, services))
    except REFUSED as error:
        typed = {name: texts[-1] for name, texts in form.values.items() if texts}
        return show_alert(request, services, alert, problem_of(error), typed)
    return see_other(request, f"/alerts/{alert}", said)


#: Every page of this module.
ALERT_PAGES: Final = (
    alert_page,
    acknowledge_page,
    start_page,
    assign_page,
    comment_page,
    link_page,
    respond_page,
    close_page,
    approve_page,
    decline_page,
    reopen_page,
)
