"""Duties on pages: what is reviewed, how often and by whom; set up, changed, retired."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter

from tallystick.access.errors import ScopeInvalidError
from tallystick.access.permissions import Permission
from tallystick.access.scopes import parse_scope
from tallystick.api.duty_views import KINDS, DutyView, duty_view
from tallystick.api.problem import Problem, problem_of
from tallystick.api.services import Services
from tallystick.errors import PermissionMissingError
from tallystick.review.duties import USUAL
from tallystick.review.errors import DutyInvalidError, DutyRetiredError
from tallystick.review.model import Document, Kind, Terms
from tallystick.review.periods import Cadence
from tallystick.web.caller import person
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render

Page = Response[bytes]
Id = Annotated[str, PathParameter(description="The id of a duty.")]
_REFUSED: Final = (DutyInvalidError, DutyRetiredError, ScopeInvalidError, PermissionMissingError)
_TERMS: Final = ("title", "reviewers", "role", "second", "sample", "due_days", "documents")
_NEW: Final = ("kind", "scope", *_TERMS)
_DOCUMENT_CELLS: Final = 4


class DutiesPage(msgspec.Struct, frozen=True, kw_only=True):
    """Duties, and the form of a new one as it was filled in."""

    duties: list[DutyView]
    can_create: bool
    kinds: dict[str, str]
    typed: dict[str, str]


class DutyPage(msgspec.Struct, frozen=True, kw_only=True):
    """One duty, and the form that changes it as it was filled in."""

    duty: DutyView
    kind: str
    can_change: bool
    typed: dict[str, str]


@get("/reviews/duties", sync_to_thread=True)
def duties_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return the duties that the caller may see. The look is recorded."""
    return _list(request, services, {"scope": "/", "sample": "25"})


@post("/reviews/duties", sync_to_thread=True, dependencies=FORM, opt={"fields": _NEW}, status_code=200)
def create_duty_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Page:
    """Set up a duty, and go to its page."""
    try:
        kind = _kind(form["kind"])
        cadence, days = USUAL[kind]
        terms = _terms(form, kind, parse_scope(form["scope"]), cadence, days)
        made = services.reviews.duties.create(person(request, services), form["title"], terms)
    except _REFUSED as error:
        return _list(request, services, {name: form[name] for name in _NEW}, problem_of(error))
    return see_other(request, f"/reviews/duties/{made}", "The duty is set up. Its first review opens by itself.")


@get("/reviews/duties/{duty:str}", sync_to_thread=True)
def duty_page(request: Request[Any, Any, Any], services: NamedDependency[Services], duty: Id) -> Page:
    """Return one duty. The look is recorded."""
    return _show(request, services, duty)


@post("/reviews/duties/{duty:str}", sync_to_thread=True, dependencies=FORM, opt={"fields": _TERMS}, status_code=200)
def change_duty_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], duty: Id
) -> Page:
    """Let a duty demand something else from its next review on."""
    caller, duties = person(request, services), services.reviews.duties
    try:
        kept = duties.get(caller, duty).terms
        duties.change(caller, duty, form["title"], _terms(form, kept.kind, kept.scope, kept.cadence, kept.due_days))
    except _REFUSED as error:
        return _show(request, services, duty, problem_of(error), {name: form[name] for name in _TERMS})
    return see_other(request, f"/reviews/duties/{duty}", "The duty is changed, from its next review on.")


@post(
    "/reviews/duties/{duty:str}/retire",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("reason",)},
    status_code=200,
)
def retire_duty_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], duty: Id
) -> Page:
    """End a duty."""
    try:
        services.reviews.duties.retire(person(request, services), duty, reason=form["reason"])
    except _REFUSED as error:
        return _show(request, services, duty, problem_of(error))
    return see_other(request, f"/reviews/duties/{duty}", "The duty is retired. What is open stays to be signed.")


def _list(
    request: Request[Any, Any, Any], services: Services, typed: dict[str, str], problem: Problem | None = None
) -> Page:
    caller = person(request, services)
    view = DutiesPage(
        duties=[duty_view(each) for each in services.reviews.duties.list(caller)],
        can_create=caller.rights.anywhere(Permission.REVIEWS_SIGN),
        kinds={kind.value: title for kind, title in KINDS.items()},
        typed=typed,
    )
    status = 200 if problem is None else problem.status
    return render(request, services, "reviews/duties.html", view, title="Duties", status=status, problem=problem)


def _show(
    request: Request[Any, Any, Any],
    services: Services,
    duty: str,
    problem: Problem | None = None,
    typed: dict[str, str] | None = None,
) -> Page:
    caller = person(request, services)
    found = services.reviews.duties.get(caller, duty)
    terms = found.terms
    may = found.retired_at is None and caller.rights.allows(Permission.REVIEWS_SIGN, terms.scope)
    kept = {
        "title": found.title or "",
        "reviewers": " ".join(terms.reviewers),
        "role": terms.role,
        "second": "yes" if terms.second else "",
        "sample": str(terms.sample),
        "due_days": str(terms.due_days),
        "documents": "\n".join(f"{d.name} | {d.link} | {d.sha256} | {d.owner}".rstrip(" |") for d in terms.documents),
    }
    view = DutyPage(duty=duty_view(found), kind=KINDS[terms.kind], can_change=may, typed=typed or kept)
    status = 200 if problem is None else problem.status
    title = found.title or found.id
    return render(request, services, "reviews/duty.html", view, title=title, status=status, problem=problem)


def _terms(form: Form, kind: Kind, scope: str, cadence: Cadence, days: int) -> Terms:
    return Terms(
        kind=kind,
        scope=scope,
        cadence=cadence,
        reviewers=tuple(form["reviewers"].replace(",", " ").split()),
        role=form["role"],
        second=form.flag("second"),
        sample=_number(form["sample"], "sample", 25),
        due_days=_number(form["due_days"], "due_days", days),
        documents=tuple(_document(line) for line in form["documents"].split("\n") if line.strip()),
    )


def _document(line: str) -> Document:
    """Return the document of a line: name | link | SHA-256 | owner; all but the name may be left out."""
    cells = [each.strip() for each in line.split("|")]
    if len(cells) > _DOCUMENT_CELLS:
        raise DutyInvalidError("a document is a line of name | link | SHA-256 | owner", pointer="/documents")
    name, link, sha256, owner = cells + [""] * (_DOCUMENT_CELLS - len(cells))
    return Document(name=name, link=link, sha256=sha256, owner=owner)


def _kind(text: str) -> Kind:
    if text not in set(Kind):
        raise DutyInvalidError(f"{text[:40]!r} is not a kind of duty", pointer="/kind")
    return Kind(text)


def _number(text: str, name: str, usual: int) -> int:
    if not text:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) < len("10000")):
        raise DutyInvalidError(f"{text[:20]!r} is not a whole number", pointer=f"/{name}")
    return int(text)


#: Every page of this module.
DUTY_PAGES: Final = (duties_page, create_duty_page, duty_page, change_duty_page, retire_duty_page)
