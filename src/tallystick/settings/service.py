"""The verbs of settings: read one, list all, change some."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from tallystick.errors import PermissionMissingError
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.settings.errors import SettingUnknownError, SettingValueError
from tallystick.settings.model import SETTINGS, Held, SettingType, Value
from tallystick.settings.ports import Caller, Changed, Looked, Objection, RequireFresh
from tallystick.store.tables.settings import SETTING

READ: Final = "settings.read"
MANAGE: Final = "settings.manage"


@dataclass(frozen=True, slots=True)
class SettingsPorts:
    """What other rooms do for this one."""

    changed: Changed
    looked: Looked
    require_fresh: RequireFresh
    objection: Objection = lambda _name, _value: None


@dataclass(frozen=True, slots=True)
class _Known:
    """Every setting, as the table had it at one version."""

    version: int
    held: Mapping[str, Held]


class SettingsService:
    """The settings of one installation; may be used from any thread. Kept in memory until the tables change.

    `now_us` is the time that decisions count from: never before the log's newest event.
    """

    def __init__(
        self,
        projection: Projection,
        commands: Commands,
        now_us: Callable[[], int],
        ports: SettingsPorts,
    ) -> None:
        self._projection = projection
        self._commands = commands
        self._now_us = now_us
        self._ports = ports
        self._known: _Known | None = None  # replaced, never changed

    def get(self, name: str) -> Value:
        """Return what a setting is now, for the rooms that act by it; costs no query until something changes."""
        return self._current()[name].value

    def count(self, name: str) -> int:
        """Return a setting that counts."""
        value = self.get(name)
        assert type(value) is int, f"{name} is not a count"
        return value

    def switch(self, name: str) -> bool:
        """Return a setting that is on or off."""
        value = self.get(name)
        assert type(value) is bool, f"{name} is not a switch"
        return value

    def names(self, name: str) -> tuple[str, ...]:
        """Return a setting that lists names."""
        value = self.get(name)
        assert type(value) is tuple, f"{name} is not a list of names"
        return value

    def listed(self, caller: Caller) -> list[Held]:
        """Return every setting, in the order of the list; the look is recorded."""
        _require(caller, READ)
        self._ports.looked(caller, "settings")
        return list(self._current().values())

    def change(self, caller: Caller, wanted: Mapping[str, object]) -> list[str]:
        """Give settings new values, all of them or none, and return the names of those that changed.

        Raises PermissionMissingError, SettingUnknownError, SettingValueError, and what asks for a fresh sign-in.
        """
        _require(caller, MANAGE)
        self._ports.require_fresh(caller)
        values = {name: _type_of(name).check(value) for name, value in wanted.items()}
        changed: list[str] = []

        def decide(connection: Connection) -> list[Mapping[str, Any]]:
            now = self._now_us()
            held = _load(connection)
            changed[:] = [name for name, value in values.items() if held[name].value != value]
            for name in changed:
                objection = self._ports.objection(name, values[name])
                if objection:
                    raise SETTINGS[name].refuse(objection)
            return [self._ports.changed(caller, name, held[name].value, values[name], now) for name in changed]

        self._commands.run(decide)
        return changed

    def _current(self) -> Mapping[str, Held]:
        # The version is read before the table: what is kept may be older than it says, never newer.
        known, version = self._known, self._projection.version
        if known is None or known.version != version:
            with self._projection.engine.connect() as connection:
                known = self._known = _Known(version, _load(connection))
        return known.held


def parse_settings(texts: Mapping[str, str]) -> dict[str, Value]:
    """Return the values that a form's texts say; raises SettingUnknownError, SettingValueError."""
    return {name: _type_of(name).parse(text) for name, text in texts.items()}


def _load(connection: Connection) -> dict[str, Held]:
    rows = {row.name: row for row in connection.execute(select(SETTING))}
    return {name: _held(kind, rows.get(name)) for name, kind in SETTINGS.items()}


def _held(kind: SettingType, row: Any) -> Held:
    """Return a setting; one whose recorded value its list no longer allows has its default, and still says who set it."""
    if row is None:
        return Held(kind, kind.default)
    try:
        value = kind.check(json.loads(row.value))
    except SettingValueError:
        value = kind.default
    return Held(kind, value, row.changed_at, row.changed_by, row.changed_index)


def _type_of(name: str) -> SettingType:
    if name not in SETTINGS:
        raise SettingUnknownError(f"there is no setting {name[:64]!r}")
    return SETTINGS[name]


def _require(caller: Caller, permission: str) -> None:
    """Settings are of the whole installation, so the permission must hold everywhere."""
    if not caller.rights.allows(permission, ""):
        raise PermissionMissingError(f"this needs the permission {permission} for /")
