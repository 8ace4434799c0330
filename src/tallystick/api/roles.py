"""Roles: list, show, define, change, retire."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter

from tallystick.access.grants.errors import RoleConflictError, RoleInvalidError, RoleUnknownError
from tallystick.access.permissions import Permission
from tallystick.api.commands import BODY_PROBLEMS, COMMAND, need_caller
from tallystick.api.grant_views import RolesView, RoleView, role_view, roles_view
from tallystick.api.openapi import PROBLEMS
from tallystick.api.services import Services, caller_of

_Name = Annotated[str, PathParameter(description="The name of a role.")]
_BODY: Final = {**BODY_PROBLEMS, 422: RoleInvalidError.code}
_KNOWN: Final = {404: RoleUnknownError.code, 409: RoleConflictError.code}
_READING: Final[dict[str, Any]] = {"guards": [need_caller], "sync_to_thread": True, "tags": ["access"]}
_CHANGING: Final[dict[str, Any]] = {**COMMAND, "tags": ["access"]}
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
Description = Annotated[str, msgspec.Meta(max_length=500)]
Permissions = Annotated[list[str], msgspec.Meta(min_length=1, max_length=64, description="What they require is added.")]


class NewRole(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A role to be made. Its name is a fact, and never used twice."""

    name: str
    title: Title
    description: Description = ""
    permissions: Permissions


class RoleEdit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a role is from now on."""

    title: Title
    description: Description = ""
    permissions: Permissions


@get("/api/v1/roles", summary="Roles and permissions", **_READING)
def roles(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> RolesView:
    """Return every role that can be asked for, and every permission there is."""
    return roles_view(services.roles.list(caller_of(request, services)))


@get("/api/v1/roles/{name:str}", opt={PROBLEMS: {404: RoleUnknownError.code}}, summary="One role", **_READING)
def role(request: Request[Any, Any, Any], services: NamedDependency[Services], name: _Name) -> RoleView:
    """Return one role."""
    return role_view(services.roles.get(caller_of(request, services), name))


@post("/api/v1/roles", opt={PROBLEMS: {409: RoleConflictError.code, **_BODY}}, summary="Define a role", **_CHANGING)
def define_role(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[NewRole]
) -> RoleView:
    """Make a role of these permissions and all that they require."""
    caller, permissions = caller_of(request, services), parse_permissions(data.permissions)
    return role_view(services.roles.define(caller, data.name, data.title, data.description, permissions))


@put("/api/v1/roles/{name:str}", opt={PROBLEMS: {**_KNOWN, **_BODY}}, summary="Change a role", **_CHANGING)
def change_role(
    request: Request[Any, Any, Any], services: NamedDependency[Services], name: _Name, data: JSONBody[RoleEdit]
) -> RoleView:
    """Change a role. What it loses is gone at once from every grant; what it gains goes to new grants only."""
    caller, permissions = caller_of(request, services), parse_permissions(data.permissions)
    return role_view(services.roles.change(caller, name, data.title, data.description, permissions))


@post("/api/v1/roles/{name:str}/retire", status_code=204, opt={PROBLEMS: _KNOWN}, summary="Retire a role", **_CHANGING)
def retire_role(request: Request[Any, Any, Any], services: NamedDependency[Services], name: _Name) -> None:
    """Retire a role that no grant in force uses."""
    services.roles.retire(caller_of(request, services), name)


def parse_permissions(names: list[str]) -> frozenset[Permission]:
    """Return permissions by their names; raises RoleInvalidError."""
    unknown = [name for name in names if name not in set(Permission)]
    if unknown:
        raise RoleInvalidError(f"{unknown[0][:64]!r} is not a permission", pointer="/permissions")
    return frozenset(map(Permission, names))


ROLE_ROUTES: Final = (roles, role, define_role, change_role, retire_role)
