"""Routes of exports: ask for one, see how it stands, fetch, cancel or delete it."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from litestar.response import Stream

from tallystick.access.permissions import Permission
from tallystick.access.scopes import parse_scope
from tallystick.api.exports import file_answer
from tallystick.api.problem import problem_of
from tallystick.api.services import Services
from tallystick.counted import counted
from tallystick.errors import ForbiddenError, InvalidInputError, UnavailableError
from tallystick.web.caller import person, require
from tallystick.web.exports.formats import export_formats
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render
from tallystick.work.errors import ExportNotReadyError
from tallystick.work.model import Export, Question, State

_ID = Annotated[str, PathParameter(description="The id of an export.")]
_FIELDS: Final = ("query", "from", "to", "scope", "reading", "format")
_US: Final = 1_000_000
WHY: Final = {
    "storage-full": "The disk has too little room.",
    "question-erased": "What was asked has been erased.",
    "permission-missing": "A permission was missing.",
    "package-too-large": "More events match than a package may hold.",
    "not-committed": "No checkpoint covered the events in time; ask again.",
    "unexpected": "Something went wrong in the server; its log says what.",
}


class ExportRow(msgspec.Struct, frozen=True, kw_only=True):
    """One export as the page shows it. `asked` is None once the question was erased, `search` leads to its events."""

    id: str
    state: str
    format: str
    owner: str
    own: bool
    asked: str | None
    search: str
    requested_at: int
    events: int | None
    bytes: int | None
    sha256: str | None
    done: int | None
    total: int | None
    left_s: float | None
    why: str


class ExportsPage(msgspec.Struct, frozen=True, kw_only=True):
    """Exports, newest first; `busy` says that some are not finished, `formats` are what can be asked for."""

    exports: tuple[ExportRow, ...]
    busy: bool
    everyone: bool
    can_manage: bool
    formats: tuple[tuple[str, str], ...]
    typed: dict[str, str]
    now: int
    url: str


@get("/exports", sync_to_thread=True, opt={"parameters": ("everyone",)})
def exports_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    everyone: Annotated[bool, QueryParameter(name="everyone", description="Also those of others.")] = False,
) -> Response[bytes]:
    """Return the caller's exports, or everyone's for who manages them."""
    return _page(request, services, everyone=everyone)


@post("/exports", sync_to_thread=True, dependencies=FORM, opt={"fields": _FIELDS}, status_code=200)
def start_export_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Response[bytes]:
    """Ask for an export, as the form or the events page sends it."""
    caller = person(request, services)
    try:
        services.exports.request(caller, _question(form), form["format"] or "csv")
    except (InvalidInputError, ForbiddenError, UnavailableError) as error:
        return _page(request, services, problem=error, typed={name: form[name] for name in _FIELDS})
    days = services.settings.count("exports.kept_days")
    kept = f"it is kept for {counted(days, 'day')}"
    return see_other(request, "/exports", f"The export is being made. Come back whenever you like; {kept}.")


@post("/exports/{export_id:str}/cancel", sync_to_thread=True, status_code=200, dependencies=FORM, opt={"fields": ()})
def cancel_export_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    form: NamedDependency[Form],  # noqa: ARG001 - read, so that nothing is in it
    export_id: _ID,
) -> Response[bytes]:
    """End an export that is not finished."""
    try:
        services.exports.cancel(person(request, services), export_id)
    except ExportNotReadyError:
        return see_other(request, "/exports", "It had ended already.", kind="attention")
    return see_other(request, "/exports", "The export is cancelled.")


@post("/exports/{export_id:str}/delete", sync_to_thread=True, status_code=200, dependencies=FORM, opt={"fields": ()})
def delete_export_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    form: NamedDependency[Form],  # noqa: ARG001 - read, so that nothing is in it
    export_id: _ID,
) -> Response[bytes]:
    """Delete the file of an export."""
    try:
        services.exports.delete(person(request, services), export_id)
    except ExportNotReadyError:
        return see_other(request, "/exports", "There is no file any more.", kind="attention")
    return see_other(request, "/exports", "The file is deleted. That there was an export stays in the log.")


@get("/exports/{export_id:str}/file", sync_to_thread=True)
def download_export(request: Request[Any, Any, Any], services: NamedDependency[Services], export_id: _ID) -> Stream:
    """Return the file of a finished export; each download is an event."""
    return file_answer(services.exports.open(person(request, services), export_id))


def _page(
    request: Request[Any, Any, Any],
    services: Services,
    *,
    everyone: bool = False,
    problem: InvalidInputError | ForbiddenError | UnavailableError | None = None,
    typed: dict[str, str] | None = None,
) -> Response[bytes]:
    caller = person(request, services)
    require(caller, Permission.EVENTS_EXPORT)
    now = services.ledger.status().now
    found = services.exports.listed(caller, everyone=everyone)
    rows = tuple(_row(export, caller.id, now) for export in found)
    view = ExportsPage(
        exports=rows,
        busy=any(row.state in {"waiting", "running"} for row in rows),
        everyone=everyone,
        can_manage=caller.rights.anywhere(Permission.EXPORTS_MANAGE),
        formats=export_formats(services, caller),
        typed=typed or {},
        now=now,
        url="/exports?everyone=true" if everyone else "/exports",
    )
    refused = None if problem is None else problem_of(problem)
    return render(
        request,
        services,
        "exports/page.html",
        view,
        title="Exports",
        status=200 if refused is None else refused.status,
        fragment="exports/list.html",
        problem=refused,
    )


def _question(form: Form) -> Question:
    return Question(
        text=form["query"],
        start=form["from"] or None,
        end=form["to"] or None,
        scope=parse_scope(form["scope"]) if form["scope"] else None,
        reading=form.flag("reading"),
    )


def _row(export: Export, me: str, now: int) -> ExportRow:
    question, progress = export.question, export.progress
    expires_at = export.expires_at
    over = expires_at is not None and expires_at <= now
    state = "expired" if over else export.state.value
    if export.state is State.REQUESTED:
        state = "waiting" if progress is None else "running"
    return ExportRow(
        id=export.export,
        state=state,
        format=export.format,
        owner=export.owner,
        own=export.owner == me,
        asked=None if question is None else _in_words(question),
        search="" if question is None else _search(question),
        requested_at=export.requested_at,
        events=export.events,
        bytes=export.bytes,
        sha256=export.sha256,
        done=None if progress is None else progress.done,
        total=None if progress is None else progress.total,
        left_s=None if expires_at is None or over else (expires_at - now) / _US,
        why="" if export.code is None else WHY.get(export.code, f"It was refused: {export.code}."),
    )


def _in_words(question: Question) -> str:
    parts = [question.text or "everything"]
    parts += [f"from {question.start}"] if question.start else []
    parts += [f"to {question.end}"] if question.end else []
    parts += [f"in {question.scope}"] if question.scope else []
    parts += ["with readings"] if question.reading else []
    return ", ".join(parts)


def _search(question: Question) -> str:
    asked = {"q": question.text, "from": question.start, "to": question.end, "scope": question.scope}
    kept = {name: value for name, value in asked.items() if value}
    return f"/events?{urlencode(kept)}" if kept else "/events"
