"""Routes of the settings: seeing them, and changing one."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency

from tallystick.access.permissions import Permission
from tallystick.api.problem import Problem, problem_of
from tallystick.api.services import Services
from tallystick.api.settings import SettingView, view_setting
from tallystick.settings import SETTINGS, SettingValueError
from tallystick.settings.service import parse_settings
from tallystick.web.caller import person
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render

_NAME: Final = "setting"
_VALUE: Final = "value"


class SettingForm(msgspec.Struct, frozen=True, kw_only=True):
    """A setting, the text of its field, and why that text was refused, if it was."""

    setting: SettingView
    text: str
    by_default: str
    error: str = ""


class Configured(msgspec.Struct, frozen=True, kw_only=True):
    """What the server was started with; it changes only with a restart. `source` says where the value comes from."""

    name: str
    value: str
    meaning: str
    source: str


class SettingsPage(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting, and what is configured outside the log."""

    settings: tuple[SettingForm, ...]
    configured: tuple[Configured, ...]
    can_change: bool
    now: int


@get("/settings", sync_to_thread=True)
def settings_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[bytes]:
    """Return every setting with its default and who changed it. The look is recorded."""
    return _page(request, services)


@post("/settings", sync_to_thread=True, dependencies=FORM, opt={"fields": (_NAME, _VALUE)}, status_code=200)
def change_setting(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Response[bytes]:
    """Give one setting another value. The change is an event; it needs a fresh sign-in."""
    caller, name = person(request, services), form[_NAME]
    try:
        changed = services.settings.change(caller, parse_settings({name: form[_VALUE]}))
    except SettingValueError as error:
        return _page(request, services, typed={name: form[_VALUE]}, problem=problem_of(error))
    title = SETTINGS[name].title
    return see_other(request, "/settings", f"{title}: changed." if changed else f"{title}: it was so already.")


def _page(
    request: Request[Any, Any, Any],
    services: Services,
    *,
    typed: dict[str, str] | None = None,
    problem: Problem | None = None,
) -> Response[bytes]:
    caller = person(request, services)
    typed = typed or {}
    forms = tuple(
        SettingForm(
            setting=view_setting(held),
            text=typed.get(held.type.name, held.type.format(held.value)),
            by_default=held.type.format(held.type.default),
            error=problem.detail if problem is not None and held.type.name in typed else "",
        )
        for held in services.settings.listed(caller)
    )
    view = SettingsPage(
        settings=forms,
        configured=tuple(
            Configured(name=each.name, value=each.value, meaning=each.meaning, source=each.source)
            for each in services.configured
        ),
        can_change=caller.rights.allows(Permission.SETTINGS_MANAGE, ""),
        now=services.ledger.status().now,
    )
    status = 200 if problem is None else problem.status
    return render(request, services, "settings/page.html", view, title="Settings", status=status, problem=problem)
