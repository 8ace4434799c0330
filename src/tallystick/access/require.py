"""Refusing what somebody may not do."""

from __future__ import annotations

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.errors import PermissionMissingError


def require(caller: Caller, permission: Permission, *scopes: str) -> None:
    """Raise PermissionMissingError unless the caller holds the permission in every one of the scopes.

    Without a scope it is enough to hold it anywhere.
    """
    held = all(caller.rights.allows(permission, scope) for scope in scopes) and caller.rights.anywhere(permission)
    if not held:
        where = f" for {', '.join(scope or '/' for scope in scopes)}" if scopes else ""
        raise PermissionMissingError(f"this needs the permission {permission}{where}")
