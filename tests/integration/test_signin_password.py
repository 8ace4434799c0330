"""Signing in with a password: who comes in, and that a refusal tells nobody anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.people_home import Home, people_home

from tallystick.access.permissions import Permission


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with people_home(tmp_path) as opened:
        yield opened


def test_the_setup_link_makes_the_first_administrator_and_signs_her_in(home: Home) -> None:
    signed_in = home.set_up()
    caller = home.services.sessions.authenticate(signed_in.cookie, "192.0.2.1")
    assert caller.id.startswith("p-")
    assert caller.name == "Ana Silva"
    assert caller.aliases == {caller.id, "ana", "ana@example.org"}
    assert caller.rights.allows(Permission.PEOPLE_MANAGE, "")
    assert caller.rights.allows(Permission.EVENTS_READ, "")
