"""The forms that make a release and edit one."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency

from tallystick.access.errors import ScopeInvalidError
from tallystick.access.permissions import Permission
from tallystick.access.scopes import parse_scope
from tallystick.api.problem import Problem, problem_of
from tallystick.api.release_views import ReleaseView, release_view
from tallystick.api.services import Services
from tallystick.errors import PermissionMissingError
from tallystick.releases.errors import ReleaseChangedError
from tallystick.releases.events import MILESTONES_CHANGED, UPDATED
from tallystick.releases.model import Draft, Edit, Release
from tallystick.web.caller import person, require
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render
from tallystick.web.releases.pages import REFUSED, Id, parse_version

Page = Response[bytes]
_NEW: Final = ("scope", "tag", "name", "description", "commit", "milestones", "create_milestones")
_EDIT: Final = ("version", "name", "description", "milestones", "create_milestones")


class NewReleasePage(msgspec.Struct, frozen=True, kw_only=True):
    """The form of a new release as it was filled in, and the milestones that its scope knows."""

    typed: dict[str, str]
    known: list[str]


class EditReleasePage(msgspec.Struct, frozen=True, kw_only=True):
    """The form that edits a release, as it was filled in. `now` is the release where somebody else changed it meanwhile;
    `version` is the one that is named when the form is sent.
    """

    id: str
    tag: str
    typed: dict[str, str]
    known: list[str]
    version: int
    now: ReleaseView | None = None


@get("/releases/new", sync_to_thread=True, opt={"parameters": ("scope",)})
def new_release_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return the form of a new release; with a scope it names the milestones that are known there."""
    scope = request.query_params.get("scope") or ""
    return _new(request, services, {"scope": "" if scope == "/" else scope})


@post("/releases/new", sync_to_thread=True, dependencies=FORM, opt={"fields": _NEW}, status_code=200)
def create_release_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Page:
    """Make a release, and go to its page."""
    try:
        draft = Draft(
            scope=parse_scope(form["scope"]),
            tag=form["tag"],
            name=form["name"] or form["tag"],
            description=form["description"],
            commit=form["commit"] or None,
            milestones=_titles(form),
        )
        made = services.releases.register.create(
            person(request, services), draft, create_milestones=form.flag("create_milestones")
        )
    except REFUSED as error:
        return _new(request, services, {name: form[name] for name in _NEW}, problem_of(error))
    return see_other(request, f"/releases/{made}", "The release is made, and its first evidence taken.")


@get("/releases/{release_id:str}/edit", sync_to_thread=True)
def edit_release_page(request: Request[Any, Any, Any], services: NamedDependency[Services], release_id: Id) -> Page:
    """Return the form that edits a release."""
    return _edit(request, services, release_id)


@post("/releases/{release_id:str}/edit", sync_to_thread=True, dependencies=FORM, opt={"fields": _EDIT}, status_code=200)
def send_edit_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], release_id: Id
) -> Page:
    """Change a release that is still as the form showed it."""
    caller = person(request, services)
    before = services.releases.register.get(caller, release_id).release
    # A form has no white space at the ends of its texts: where nothing else differs, nothing was edited.
    same = form["description"] == (before.description or "").strip()
    edit = Edit(form["name"], None if same else form["description"], _titles(form))
    try:
        done = services.releases.register.edit(
            caller,
            release_id,
            edit,
            version=parse_version(form["version"]),
            create_milestones=form.flag("create_milestones"),
        )
    except REFUSED as error:
        typed = {name: form[name] for name in _EDIT}
        changed = isinstance(error, ReleaseChangedError)
        return _edit(request, services, release_id, typed, problem_of(error), changed=changed)
    said = [words for action, words in _SAID.items() if action in done]
    return see_other(request, f"/releases/{release_id}", " and ".join(said).capitalize() + "." if said else _NOTHING)


_SAID: Final = {UPDATED: "the release is updated", MILESTONES_CHANGED: "its milestones are changed"}
_NOTHING: Final = "Nothing was different, so nothing was recorded."


def _titles(form: Form) -> tuple[str, ...]:
    """Return the milestones, one on each line."""
    return tuple(title for line in form["milestones"].split("\n") if (title := line.strip()))


def _new(
    request: Request[Any, Any, Any], services: Services, typed: dict[str, str], problem: Problem | None = None
) -> Page:
    caller = person(request, services)
    require(caller, Permission.RELEASES_MANAGE)
    view = NewReleasePage(typed=typed, known=_known(request, services, typed["scope"]))
    status = 200 if problem is None else problem.status
    return render(request, services, "releases/new.html", view, title="New release", status=status, problem=problem)


def _edit(
    request: Request[Any, Any, Any],
    services: Services,
    release_id: str,
    typed: dict[str, str] | None = None,
    problem: Problem | None = None,
    *,
    changed: bool = False,
) -> Page:
    caller = person(request, services)
    detail = services.releases.register.get(caller, release_id)
    release = detail.release
    require(caller, Permission.RELEASES_MANAGE, release.scope)
    version = release.version if typed is None or changed else parse_version(typed["version"])
    view = EditReleasePage(
        id=release.id,
        tag=release.tag,
        typed=_texts(release) if typed is None else typed,
        known=_known(request, services, release.scope),
        version=version,
        now=release_view(release, detail.created_by) if changed else None,
    )
    status = 200 if problem is None else problem.status
    title = f"Edit {release.tag[:80]}"
    return render(request, services, "releases/edit.html", view, title=title, status=status, problem=problem)


def _texts(release: Release) -> dict[str, str]:
    return {
        "name": release.name,
        "description": release.description or "",
        "milestones": "\n".join(release.milestones),
        "create_milestones": "",
    }


def _known(request: Request[Any, Any, Any], services: Services, scope: str) -> list[str]:
    """Return the milestones that a scope knows; none for a text that is no scope of the caller's."""
    try:
        return list(services.releases.register.milestones(person(request, services), parse_scope(scope)))
    except (ScopeInvalidError, PermissionMissingError):
        return []


EDIT_PAGES: Final = (new_release_page, create_release_page, edit_release_page, send_edit_page)
