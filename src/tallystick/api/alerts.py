"""Looking at alerts: the queue, one with its history, figures, and the list for auditors."""

from __future__ import annotations

from typing import Annotated, Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency, Provide
from litestar.params import PathParameter, QueryParameter

from tallystick.access.scopes import parse_scope
from tallystick.alert.book.errors import AlertInvalidError, AlertNotFoundError
from tallystick.alert.book.model import OPEN, Filter
from tallystick.alert.book.population import MEDIA, Export, Format
from tallystick.alert.book.reading import PAGE_MAX
from tallystick.api.alert_views import AlertDetail, AlertFigures, AlertsView, alerts_view, detail_view, figures_view
from tallystick.api.commands import need_caller
from tallystick.api.openapi import FILES, PROBLEMS
from tallystick.api.services import Services, caller_of
from tallystick.query.moments import parse_moment

LIMIT: Final = 100
AlertId = Annotated[str, PathParameter(description="The id of an alert, such as al-7k3m.")]
_From = Annotated[str | None, QueryParameter(name="from", description="Opened then or later: RFC 3339, a day, or -7d.")]
_To = Annotated[str | None, QueryParameter(name="to", description="Opened before; of a day, its end.")]
_Scope = Annotated[str, QueryParameter(name="scope", description="This scope and what lies below it; / is everything.")]
FileFormat = Annotated[Format, QueryParameter(name="format", description="csv or json.")]
_READING: Final[dict[str, Any]] = {"guards": [need_caller], "sync_to_thread": True, "tags": ["alerts"]}
PERIOD: Final = ("from", "to", "scope")
FILTERS: Final = ("severity", "state", "scope", "kind", "assignee", "overdue", "from", "to")
"""The parameters that choose alerts, on the API and on the page alike."""


def wanted(
    services: NamedDependency[Services],
    severity: Annotated[
        str | None,
        QueryParameter(description="One or several with commas: critical, high, medium, low, informational."),
    ] = None,
    standing: Annotated[
        str | None,
        QueryParameter(
            name="state",
            description="One or several with commas: new, acknowledged, in_progress, closed; open is the first three.",
        ),
    ] = None,
    below: _Scope = "/",
    kind: Annotated[str | None, QueryParameter(description="The rule's id, or the kind of what raised it.")] = None,
    assignee: Annotated[
        str | None, QueryParameter(description="The id of a person, or a team; none for what is nobody's.")
    ] = None,
    overdue: Annotated[bool, QueryParameter(description="Only what waits longer than its limit allows.")] = False,
    start: _From = None,
    end: _To = None,
) -> Filter:
    """Return which alerts the parameters ask for; raises AlertInvalidError, ScopeInvalidError."""
    states = _words(standing)
    if "open" in states:
        states = (*OPEN, *(each for each in states if each != "open"))
    return Filter(
        severities=_words(severity),
        states=states,
        scope=parse_scope(below),
        kind=kind or None,
        assignee="" if assignee == "none" else assignee or None,
        start_us=_moment(services, start, "/from"),
        end_us=_moment(services, end, "/to", end=True),
        overdue=overdue,
    )


def period(services: NamedDependency[Services], below: _Scope = "/", start: _From = None, end: _To = None) -> Filter:
    """Return a period and a scope; without times, the last 30 days. Raises AlertInvalidError, ScopeInvalidError."""
    return Filter(
        scope=parse_scope(below),
        start_us=_moment(services, start or "-30d", "/from"),
        end_us=_moment(services, end or "now", "/to", end=True),
    )


ASKING: Final = {"wanted": Provide(wanted, sync_to_thread=False)}
PERIODS: Final = {"wanted": Provide(period, sync_to_thread=False)}


@get(
    "/api/v1/alerts",
    dependencies=ASKING,
    opt={"parameters": (*FILTERS, "after", "limit"), PROBLEMS: {422: AlertInvalidError.code}},
    summary="Alerts",
    **_READING,
)
def alerts(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    wanted: NamedDependency[Filter],
    after: Annotated[str | None, QueryParameter(description="From the page before.")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=PAGE_MAX, description="Most alerts in one answer.")] = LIMIT,
) -> AlertsView:
    """Return the alerts that the caller may see, the gravest first. Needs `alerts.read`; the look is recorded."""
    return alerts_view(services.alerts.reading.list(caller_of(request, services), wanted, after=after, limit=limit))


@get(
    "/api/v1/alerts/figures",
    dependencies=PERIODS,
    opt={"parameters": PERIOD, PROBLEMS: {422: AlertInvalidError.code}},
    summary="How fast alerts are handled",
    **_READING,
)
def alert_figures(
    request: Request[Any, Any, Any], services: NamedDependency[Services], wanted: NamedDependency[Filter]
) -> AlertFigures:
    """Return times to acknowledge and to close by severity, of alerts opened in a period: mean, median, 90th percentile.

    Times are the log's own. The look is recorded.
    """
    return figures_view(services.alerts.figures.of(caller_of(request, services), wanted))


@get(
    "/api/v1/alerts/export",
    dependencies=PERIODS,
    opt={
        "parameters": (*PERIOD, "format"),
        PROBLEMS: {422: AlertInvalidError.code},
        FILES: tuple(dict.fromkeys(MEDIA.values())),
    },
    summary="All alerts of a period",
    **_READING,
)
def alert_export(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    wanted: NamedDependency[Filter],
    form: FileFormat = "csv",
) -> Response[bytes]:
    """Return every alert opened in a period, with a count that is held against the log itself. The export is an event,
    which has the digest of the file.
    """
    assert wanted.start_us is not None
    assert wanted.end_us is not None
    caller = caller_of(request, services)
    made = services.alerts.population.export(caller, wanted.start_us, wanted.end_us, wanted.scope, form)
    return export_answer(made)


@get(
    "/api/v1/alerts/{alert:str}",
    opt={PROBLEMS: {404: AlertNotFoundError.code}},
    summary="One alert",
    **_READING,
)
def one_alert(request: Request[Any, Any, Any], services: NamedDependency[Services], alert: AlertId) -> AlertDetail:
    """Return one alert with its rule's card, its events and its history. The look is recorded."""
    return detail_view(services.alerts.reading.get(caller_of(request, services), alert))


def export_answer(made: Export) -> Response[bytes]:
    """Return the answer that hands out a list."""
    headers = {
        "content-disposition": f'attachment; filename="{made.name}"',
        "cache-control": "private, no-store",
        "repr-digest": f"sha-256=:{made.sha256_base64}:",
    }
    return Response(made.body, media_type=made.media_type, headers=headers)


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in (text or "").replace(",", " ").split() if word))


def _moment(services: Services, text: str | None, pointer: str, *, end: bool = False) -> int | None:
    if not text:
        return None
    moment = parse_moment(text, services.ledger.status().now)
    if moment is None:
        raise AlertInvalidError(f"{text[:40]!r} is not a time", pointer=pointer)
    return moment.end if end else moment.start


#: Every route of this module; `alert_acts.py` has those that change something.
ALERT_ROUTES: Final = (alerts, alert_figures, alert_export, one_alert)
