"""The queue of alerts: what waits, how long it may, and the form that closes several at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.alert.book.model import OPEN, SEVERITIES, VERDICTS, Filter, Verdict
from tallystick.api.alert_views import AlertFigures, AlertsView, alerts_view, figures_view
from tallystick.api.alerts import ASKING, FILTERS, PERIOD, PERIODS, FileFormat, export_answer
from tallystick.api.problem import Problem, problem_of
from tallystick.api.services import Services
from tallystick.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from tallystick.event.occurred import time_of_us
from tallystick.web.caller import person
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render

Page = Response[bytes]
REFUSED: Final = (InvalidInputError, ConflictError, ForbiddenError, NotFoundError)
PAGE: Final = 50
_STATES: Final = {
    "open": "Open",
    "new": "New",
    "acknowledged": "Acknowledged",
    "in_progress": "In progress",
    "closed": "Closed",
    "new,acknowledged,in_progress,closed": "All",
}


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """A link that filters; `on` is whether it does now."""

    label: str
    href: str
    on: bool


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """Filters of one kind, of which one is on."""

    label: str
    choices: list[Choice]


class QueuePage(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts, the gravest first; `waiting` counts all that are open by severity, `older` leads to the next page."""

    found: AlertsView
    waiting: dict[str, int]
    filters: list[Choices]
    given: dict[str, str]
    can_handle: bool
    older: str
    here: str
    verdicts: list[tuple[str, str]]
    typed: dict[str, str]


class FiguresPage(msgspec.Struct, frozen=True, kw_only=True):
    """How fast alerts of a period were handled."""

    figures: AlertFigures
    scope: str
    start: str
    end: str
    export: dict[str, str]


@get("/alerts", dependencies=ASKING, sync_to_thread=True, opt={"parameters": (*FILTERS, "after")})
def alerts_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    wanted: NamedDependency[Filter],
    after: Annotated[str | None, QueryParameter(description="From the page before.")] = None,
) -> Page:
    """Return the queue; without a state asked for, what is not closed. The look is recorded."""
    given = {name: text for name in FILTERS if (text := request.query_params.get(name))}
    return _show(request, services, wanted, given, after)


@post(
    "/alerts/close",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("alert", "verdict", "reason", "duplicate_of", "here")},
    status_code=200,
)
def close_alerts_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Page:
    """Close the alerts that were marked, with one verdict and reason."""
    caller = person(request, services)
    try:
        verdict = verdict_of(form["verdict"])
        done = services.alerts.closing.close(
            caller, form.all("alert"), verdict, form["reason"], form["duplicate_of"] or None
        )
    except REFUSED as error:
        typed = {name: form[name] for name in ("verdict", "reason", "duplicate_of")}
        return _show(request, services, Filter(), {}, None, problem_of(error), typed)
    said = f"{len(done.closed)} closed."
    if done.waiting:
        said += f" {len(done.waiting)} wait for a second person."
    here = form["here"]
    return see_other(request, here if here == "/alerts" or here.startswith("/alerts?") else "/alerts", said)


@get("/alerts/figures", dependencies=PERIODS, sync_to_thread=True, opt={"parameters": PERIOD})
def alert_figures_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], wanted: NamedDependency[Filter]
) -> Page:
    """Return how fast alerts opened in a period were looked at and closed. The look is recorded."""
    caller = person(request, services)
    assert wanted.start_us is not None
    assert wanted.end_us is not None
    period = {"from": time_of_us(wanted.start_us), "to": time_of_us(wanted.end_us), "scope": wanted.scope or "/"}
    view = FiguresPage(
        figures=figures_view(services.alerts.figures.of(caller, wanted)),
        scope=wanted.scope or "/",
        start=request.query_params.get("from") or "",
        end=request.query_params.get("to") or "",
        export={form: f"/alerts/export?{urlencode({**period, 'format': form})}" for form in ("csv", "json")},
    )
    return render(request, services, "alerts/figures.html", view, title="How fast alerts are handled")


@get("/alerts/export", dependencies=PERIODS, sync_to_thread=True, opt={"parameters": (*PERIOD, "format")})
def alert_export_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    wanted: NamedDependency[Filter],
    form: FileFormat = "csv",
) -> Page:
    """Return the list of all alerts opened in a period as a file; the export is an event."""
    caller = person(request, services)
    assert wanted.start_us is not None
    assert wanted.end_us is not None
    made = services.alerts.population.export(caller, wanted.start_us, wanted.end_us, wanted.scope, form)
    return export_answer(made)


def verdict_of(text: str) -> Verdict:
    """Return the verdict that a form names; raises InvalidInputError for none."""
    try:
        return Verdict(text)
    except ValueError as error:
        raise InvalidInputError("choose a verdict", pointer="/verdict") from error


def _show(
    request: Request[Any, Any, Any],
    services: Services,
    wanted: Filter,
    given: Mapping[str, str],
    after: str | None,
    problem: Problem | None = None,
    typed: Mapping[str, str] | None = None,
) -> Page:
    caller = person(request, services)
    asked = {"state": "open", **given}
    if "state" not in given:
        wanted = replace(wanted, states=OPEN)
    found = services.alerts.reading.list(caller, wanted, after=after, limit=PAGE)
    view = QueuePage(
        found=alerts_view(found),
        waiting=dict(services.alerts.reading.waiting(caller)),
        filters=_filters(asked, caller),
        given=dict(given),
        can_handle=caller.rights.anywhere(Permission.ALERTS_HANDLE),
        older=_href({**given, "after": found.after}) if found.after else "",
        here=_href(given),
        verdicts=[(name.value, label) for name, label in VERDICTS.items()],
        typed=dict(typed or {}),
    )
    status = 200 if problem is None else problem.status
    return render(request, services, "alerts/queue.html", view, title="Alerts", status=status, problem=problem)


def _filters(asked: Mapping[str, str], caller: Caller) -> list[Choices]:
    """Return the filters as links; each changes one thing and leaves the others as they are."""

    def choices(label: str, name: str, options: Mapping[str, str]) -> Choices:
        return Choices(
            label=label,
            choices=[
                Choice(label=text, href=_href({**asked, name: value}), on=asked.get(name, "") == value)
                for value, text in options.items()
            ],
        )

    return [
        choices("State", "state", _STATES),
        choices("Severity", "severity", {"": "Any", **{each: each.capitalize() for each in reversed(SEVERITIES)}}),
        choices("Given to", "assignee", {"": "Anybody", caller.id: "Me", "none": "Nobody"}),
        choices("Limit", "overdue", {"": "Any", "true": "Overdue"}),
    ]


def _href(asked: Mapping[str, str | None]) -> str:
    kept = {name: text for name, text in asked.items() if text and (name, text) != ("state", "open")}
    return f"/alerts?{urlencode(kept)}" if kept else "/alerts"


#: Every page of this module.
QUEUE_PAGES: Final = (alerts_page, close_alerts_page, alert_figures_page, alert_export_page)
