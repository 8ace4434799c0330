"""Saved views: questions under a name, in the menu of the events page."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import PathParameter

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.scopes import parse_scope
from tallystick.api.services import Services
from tallystick.web.caller import person
from tallystick.web.events.question import Asked
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.work.model import Question, View

_ERASED: Final = "(name erased)"


class ViewLink(msgspec.Struct, frozen=True, kw_only=True):
    """A saved view as the menu shows it."""

    id: str
    name: str
    href: str
    own: bool
    shared_in: str
    here: bool


class SavedViews(msgspec.Struct, frozen=True, kw_only=True):
    """The views that the reader may use, and the scopes that they may share one in."""

    links: tuple[ViewLink, ...]
    share_in: tuple[str, ...]


def saved_views(services: Services, caller: Caller, asked: Asked) -> SavedViews:
    """Return the menu of saved views."""
    here = asked.link()
    return SavedViews(
        links=tuple(_link(view, caller, here) for view in services.views.listed(caller) if view.question is not None),
        share_in=tuple(scope or "/" for scope in caller.rights.scopes(Permission.VIEWS_SHARE)),
    )


@post(
    "/views",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("name", "q", "from", "to", "scope", "reading", "cols", "shared_in")},
)
def save_view(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Response[bytes]:
    """Save the question that is shown, under a name."""
    caller = person(request, services)
    asked = Asked(
        q=form["q"],
        start=form["from"],
        end=form["to"],
        scope=form["scope"],
        reading=form.flag("reading"),
        cols=form["cols"],
    )
    search = asked.search()
    question = Question(
        text=search.text, start=search.start, end=search.end, scope=search.scope, reading=search.reading
    )
    columns = [column.name for column in asked.columns()] if asked.cols else []
    shared_in = parse_scope(form["shared_in"]) if form["shared_in"] else None
    services.views.save(caller, form["name"], question, columns=columns, shared_in=shared_in)
    return see_other(request, asked.link(), f"Saved the view {form['name']}.")


@post("/views/{view_id:str}/delete", sync_to_thread=True, dependencies=FORM, opt={"fields": ()})
def delete_view(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    form: NamedDependency[Form],  # noqa: ARG001 - read, so that nothing is in it
    view_id: Annotated[str, PathParameter(description="The id of a view.")],
) -> Response[bytes]:
    """Delete a view."""
    services.views.delete(person(request, services), view_id)
    return see_other(request, "/events", "Deleted the view.")


def _link(view: View, caller: Caller, here: str) -> ViewLink:
    question = view.question
    assert question is not None, "erased views are left out"
    asked = Asked(
        q=question.text,
        start=question.start or "",
        end=question.end or "",
        scope="/" if question.scope == "" else question.scope or "",
        reading=question.reading,
        cols=",".join(view.columns),
    )
    return ViewLink(
        id=view.view,
        name=view.name or _ERASED,
        href=asked.link(),
        own=view.owner == caller.id,
        shared_in="" if view.shared_in is None else view.shared_in or "/",
        here=asked.link() == here,
    )
