"""The page on which a source is told the verification token of the GitLab that sends as it."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.api.problem import Problem, problem_of
from tallystick.api.services import Services
from tallystick.errors import InvalidInputError
from tallystick.web.caller import person
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render

_Name = Annotated[str, PathParameter(description="The name of a source.")]


class GitlabPage(msgspec.Struct, frozen=True, kw_only=True):
    """Where GitLab sends to, and whether its token is set. `set_at` is in microseconds since 1970."""

    source: str
    address: str
    can_manage: bool
    set_at: int | None
    set_by: str | None


@get("/sources/{name:str}/gitlab", sync_to_thread=True)
def gitlab_page(request: Request[Any, Any, Any], services: NamedDependency[Services], name: _Name) -> Response[bytes]:
    """Return how GitLab is told to send as a source. The look is recorded."""
    return _page(request, services, person(request, services), name)


@post("/sources/{name:str}/gitlab", sync_to_thread=True, dependencies=FORM, opt={"fields": ("token",)}, status_code=200)
def set_gitlab_from_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], name: _Name, form: NamedDependency[Form]
) -> Response[bytes]:
    """Take what comes with this token as events of the source; without a token nothing that comes is taken any more."""
    caller = person(request, services)
    try:
        if form["token"]:
            services.gitlab.set_token(caller, name, form["token"])
        else:
            services.gitlab.remove_token(caller, name)
    except InvalidInputError as error:
        return _page(request, services, caller, name, problem=problem_of(error))
    words = "The verification token is set." if form["token"] else "What GitLab sends is refused from now on."
    return see_other(request, f"/sources/{name}/gitlab", words)


def _page(
    request: Request[Any, Any, Any], services: Services, caller: Caller, name: str, *, problem: Problem | None = None
) -> Response[bytes]:
    found = services.gitlab.find(caller, name)
    services.recorder.looked(caller, "sources")
    source = services.sources.get(caller, name)
    manages = all(caller.rights.allows(Permission.SOURCES_MANAGE, scope) for scope in source.settings.scopes)
    view = GitlabPage(
        source=name,
        address=f"{request.url.scheme}://{request.url.netloc}/api/v1/gitlab/{name}",
        can_manage=manages and not source.retired,
        set_at=None if found is None else found.set_at,
        set_by=None if found is None else found.set_by,
    )
    status = 200 if problem is None else problem.status
    return render(request, services, "streams/gitlab.html", view, title="GitLab", status=status, problem=problem)


GITLAB_PAGES: Final = (gitlab_page, set_gitlab_from_page)
