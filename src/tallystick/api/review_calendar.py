"""What falls due in a month, and how reviews are done, through the API."""

from __future__ import annotations

from typing import Annotated, Any, Final

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from tallystick.access.model import Caller
from tallystick.access.scopes import parse_scope
from tallystick.api.commands import need_caller
from tallystick.api.duty_views import CalendarView, FiguresView, due_view, figures_view
from tallystick.api.openapi import PROBLEMS
from tallystick.api.services import Services, caller_of
from tallystick.query.moments import format_moment, parse_moment
from tallystick.review.errors import ReviewInvalidError

_READING: Final[dict[str, Any]] = {"guards": [need_caller], "sync_to_thread": True, "tags": ["reviews"]}


@get(
    "/api/v1/review-calendar",
    opt={"parameters": ("month",), PROBLEMS: {422: ReviewInvalidError.code}},
    summary="What falls due",
    **_READING,
)
def review_calendar(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    month: Annotated[str | None, QueryParameter(description="Such as 2027-01; now if left out.")] = None,
) -> CalendarView:
    """Return what falls due in a month: reviews, and periods that are still to end."""
    return calendar_view(services, caller_of(request, services), month)


@get("/api/v1/review-figures", opt={"parameters": ("scope",)}, summary="How reviews are done", **_READING)
def review_figures(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    within: Annotated[str, QueryParameter(name="scope", description="This scope and those below it.")] = "/",
) -> FiguresView:
    """Return how many reviews were in time, how long they take, what they found, and what is left to do."""
    scope = parse_scope(within)
    return figures_view(scope, services.reviews.looking.figures(caller_of(request, services), scope))


def calendar_view(services: Services, caller: Caller, month: str | None) -> CalendarView:
    """Return a month of the calendar; raises ReviewInvalidError for what is no month."""
    now = services.ledger.status().now
    moment = parse_moment(month or "now", now)
    if moment is None or (month and len(month) != len("2027-01")):
        raise ReviewInvalidError(f"{(month or '')[:20]!r} is not a month such as 2027-01", pointer="/month")
    named = month or month_of(now)
    bounds = parse_moment(named, now)
    assert bounds is not None
    found = services.reviews.looking.calendar(caller, bounds.start, bounds.end)
    return CalendarView(month=named, due=[due_view(each) for each in found])


def month_of(moment_us: int) -> str:
    """Return the month of a time, in UTC."""
    return format_moment(moment_us)[:7]


#: Every route of this module, for `ROUTES`.
CALENDAR_ROUTES: Final = (review_calendar, review_figures)
