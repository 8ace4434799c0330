"""Permissions in groups, as the matrix of roles and the forms of roles and tokens show them."""

from __future__ import annotations

from tallystick.access.permissions import Permission
from tallystick.api.grant_views import roles_view
from tallystick.web.areas import area, by_area


def test_every_permission_has_an_area() -> None:
    assert all(area(each.value) for each in Permission)


def test_no_permission_is_lost_or_shown_twice_and_an_area_comes_once() -> None:
    groups = by_area(roles_view([]).permissions)
    assert sorted(each.name for _, group in groups for each in group) == sorted(Permission)
    titles = [title for title, _ in groups]
    assert len(set(titles)) == len(titles)
    assert titles[0] == "Events"
