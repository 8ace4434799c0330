"""Reviews on pages: the list, one with its sections, a section with its rows; marking, deciding, signing, exporting."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter

from tallystick.access.grants.errors import OwnDecisionError
from tallystick.access.permissions import Permission
from tallystick.access.scopes import parse_scope
from tallystick.api.duty_views import FiguresView, figures_view
from tallystick.api.problem import Problem, problem_of
from tallystick.api.review_views import (
    ReviewsView,
    ReviewView,
    SectionRowsView,
    line_view,
    review_view,
    rows_view,
)
from tallystick.api.reviews import file_answer, parse_due
from tallystick.api.services import Services
from tallystick.errors import ConflictError, InvalidInputError
from tallystick.review.errors import OwnReviewError, ReviewerNotNamedError
from tallystick.review.model import State
from tallystick.web.caller import person
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render

Page = Response[bytes]
Id = Annotated[str, PathParameter(description="The id of a review.")]
SectionName = Annotated[str, PathParameter(description="The name of a section.")]
REFUSED: Final = (InvalidInputError, ConflictError, OwnReviewError, ReviewerNotNamedError, OwnDecisionError)
#: How the state of a review is coloured.
STATES: Final = {
    State.OPEN: "info",
    State.IN_PROGRESS: "info",
    State.DUE_SOON: "warn",
    State.OVERDUE: "bad",
    State.SIGNED: "good",
    State.SIGNED_LATE: "warn",
    State.WAIVED: "plain",
}
_POST: Final[dict[str, Any]] = {"sync_to_thread": True, "dependencies": FORM, "status_code": 200}


class ReviewsPage(msgspec.Struct, frozen=True, kw_only=True):
    """Reviews, the newest period first, and how they are done; `kinds` colours their states."""

    found: ReviewsView
    figures: FiguresView | None
    scope: str
    duty: str
    kinds: dict[str, str]


class ReviewPage(msgspec.Struct, frozen=True, kw_only=True):
    """One review, and what was filled in; `empty` counts sections that hold nothing and are not marked."""

    review: ReviewView
    now: str
    empty: int
    typed: dict[str, str]
    kinds: dict[str, str]
    can_prove: bool


class SectionPage(msgspec.Struct, frozen=True, kw_only=True):
    """One section with its rows, the sections before and after it, and the address that asks its query again."""

    found: SectionRowsView
    before: str | None
    after: str | None
    search: str
    older: str
    typed: dict[str, str]


@get("/reviews", sync_to_thread=True, opt={"parameters": ("scope", "duty")})
def reviews_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return the reviews that the caller may see. The look is recorded."""
    caller, given = person(request, services), request.query_params
    scope, duty = given.get("scope") or "/", given.get("duty") or ""
    looking, where = services.reviews.looking, parse_scope(scope)
    found = looking.list(caller, scope=where, duty=duty or None)
    may_count = caller.rights.allows(Permission.REVIEWS_READ, where)
    view = ReviewsPage(
        found=ReviewsView(reviews=[line_view(each) for each in found]),
        figures=figures_view(where, looking.figures(caller, where)) if may_count else None,
        scope=scope,
        duty=duty,
        kinds=_kinds(),
    )
    return render(request, services, "reviews/list.html", view, title="Reviews")


@get("/reviews/{review_id:str}", sync_to_thread=True)
def review_page(request: Request[Any, Any, Any], services: NamedDependency[Services], review_id: Id) -> Page:
    """Return one review with its sections. The first look by who may sign it is its beginning."""
    return _show(request, services, review_id)


@post("/reviews/{review_id:str}/mark-empty", **_POST, opt={"fields": ("digest",)})
def mark_empty_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], review_id: Id
) -> Page:
    """Mark every section that holds nothing, and that nobody marked, as without finding: an event for each."""
    caller, rooms = person(request, services), services.reviews
    try:
        for each in _unmarked(review_view(rooms.looking.get(caller, review_id))):
            rooms.reviewing.mark(caller, review_id, each, form["digest"], "no finding")
    except REFUSED as error:
        return _show(request, services, review_id, problem_of(error))
    return see_other(request, _path(review_id), "The sections that hold nothing are marked.")


@post("/reviews/{review_id:str}/follow-ups", **_POST, opt={"fields": ("text", "owner", "due", "section")})
def open_follow_up_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], review_id: Id
) -> Page:
    """Leave something to be done."""
    caller = person(request, services)
    try:
        due_us = parse_due(form["due"], services.ledger.status().now)
        services.reviews.reviewing.open_follow_up(
            caller, review_id, section=form["section"], owner=form["owner"], text=form["text"], due_us=due_us
        )
    except REFUSED as error:
        typed = {name: form[name] for name in ("text", "owner", "due", "section")}
        return _show(request, services, review_id, problem_of(error), typed)
    return see_other(request, _path(review_id), "The follow-up is open. It stands in every review until it is done.")


@post("/reviews/{review_id:str}/done", **_POST, opt={"fields": ("follow_up", "outcome")})
def finish_follow_up_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], review_id: Id
) -> Page:
    """Say that a follow-up is done."""
    caller = person(request, services)
    try:
        services.reviews.reviewing.finish_follow_up(caller, form["follow_up"], outcome=form["outcome"])
    except REFUSED as error:
        return _show(request, services, review_id, problem_of(error))
    return see_other(request, _path(review_id), "The follow-up is done.")


@post("/reviews/{review_id:str}/sign", **_POST, opt={"fields": ("digest", "reason")})
def sign_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], review_id: Id
) -> Page:
    """Sign a review; whoever did not prove lately who she is does so first."""
    caller = person(request, services)
    try:
        closed = services.reviews.reviewing.sign(caller, review_id, form["digest"], reason=form["reason"])
    except REFUSED as error:
        return _show(request, services, review_id, problem_of(error), {"reason": form["reason"]})
    said = "The review is signed." if closed else "Your signature stands. Another person signs, too."
    return see_other(request, _path(review_id), said)


@get("/reviews/{review_id:str}/export", sync_to_thread=True, opt={"parameters": ("format",)})
def export_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    review_id: Id,
    form: Annotated[str, QueryParameter(name="format", description="html, csv, json or package.")] = "html",
) -> Response[bytes]:
    """Return a review as a file; each export is an event."""
    return file_answer(services.reviews.files.make(person(request, services), review_id, form))


@get("/reviews/{review_id:str}/sections/{section:str}", sync_to_thread=True, opt={"parameters": ("cursor",)})
def section_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], review_id: Id, section: SectionName
) -> Page:
    """Return a section with its rows as the caller may see them: a search, recorded like any other."""
    return _show_section(request, services, review_id, section)


@post("/reviews/{review_id:str}/sections/{section:str}", **_POST, opt={"fields": ("digest", "verdict", "note", "item")})
def mark_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    form: NamedDependency[Form],
    review_id: Id,
    section: SectionName,
) -> Page:
    """Mark a section, or decide about one of its items."""
    caller, reviewing = person(request, services), services.reviews.reviewing
    digest, verdict, note, item = form["digest"], form["verdict"], form["note"], form["item"]
    path = f"{_path(review_id)}/sections/{section}"
    try:
        if item:
            reviewing.decide(caller, review_id, section, item, digest, verdict, note)
            return see_other(request, path, f"{item}: {verdict}.")
        own = reviewing.mark(caller, review_id, section, digest, verdict, note)
    except REFUSED as error:
        return _show_section(request, services, review_id, section, problem_of(error), {"note": note, "item": item})
    if own:
        said = f"Marked, but for what is about you ({own}): somebody else marks the section, too."
        return see_other(request, path, said, kind="attention")
    return see_other(request, _path(review_id), "The section is marked.")


def _show(
    request: Request[Any, Any, Any],
    services: Services,
    review_id: str,
    problem: Problem | None = None,
    typed: dict[str, str] | None = None,
) -> Page:
    caller = person(request, services)
    detail = services.reviews.looking.get(caller, review_id)
    shown = review_view(detail)
    rights, scope = caller.rights, detail.review.scope
    view = ReviewPage(
        review=shown,
        now=detail.state.value,
        empty=len(_unmarked(shown)) if shown.can_review and not shown.signatures else 0,
        typed=typed or {},
        kinds=_kinds(),
        can_prove=all(rights.allows(each, scope) for each in (Permission.EVENTS_EXPORT, Permission.PROOFS_READ)),
    )
    title = f"Review of {detail.review.period}"
    status = 200 if problem is None else problem.status
    return render(request, services, "reviews/review.html", view, title=title, status=status, problem=problem)


def _show_section(
    request: Request[Any, Any, Any],
    services: Services,
    review_id: str,
    section: str,
    problem: Problem | None = None,
    typed: dict[str, str] | None = None,
) -> Page:
    caller = person(request, services)
    cursor = request.query_params.get("cursor") or None
    found = services.reviews.looking.section(caller, review_id, section, cursor=cursor)
    shown = rows_view(found)
    names = [each.section for each in found.detail.review.sections]
    at = names.index(section)
    asked = {"q": shown.section.query, "scope": found.detail.review.scope}
    if shown.section.reading:
        asked["reading"] = "yes"
    view = SectionPage(
        found=shown,
        before=names[at - 1] if at else None,
        after=names[at + 1] if at + 1 < len(names) else None,
        search=f"/events?{urlencode({name: text for name, text in asked.items() if text})}" if asked["q"] else "",
        older=f"?{urlencode({'cursor': shown.next})}" if shown.next else "",
        typed=typed or {},
    )
    status = 200 if problem is None else problem.status
    return render(
        request, services, "reviews/section.html", view, title=shown.section.title, status=status, problem=problem
    )


def _unmarked(review: ReviewView) -> list[str]:
    """Return the sections that hold nothing and that nobody marked."""
    return [each.section for each in review.sections if not each.count and not each.done and each.form != "decisions"]


def _kinds() -> dict[str, str]:
    return {state.value: kind for state, kind in STATES.items()}


def _path(review_id: str) -> str:
    return f"/reviews/{review_id}"


#: Every page of this module.
REVIEW_PAGES: Final = (
    reviews_page,
    review_page,
    mark_empty_page,
    open_follow_up_page,
    finish_follow_up_page,
    sign_page,
    export_page,
    section_page,
    mark_page,
)
