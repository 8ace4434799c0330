"""Settings as events: each change is one, the table follows, and replaying the log makes it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete
from tests.installation import Installation, installation

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.rights import Rights
from tallystick.access.setting_acts import setting_changed
from tallystick.clock import SystemClock
from tallystick.errors import ConflictError, PermissionMissingError
from tallystick.settings import SETTINGS, SettingsService, SettingUnknownError, SettingValueError
from tallystick.settings.service import SettingsPorts
from tallystick.store.tables.settings import SETTING

IDLE = "session.idle_minutes"
HOURS = "session.absolute_hours"


class StaleError(ConflictError):
    """Stands for the demand to sign in again."""

    code = "stale"


@dataclass
class Surroundings:
    """The rooms beside settings, as simple as they can be."""

    looks: list[tuple[str, str]] = field(default_factory=list)
    stale: bool = False
    objection: str | None = None

    def looked(self, caller: Any, what: str) -> None:
        self.looks.append((caller.id, what))

    def require_fresh(self, caller: Any) -> None:
        if self.stale:
            raise StaleError(f"{caller.id} signed in long ago")


@dataclass
class World:
    house: Installation
    around: Surroundings
    service: SettingsService


def who(*permissions: Permission, scope: str = "") -> Caller:
    rights = Rights.of((permission, scope) for permission in permissions)
    return Caller("p-1", "user", "Ana", rights, "192.0.2.1", "page", session="s-1")


READER = who(Permission.SETTINGS_READ)
MANAGER = who(Permission.SETTINGS_READ, Permission.SETTINGS_MANAGE)


def service_of(house: Installation, around: Surroundings) -> SettingsService:
    instance = house.instance
    ports = SettingsPorts(setting_changed, around.looked, around.require_fresh, lambda _name, _value: around.objection)
    return SettingsService(instance.projection, instance.commands, SystemClock().now_us, ports)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with installation(tmp_path) as house:
        around = Surroundings()
        yield World(house, around, service_of(house, around))


def test_a_setting_has_its_default_until_somebody_changes_it(world: World) -> None:
    held = {each.type.name: each for each in world.service.listed(READER)}
    assert list(held) == list(SETTINGS)
    assert held[IDLE].value == world.service.count(IDLE) == 30
    assert (held[IDLE].changed_at, held[IDLE].changed_by, held[IDLE].changed_index) == (None, None, None)


def test_a_change_is_an_event_with_old_and_new_value_as_facts(world: World) -> None:
    assert world.service.change(MANAGER, {IDLE: 15, HOURS: 12}) == [IDLE]
    held = next(each for each in world.service.listed(READER) if each.type.name == IDLE)
    assert (held.value, held.changed_by) == (15, "p-1")
    assert held.changed_index is not None
    row = world.house.get(f"/api/v1/events/{held.changed_index}").json()
    assert row["event"]["action"] == "setting.changed"
    assert row["event"]["metadata"] == {"setting": IDLE, "value": 15}
    assert row["event"]["changes"] == [{"field": IDLE, "old": 30, "new": 15}]
    assert row["message"] == f"Changed the setting {IDLE}"


def test_several_settings_change_together_or_not_at_all(world: World) -> None:
    with pytest.raises(SettingValueError) as refused:
        world.service.change(MANAGER, {IDLE: 15, HOURS: 1000})
    assert refused.value.pointer == f"/{HOURS}"
    assert world.service.get(IDLE) == 30
    with pytest.raises(SettingUnknownError):
        world.service.change(MANAGER, {IDLE: 15, "made.up": 1})
    assert world.service.get(IDLE) == 30


def test_nothing_is_written_when_nothing_changes(world: World) -> None:
    size = world.house.instance.ledger.status().acknowledged.size
    assert world.service.change(MANAGER, {IDLE: 30}) == []
    assert world.house.instance.ledger.status().acknowledged.size == size


def test_what_speaks_against_a_value_now_refuses_it(world: World) -> None:
    world.around.objection = "there is no other way to sign in"
    with pytest.raises(SettingValueError, match="no other way"):
        world.service.change(MANAGER, {IDLE: 15})


@pytest.mark.parametrize(
    "caller", [who(), who(Permission.HEALTH_READ), who(Permission.SETTINGS_READ, scope="acme")], ids=repr
)
def test_settings_are_seen_by_those_who_may_read_them_everywhere(world: World, caller: Caller) -> None:
    with pytest.raises(PermissionMissingError):
        world.service.listed(caller)
    assert world.around.looks == []


@pytest.mark.parametrize("caller", [READER, who(Permission.SETTINGS_MANAGE, scope="acme")], ids=["reader", "narrow"])
def test_settings_are_changed_by_those_who_may_manage_them_everywhere(world: World, caller: Caller) -> None:
    with pytest.raises(PermissionMissingError):
        world.service.change(caller, {IDLE: 15})
    assert world.service.get(IDLE) == 30


def test_a_change_needs_a_fresh_sign_in(world: World) -> None:
    world.around.stale = True
    with pytest.raises(StaleError):
        world.service.change(MANAGER, {IDLE: 15})
    assert world.service.get(IDLE) == 30


def test_a_look_is_recorded(world: World) -> None:
    world.service.listed(READER)
    assert world.around.looks == [("p-1", "settings")]


def test_replaying_the_log_makes_the_settings_again(world: World) -> None:
    world.service.change(MANAGER, {IDLE: 15, "organisation.name": "Acme"})
    world.service.change(MANAGER, {IDLE: 20})
    before = world.service.listed(READER)
    with world.house.instance.projection.engine.begin() as connection:
        connection.execute(delete(SETTING))
    world.house.instance.projection.rebuild()
    assert world.service.listed(READER) == before
    assert world.service.get(IDLE) == 20


def test_a_recorded_value_that_the_list_no_longer_allows_gives_way_to_the_default(world: World) -> None:
    world.service.change(MANAGER, {IDLE: 15})
    with world.house.instance.projection.engine.begin() as connection:
        connection.execute(SETTING.update().values(value='"soon"'))
    again = service_of(world.house, world.around)
    held = next(each for each in again.listed(READER) if each.type.name == IDLE)
    assert (held.value, held.changed_by) == (30, "p-1")
