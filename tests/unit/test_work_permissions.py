"""The rooms that name permissions by their text name none that does not exist."""

from __future__ import annotations

from tallystick.access.permissions import Permission
from tallystick.work import exports, views


def test_every_permission_that_views_and_exports_ask_for_exists() -> None:
    named = {*exports._RIGHTS, exports.MANAGE, views.SHARE, views.READ}
    assert named <= set(Permission)
    assert Permission.EVENTS_READ_PERSONAL in named
