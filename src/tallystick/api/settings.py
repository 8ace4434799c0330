"""The settings of the installation: what each is, who set it, and changing them."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import Request, get, patch
from litestar.di import NamedDependency
from litestar.params import JSONBody

from tallystick.api.commands import BODY_PROBLEMS, COMMAND
from tallystick.api.openapi import PROBLEMS
from tallystick.api.services import Services, caller_of
from tallystick.errors import PermissionMissingError
from tallystick.settings import Held, SettingValueError


class SettingView(msgspec.Struct, frozen=True, kw_only=True):
    """One setting. `changed_index` is the event that set it; None where it has its default. Times are microseconds."""

    name: str
    title: str
    description: str
    kind: str
    unit: str
    value: int | str | bool | list[str]
    default: int | str | bool | list[str]
    changed_at: int | None = None
    changed_by: str | None = None
    changed_index: int | None = None


class SettingsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting, in a fixed order."""

    settings: list[SettingView]


class SettingsChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """New values by name of the setting; all are taken or none."""

    values: dict[str, int | str | bool | list[str]]


@get(
    "/api/v1/settings",
    sync_to_thread=True,
    opt={PROBLEMS: {403: PermissionMissingError.code}},
    summary="Settings",
    tags=["settings"],
)
def settings(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> SettingsAnswer:
    """Return every setting with its default and who changed it. Needs `settings.read`; the look is recorded."""
    return SettingsAnswer(
        settings=[view_setting(each) for each in services.settings.listed(caller_of(request, services))]
    )


@patch(
    "/api/v1/settings",
    opt={PROBLEMS: {403: PermissionMissingError.code, 422: SettingValueError.code, **BODY_PROBLEMS}},
    summary="Change settings",
    tags=["settings"],
    **COMMAND,
)
def change_settings(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[SettingsChange]
) -> SettingsAnswer:
    """Give settings new values, each recorded as `setting.changed`. Needs `settings.manage`."""
    caller = caller_of(request, services)
    services.settings.change(caller, data.values)
    return SettingsAnswer(settings=[view_setting(each) for each in services.settings.listed(caller)])


def view_setting(held: Held) -> SettingView:
    """Return a setting as it is shown."""
    kind = held.type
    return SettingView(
        name=kind.name,
        title=kind.title,
        description=kind.description,
        kind=kind.kind,
        unit=kind.unit,
        value=_plain(held.value),
        default=_plain(kind.default),
        changed_at=held.changed_at,
        changed_by=held.changed_by,
        changed_index=held.changed_index,
    )


def _plain(value: int | str | bool | tuple[str, ...]) -> int | str | bool | list[str]:
    return list(value) if isinstance(value, tuple) else value


SETTING_ROUTES: Final = (settings, change_settings)
