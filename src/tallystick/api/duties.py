"""Duties through the API: what is reviewed, how often, and by whom."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter

from tallystick.access.scopes import parse_scope
from tallystick.api.commands import BODY_PROBLEMS, COMMAND, need_caller
from tallystick.api.duty_views import DutiesView, DutyView, duty_view
from tallystick.api.openapi import PROBLEMS
from tallystick.api.services import Services, caller_of
from tallystick.errors import PermissionMissingError
from tallystick.review.duties import USUAL
from tallystick.review.errors import DutyInvalidError, DutyNotFoundError, DutyRetiredError
from tallystick.review.model import Document, Kind, Terms
from tallystick.review.periods import Cadence

_KNOWN: Final = {404: DutyNotFoundError.code}
_CHANGING: Final[dict[str, Any]] = {**COMMAND, "tags": ["reviews"]}
_MANAGED: Final = {403: PermissionMissingError.code, **BODY_PROBLEMS, 422: DutyInvalidError.code}
_Id = Annotated[str, PathParameter(description="The id of a duty.")]


class DutyTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a duty demands. All but the title are facts that stay in the log."""

    title: str
    reviewers: Annotated[list[str], msgspec.Meta(description="Ids of people who may review, if not all may.")] = []
    role: Annotated[str, msgspec.Meta(description="A role whose holders may review.")] = ""
    second: Annotated[bool, msgspec.Meta(description="Another must sign, too.")] = False
    sample: Annotated[int, msgspec.Meta(description="Events of the random sample.")] = 25
    due_days: Annotated[int | None, msgspec.Meta(description="Days after the period; by kind if left out.")] = None
    documents: list[Document] = []

    def terms(self, kind: Kind, scope: str, cadence: Cadence | None = None) -> Terms:
        """Return the terms for a kind and scope, with what is usual where nothing is said."""
        usual, days = USUAL[kind]
        return Terms(
            kind=kind,
            scope=scope,
            cadence=cadence or usual,
            reviewers=tuple(self.reviewers),
            role=self.role,
            second=self.second,
            sample=self.sample,
            due_days=days if self.due_days is None else self.due_days,
            documents=tuple(self.documents),
        )


class NewDuty(DutyTerms, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A duty to be set up; its kind, scope and cadence never change."""

    kind: Literal["log_review", "policy_review", "access_recertification", "exception_review", "declaration_review"]
    scope: Annotated[str, msgspec.Meta(description="A path such as acme/payments; / is everything.")]
    cadence: Annotated[Literal["week", "quarter", "year"] | None, msgspec.Meta(description="By kind if left out.")] = (
        None
    )

    def all_terms(self) -> Terms:
        """Return the terms with the kind, scope and cadence that they are for. Raises ScopeInvalidError."""
        cadence = None if self.cadence is None else Cadence(self.cadence)
        return self.terms(Kind(self.kind), parse_scope(self.scope), cadence)


class Because(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why."""

    reason: str


@get("/api/v1/duties", guards=[need_caller], sync_to_thread=True, summary="Duties", tags=["reviews"])
def duties(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> DutiesView:
    """Return the duties that the caller may see. The look is recorded."""
    found = services.reviews.duties.list(caller_of(request, services))
    return DutiesView(duties=[duty_view(each) for each in found])


@post("/api/v1/duties", opt={PROBLEMS: _MANAGED}, summary="Set up a duty", **_CHANGING)
def create_duty(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[NewDuty]
) -> DutyView:
    """Set up a duty; its first review is of the period that it is set up in. Needs `reviews.sign` in its scope."""
    caller, rooms = caller_of(request, services), services.reviews
    made = rooms.duties.create(caller, data.title, data.all_terms())
    return duty_view(rooms.duties.get(caller, made))


@get(
    "/api/v1/duties/{duty:str}",
    guards=[need_caller],
    sync_to_thread=True,
    opt={PROBLEMS: _KNOWN},
    summary="One duty",
    tags=["reviews"],
)
def duty_of(request: Request[Any, Any, Any], services: NamedDependency[Services], duty: _Id) -> DutyView:
    """Return a duty. The look is recorded."""
    return duty_view(services.reviews.duties.get(caller_of(request, services), duty))


@put(
    "/api/v1/duties/{duty:str}",
    opt={PROBLEMS: {**_MANAGED, **_KNOWN, 409: DutyRetiredError.code}},
    summary="Change a duty",
    **_CHANGING,
)
def change_duty(
    request: Request[Any, Any, Any], services: NamedDependency[Services], duty: _Id, data: JSONBody[DutyTerms]
) -> DutyView:
    """Let a duty demand something else from its next review on."""
    caller, rooms = caller_of(request, services), services.reviews
    kept = rooms.duties.get(caller, duty).terms
    rooms.duties.change(caller, duty, data.title, data.terms(kept.kind, kept.scope, kept.cadence))
    return duty_view(rooms.duties.get(caller, duty))


@post(
    "/api/v1/duties/{duty:str}/retire",
    opt={PROBLEMS: {**_MANAGED, **_KNOWN, 409: DutyRetiredError.code}},
    summary="Retire a duty",
    **_CHANGING,
)
def retire_duty(
    request: Request[Any, Any, Any], services: NamedDependency[Services], duty: _Id, data: JSONBody[Because]
) -> DutyView:
    """End a duty; what is open stays to be signed."""
    caller, rooms = caller_of(request, services), services.reviews
    rooms.duties.retire(caller, duty, reason=data.reason)
    return duty_view(rooms.duties.get(caller, duty))


#: Every route of this module, for `ROUTES`.
DUTY_ROUTES: Final = (duties, create_duty, duty_of, change_duty, retire_duty)
