"""Saved views: list, save, change, delete."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter

from tallystick.access.scopes import parse_scope
from tallystick.api.commands import BODY_PROBLEMS, COMMAND, need_caller
from tallystick.api.openapi import PROBLEMS
from tallystick.api.services import Services, caller_of
from tallystick.event.occurred import time_of_us
from tallystick.work.errors import ViewInvalidError, ViewNotFoundError
from tallystick.work.model import Question, View

_View = Annotated[str, PathParameter(description="The id of a view.")]


class QuestionBody(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}
):
    """What is looked for: the parameters of a search."""

    query: Annotated[str, msgspec.Meta(max_length=16384)] = ""
    start: str | None = None
    end: str | None = None
    scope: str | None = None
    reading: bool = False


class ViewBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A view to be saved. `shared_in` is the scope whose readers see it; without one it is the caller's own."""

    name: str
    question: QuestionBody
    columns: list[str] = []
    shared_in: str | None = None


class ViewAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A saved view. Name and question are null once they were erased."""

    view: str
    owner: str
    shared_in: str | None
    name: str | None
    question: QuestionBody | None
    columns: list[str]
    saved_at: str


class ViewsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The caller's own views and those shared with the caller, by name."""

    views: list[ViewAnswer]


@get("/api/v1/views", guards=[need_caller], sync_to_thread=True, summary="Saved views", tags=["views"])
def views(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> ViewsAnswer:
    """Return the views that the caller may see."""
    return ViewsAnswer(views=[_shown(view) for view in services.views.listed(caller_of(request, services))])


@post(
    "/api/v1/views",
    opt={PROBLEMS: {422: ViewInvalidError.code, **BODY_PROBLEMS}},
    summary="Save a view",
    tags=["views"],
    **COMMAND,
)
def save_view(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[ViewBody]
) -> ViewAnswer:
    """Save a question under a name, which is an event. Sharing it needs `views.share` in the scope."""
    return _save(request, services, data, None)


@put(
    "/api/v1/views/{view_id:str}",
    opt={PROBLEMS: {404: ViewNotFoundError.code, 422: ViewInvalidError.code, **BODY_PROBLEMS}},
    summary="Change a view",
    tags=["views"],
    **COMMAND,
)
def change_view(
    request: Request[Any, Any, Any], services: NamedDependency[Services], view_id: _View, data: JSONBody[ViewBody]
) -> ViewAnswer:
    """Save another question in place of one's own view."""
    return _save(request, services, data, view_id)


@delete(
    "/api/v1/views/{view_id:str}",
    guards=[need_caller],
    sync_to_thread=True,
    opt={PROBLEMS: {404: ViewNotFoundError.code}},
    summary="Delete a view",
    tags=["views"],
)
def delete_view(request: Request[Any, Any, Any], services: NamedDependency[Services], view_id: _View) -> None:
    """Delete one's own view, or a shared one where one may share."""
    services.views.delete(caller_of(request, services), view_id)


def question_of(body: QuestionBody) -> Question:
    """Return the question that a body asks; raises ScopeInvalidError."""
    scope = None if body.scope is None else parse_scope(body.scope)
    return Question(text=body.query, start=body.start, end=body.end, scope=scope, reading=body.reading)


def body_of(question: Question) -> QuestionBody:
    """Return a question as it is sent."""
    scope = "/" if question.scope == "" else question.scope
    return QuestionBody(
        query=question.text, start=question.start, end=question.end, scope=scope, reading=question.reading
    )


def _save(request: Request[Any, Any, Any], services: Services, data: ViewBody, view_id: str | None) -> ViewAnswer:
    caller = caller_of(request, services)
    shared_in = None if data.shared_in is None else parse_scope(data.shared_in)
    question = question_of(data.question)
    given = services.views.save(caller, data.name, question, columns=data.columns, shared_in=shared_in, view_id=view_id)
    return _shown(services.views.get(caller, given))


def _shown(view: View) -> ViewAnswer:
    return ViewAnswer(
        view=view.view,
        owner=view.owner,
        shared_in="/" if view.shared_in == "" else view.shared_in,
        name=view.name,
        question=None if view.question is None else body_of(view.question),
        columns=list(view.columns),
        saved_at=time_of_us(view.saved_at),
    )


#: Every route of this module.
VIEW_ROUTES: Final = (views, save_view, change_view, delete_view)
