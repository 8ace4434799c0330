"""Reviews through the API: read, marked, signed, taken away."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter

from tallystick.access.grants.errors import OwnDecisionError
from tallystick.access.scopes import parse_scope
from tallystick.api.commands import BODY_PROBLEMS, COMMAND, need_caller
from tallystick.api.openapi import FILES, PROBLEMS
from tallystick.api.review_views import (
    RecountView,
    ReviewsView,
    ReviewView,
    SectionRowsView,
    line_view,
    review_view,
    rows_view,
)
from tallystick.api.services import Services, caller_of
from tallystick.errors import PermissionMissingError
from tallystick.query.moments import parse_moment
from tallystick.review.errors import (
    LateReasonMissingError,
    OwnReviewError,
    ReviewClosedError,
    ReviewIncompleteError,
    ReviewInvalidError,
    ReviewNotFoundError,
    SnapshotChangedError,
)
from tallystick.review.export import FORMATS, ReviewFile

_READING: Final[dict[str, Any]] = {"guards": [need_caller], "sync_to_thread": True, "tags": ["reviews"]}
_CHANGING: Final[dict[str, Any]] = {**COMMAND, "tags": ["reviews"]}
_KNOWN: Final = {404: ReviewNotFoundError.code}
_MARKED: Final = {
    403: OwnReviewError.code,
    **_KNOWN,
    **BODY_PROBLEMS,
    409: SnapshotChangedError.code,
    422: ReviewInvalidError.code,
}
_Id = Annotated[str, PathParameter(description="The id of a review.")]
_Section = Annotated[str, PathParameter(description="The name of a section.")]
_Digest = Annotated[str, msgspec.Meta(description="The digest of the review's snapshot.")]


class NewMark(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was found in a section; a finding needs a note."""

    digest: _Digest
    verdict: str
    note: str = ""


class NewDecision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be with one item of a section."""

    item: str
    digest: _Digest
    verdict: str
    note: str = ""


class NewFollowUp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something to be done."""

    text: str
    owner: Annotated[str, msgspec.Meta(description="Id of a person, or name of a team.")]
    due: Annotated[str, msgspec.Meta(description="A day such as 2027-02-01, or a time; UTC.")]
    section: str = ""


class Outcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What came of something that was to be done."""

    outcome: str


class NewSignature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signature under a snapshot; late ones need a reason."""

    digest: _Digest
    reason: str = ""


@get("/api/v1/reviews", opt={"parameters": ("scope", "duty")}, summary="Reviews", **_READING)
def reviews(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    within: Annotated[str, QueryParameter(name="scope", description="This scope and those below it.")] = "/",
    duty: Annotated[str | None, QueryParameter(description="Only of this duty.")] = None,
) -> ReviewsView:
    """Return the reviews that the caller may see, the newest period first. The look is recorded."""
    found = services.reviews.looking.list(caller_of(request, services), scope=parse_scope(within), duty=duty)
    return ReviewsView(reviews=[line_view(each) for each in found])


@get("/api/v1/reviews/{review_id:str}", opt={PROBLEMS: _KNOWN}, summary="One review", **_READING)
def review_of(request: Request[Any, Any, Any], services: NamedDependency[Services], review_id: _Id) -> ReviewView:
    """Return a review with its sections and what was said of them. The look is recorded."""
    return review_view(services.reviews.looking.get(caller_of(request, services), review_id))


@get(
    "/api/v1/reviews/{review_id:str}/sections/{section:str}",
    opt={"parameters": ("cursor",), PROBLEMS: _KNOWN},
    summary="The rows of a section",
    **_READING,
)
def section_of(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    review_id: _Id,
    section: _Section,
    cursor: Annotated[str | None, QueryParameter(description="From the page before.")] = None,
) -> SectionRowsView:
    """Return a section with its events, as far as the caller may see them: a search, recorded like any other."""
    return rows_view(services.reviews.looking.section(caller_of(request, services), review_id, section, cursor=cursor))


@get(
    "/api/v1/reviews/{review_id:str}/sections/{section:str}/recount",
    opt={PROBLEMS: _KNOWN},
    summary="Run a section again",
    **_READING,
)
def recount(
    request: Request[Any, Any, Any], services: NamedDependency[Services], review_id: _Id, section: _Section
) -> RecountView:
    """Run the query of a section again at the size of its snapshot, and compare count and digest."""
    held, now = services.reviews.looking.recount(caller_of(request, services), review_id, section)
    return RecountView(
        section=section,
        then_count=held.count,
        then_digest=held.digest,
        count=now.count,
        digest=now.digest,
        same=(held.count, held.digest) == (now.count, now.digest),
    )


@post(
    "/api/v1/reviews/{review_id:str}/sections/{section:str}/mark",
    opt={PROBLEMS: _MARKED},
    summary="Mark a section",
    **_CHANGING,
)
def mark_section(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    review_id: _Id,
    section: _Section,
    data: JSONBody[NewMark],
) -> ReviewView:
    """Say what was found in a section. The mark says nothing of what is about the caller herself."""
    caller = caller_of(request, services)
    services.reviews.reviewing.mark(caller, review_id, section, data.digest, data.verdict, data.note)
    return review_view(services.reviews.looking.get(caller, review_id))


@post(
    "/api/v1/reviews/{review_id:str}/sections/{section:str}/decide",
    opt={PROBLEMS: _MARKED},
    summary="Decide about an item",
    **_CHANGING,
)
def decide_item(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    review_id: _Id,
    section: _Section,
    data: JSONBody[NewDecision],
) -> ReviewView:
    """Decide about one item. A grant that is revoked ends at once; that needs `grants.revoke` in its scope."""
    caller = caller_of(request, services)
    services.reviews.reviewing.decide(caller, review_id, section, data.item, data.digest, data.verdict, data.note)
    return review_view(services.reviews.looking.get(caller, review_id))


@post(
    "/api/v1/reviews/{review_id:str}/follow-ups",
    opt={PROBLEMS: {**_MARKED, 409: ReviewClosedError.code}},
    summary="Open a follow-up",
    **_CHANGING,
)
def open_follow_up(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    review_id: _Id,
    data: JSONBody[NewFollowUp],
) -> ReviewView:
    """Leave something to be done; it stands in every later review of the duty until it is."""
    caller, now = caller_of(request, services), services.ledger.status().now
    services.reviews.reviewing.open_follow_up(
        caller, review_id, section=data.section, owner=data.owner, text=data.text, due_us=parse_due(data.due, now)
    )
    return review_view(services.reviews.looking.get(caller, review_id))


@post(
    "/api/v1/follow-ups/{follow_up:str}/done",
    status_code=204,
    opt={PROBLEMS: {**_KNOWN, **BODY_PROBLEMS, 403: PermissionMissingError.code, 409: ReviewClosedError.code}},
    summary="Finish a follow-up",
    **_CHANGING,
)
def finish_follow_up(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    follow_up: Annotated[str, PathParameter(description="The id of a follow-up.")],
    data: JSONBody[Outcome],
) -> None:
    """Say that a follow-up is done, and what came of it."""
    services.reviews.reviewing.finish_follow_up(caller_of(request, services), follow_up, outcome=data.outcome)


@post(
    "/api/v1/reviews/{review_id:str}/sign",
    opt={
        PROBLEMS: {
            403: OwnDecisionError.code,
            **_KNOWN,
            **BODY_PROBLEMS,
            409: ReviewIncompleteError.code,
            422: LateReasonMissingError.code,
        }
    },
    summary="Sign a review",
    **_CHANGING,
)
def sign_review(
    request: Request[Any, Any, Any], services: NamedDependency[Services], review_id: _Id, data: JSONBody[NewSignature]
) -> ReviewView:
    """Sign a review, the first or the second signature. Whoever comes with a session proves who she is just before."""
    caller = caller_of(request, services)
    services.reviews.reviewing.sign(caller, review_id, data.digest, reason=data.reason)
    return review_view(services.reviews.looking.get(caller, review_id))


@get(
    "/api/v1/reviews/{review_id:str}/export",
    opt={
        "parameters": ("format",),
        PROBLEMS: {**_KNOWN, 403: PermissionMissingError.code, 413: "review-package-too-large"},
        FILES: tuple(dict.fromkeys(media.partition(";")[0] for _, media in FORMATS.values())),
    },
    summary="Take a review away",
    **_READING,
)
def export_review(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    review_id: _Id,
    form: Annotated[str, QueryParameter(name="format", description=f"One of {', '.join(FORMATS)}.")] = "json",
) -> Response[bytes]:
    """Return a review as a page to print, a table, JSON, or a package that verifies without this server. It is an event.

    A package needs `events.export` and `proofs.read` in the review's scope.
    """
    return file_answer(services.reviews.files.make(caller_of(request, services), review_id, form))


def file_answer(made: ReviewFile) -> Response[bytes]:
    """Return the answer that hands out a file; a browser stores it and makes nothing of it."""
    headers = {"content-disposition": f'attachment; filename="{made.name}"', "cache-control": "no-store"}
    return Response(made.data, media_type=made.media_type, headers=headers)


def parse_due(text: str, now_us: int) -> int:
    """Return the end of the day, or the time, by which something is due; raises ReviewInvalidError."""
    moment = parse_moment(text.strip(), now_us)
    if moment is None:
        raise ReviewInvalidError(f"{text[:40]!r} is not a day such as 2027-02-01", pointer="/due")
    return moment.end


#: Every route of this module, for `ROUTES`.
REVIEW_ROUTES: Final = (
    reviews,
    review_of,
    section_of,
    recount,
    mark_section,
    decide_item,
    open_follow_up,
    finish_follow_up,
    sign_review,
    export_review,
)
