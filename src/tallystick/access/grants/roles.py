"""The verbs of roles: list, define, change, retire; and the built-in ones, published in the log."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, or_, select

from tallystick.access.acts import Change, Target, act
from tallystick.access.grants.errors import RoleConflictError, RoleInvalidError, RoleUnknownError
from tallystick.access.grants.events import PRODUCT
from tallystick.access.grants.ports import AdminReading
from tallystick.access.grants.rows import load_grants, load_roles
from tallystick.access.model import Caller
from tallystick.access.permissions import Permission, close
from tallystick.access.require import require
from tallystick.access.roles import BUILT_IN, RoleType
from tallystick.errors import PermissionMissingError
from tallystick.event.identifier import hidden_character
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.store.tables.grants import GRANT, ROLE

TITLE_CHARS_MAX: Final = 80
DESCRIPTION_CHARS_MAX: Final = 500
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{1,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class RoleText:
    """What a role says of itself to people."""

    title: str
    description: str


class RoleService:
    """Roles of one installation; may be used from any thread. `now_us` is the time decisions go by."""

    def __init__(
        self, projection: Projection, commands: Commands, now_us: Callable[[], int], reading: AdminReading
    ) -> None:
        self._projection = projection
        self._commands = commands
        self._now_us = now_us
        self._reading = reading

    def publish_built_in(self) -> None:
        """Write the built-in roles into the log where it has others, or none."""
        self._commands.run(lambda connection: _published(connection, self._now_us()))

    def list(self, caller: Caller) -> Sequence[RoleType]:
        """Return every role that can be asked for. Open to who may ask for access or see it."""
        if not (caller.rights.anywhere(Permission.GRANTS_REQUEST) or caller.rights.anywhere(Permission.ACCESS_READ)):
            raise PermissionMissingError("this needs the permission access.read or grants.request")
        self._reading.looked(caller, "roles")
        with self._projection.engine.connect() as connection:
            return list(load_roles(connection).values())

    def get(self, caller: Caller, name: str) -> RoleType:
        """Return a role. Raises RoleUnknownError."""
        for role in self.list(caller):
            if role.name == name:
                return role
        raise RoleUnknownError(f"there is no role {name[:64]!r}")

    def define(
        self, caller: Caller, name: str, title: str, description: str, permissions: Collection[Permission]
    ) -> RoleType:
        """Make a role of these permissions and all that they require. A name is never used twice."""
        require(caller, Permission.ROLES_MANAGE, "")
        if not _NAME.fullmatch(name):
            raise RoleInvalidError(f"{name[:64]!r} cannot name a role", pointer="/name")
        role = _checked(name, RoleText(title, description), permissions)

        def decide(connection: Connection) -> list[dict[str, Any]]:
            if connection.execute(select(ROLE.c.role).where(ROLE.c.role == name)).first() is not None:
                raise RoleConflictError(f"there is, or was, a role {name} already")
            metadata = {"role": name, "permissions": sorted(role.permissions)}
            changes = [Change("title", None, role.title), Change("description", None, role.description)]
            return [self._event(caller, "access.role_defined", role, metadata, changes)]

        self._commands.run(decide)
        return role

    def change(
        self, caller: Caller, name: str, title: str, description: str, permissions: Collection[Permission]
    ) -> RoleType:
        """Change a role. What it loses is lost at once by all who hold it; what it gains, nobody has yet."""
        require(caller, Permission.ROLES_MANAGE, "")
        new = _checked(name, RoleText(title, description), permissions)

        def decide(connection: Connection) -> list[dict[str, Any]]:
            old = _own_role(connection, name)
            changes = [
                Change(field, getattr(old, field), getattr(new, field))
                for field in ("title", "description")
                if getattr(old, field) != getattr(new, field)
            ]
            if not changes and old.permissions == new.permissions:
                return []
            metadata = {
                "role": name,
                "permissions": sorted(new.permissions),
                "added": sorted(new.permissions - old.permissions),
                "removed": sorted(old.permissions - new.permissions),
            }
            return [self._event(caller, "access.role_changed", new, metadata, changes)]

        self._commands.run(decide)
        return new

    def retire(self, caller: Caller, name: str) -> None:
        """Retire a role that no grant in force uses; requests for it can no longer be approved."""
        require(caller, Permission.ROLES_MANAGE, "")

        def decide(connection: Connection) -> list[dict[str, Any]]:
            role, now_us = _own_role(connection, name), self._now_us()
            unended = or_(GRANT.c.until_at.is_(None), GRANT.c.until_at > now_us)
            held = load_grants(
                connection, GRANT.c.role == name, GRANT.c.decision == "approved", GRANT.c.ended.is_(None), unended
            )
            if held:
                raise RoleConflictError(f"{len(held)} grants of role {name} are in force: {held[0].id}")
            return [self._event(caller, "access.role_retired", role, {"role": name}, [])]

        self._commands.run(decide)

    def _event(
        self, caller: Caller, action: str, role: RoleType, metadata: Mapping[str, Any], changes: Sequence[Change]
    ) -> dict[str, Any]:
        return act(caller, action, Target("role", role.name, role.title), metadata, self._now_us(), changes=changes)


def _own_role(connection: Connection, name: str) -> RoleType:
    """Return a custom role; raises RoleUnknownError, or RoleConflictError for a built-in one."""
    role = load_roles(connection).get(name)
    if role is None:
        raise RoleUnknownError(f"there is no role {name[:64]!r}")
    if role.built_in:
        raise RoleConflictError(f"{name} comes with the product and stays as it is")
    return role


def _checked(name: str, text: RoleText, permissions: Collection[Permission]) -> RoleType:
    title, description = text.title.strip(), text.description.strip()
    for field, value, most in (
        ("title", title, TITLE_CHARS_MAX),
        ("description", description, DESCRIPTION_CHARS_MAX),
    ):
        if len(value) > most or hidden_character(value):
            raise RoleInvalidError(f"the {field} may have {most} visible characters", pointer=f"/{field}")
    if not title:
        raise RoleInvalidError("a role needs a title", pointer="/title")
    if not permissions:
        raise RoleInvalidError("a role needs a permission", pointer="/permissions")
    return RoleType(name, title, description, close(permissions))


def _published(connection: Connection, now_us: int) -> list[dict[str, Any]]:
    """Return the event that publishes the built-in roles, or nothing where the log has them as they are."""
    # The texts of built-in roles are the product's own: they are facts, and no erasure takes them away.
    roles = [
        {
            "role": role.name,
            "title": role.title,
            "description": role.description,
            "permissions": sorted(role.permissions),
        }
        for role in BUILT_IN.values()
    ]
    rows = connection.execute(select(ROLE).where(ROLE.c.built_in))
    known = {
        row.role: {
            "role": row.role,
            "title": row.title,
            "description": row.description,
            "permissions": json.loads(row.permissions),
        }
        for row in rows
    }
    if known == {role["role"]: role for role in roles}:
        return []
    return [act(PRODUCT, "access.roles_published", Target("roles", "built-in"), {"roles": roles}, now_us)]
