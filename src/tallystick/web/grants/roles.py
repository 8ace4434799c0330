"""Roles on pages: the matrix of roles and permissions, and the form of a custom role."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter

from tallystick.access.permissions import Permission
from tallystick.api.grant_views import PermissionView, RoleView, roles_view
from tallystick.api.problem import Problem, problem_of
from tallystick.api.roles import parse_permissions
from tallystick.api.services import Services
from tallystick.errors import ConflictError, InvalidInputError
from tallystick.web.caller import person
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.grants.pages import confirm_presence
from tallystick.web.page import render

Page = Response[bytes]
Name = Annotated[str, PathParameter(description="The name of a role.")]
_FIELDS: Final = ("name", "title", "description", "permission")
_PATH: Final = "/access/roles"


class RolesPage(msgspec.Struct, frozen=True, kw_only=True):
    """Roles by permissions, and the form of a role as it was filled in; `editing` names the role it changes."""

    roles: list[RoleView]
    permissions: list[PermissionView]
    can_manage: bool
    editing: str = ""
    name: str = ""
    title: str = ""
    description: str = ""
    chosen: list[str] = []


@get(_PATH, sync_to_thread=True)
def roles_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return every role with what it allows."""
    return _page(request, services)


@post(_PATH, sync_to_thread=True, dependencies=FORM, opt={"fields": _FIELDS})
def define_role_here(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Page:
    """Make a role."""
    caller = person(request, services)
    confirm_presence(services, caller)
    try:
        permissions = parse_permissions(list(form.all("permission")))
        made = services.roles.define(caller, form["name"], form["title"], form["description"], permissions)
    except (InvalidInputError, ConflictError) as error:
        return _page(request, services, form=form, problem=problem_of(error))
    return see_other(request, f"{_PATH}/{made.name}", f"Role {made.name} is there to be asked for.")


@get(f"{_PATH}/{{name:str}}", sync_to_thread=True)
def role_page(request: Request[Any, Any, Any], services: NamedDependency[Services], name: Name) -> Page:
    """Return the roles with one of them to be changed."""
    return _page(request, services, editing=name)


@post(f"{_PATH}/{{name:str}}", sync_to_thread=True, dependencies=FORM, opt={"fields": _FIELDS})
def change_role_here(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], name: Name
) -> Page:
    """Change a role."""
    caller = person(request, services)
    confirm_presence(services, caller)
    try:
        permissions = parse_permissions(list(form.all("permission")))
        services.roles.change(caller, name, form["title"], form["description"], permissions)
    except (InvalidInputError, ConflictError) as error:
        return _page(request, services, editing=name, form=form, problem=problem_of(error))
    return see_other(
        request, f"{_PATH}/{name}", "Changed. What the role lost is gone at once; what it gained is not given."
    )


@post(f"{_PATH}/{{name:str}}/retire", sync_to_thread=True, dependencies=FORM, opt={"fields": ()})
def retire_role_here(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], name: Name
) -> Page:
    """Retire a role that no grant in force uses."""
    del form
    caller = person(request, services)
    confirm_presence(services, caller)
    try:
        services.roles.retire(caller, name)
    except ConflictError as error:
        return _page(request, services, editing=name, problem=problem_of(error))
    return see_other(request, _PATH, f"Role {name} is retired.")


def _page(
    request: Request[Any, Any, Any],
    services: Services,
    *,
    editing: str = "",
    form: Form | None = None,
    problem: Problem | None = None,
) -> Page:
    caller = person(request, services)
    typed: dict[str, Any] = {}
    if editing:
        role = services.roles.get(caller, editing)
        typed = {"title": role.title, "description": role.description, "chosen": sorted(role.permissions)}
    shown = roles_view(services.roles.list(caller))
    if form is not None:
        typed = {name: form[name] for name in ("name", "title", "description")}
        typed["chosen"] = list(form.all("permission"))
    view = RolesPage(
        roles=shown.roles,
        permissions=shown.permissions,
        can_manage=caller.rights.allows(Permission.ROLES_MANAGE, ""),
        editing=editing,
        **typed,
    )
    status = 200 if problem is None else problem.status
    title = f"Role {editing}" if editing else "Roles"
    return render(request, services, "grants/roles.html", view, title=title, status=status, problem=problem)


ROLE_PAGES: Final = (roles_page, define_role_here, role_page, change_role_here, retire_role_here)
