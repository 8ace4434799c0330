"""Refusals of settings; each names the setting that it is about."""

from __future__ import annotations

from tallystick.errors import InvalidInputError, NotFoundError


class SettingUnknownError(NotFoundError):
    """There is no setting of this name."""

    code = "setting-unknown"
    advice = "The settings page and GET /api/v1/settings list them all."


class SettingValueError(InvalidInputError):
    """A setting cannot have this value. `pointer` is a slash and the setting's name."""

    code = "setting-value-invalid"
    advice = "The settings page and `tallystick settings list` say what each setting can be."
