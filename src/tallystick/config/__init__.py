"""The settings of one installation: where it keeps things, where it listens, what it demands.

A setting comes from an option of the command, else from the environment, else from the configuration file (TOML), else
it has its default. `SETTINGS` is the one list of them; `docs/reference/settings.md` is made from it. What is misspelt
or makes no sense is refused with its place, before anything is opened.
"""

from tallystick.config.file import CONFIG_FILE, ConfigFileError
from tallystick.config.listing import CATALOGUE_FOLDER, SETTINGS, VARIABLES, Setting
from tallystick.config.model import (
    DEFAULT_HOST,
    DEFAULT_PORT,
    RESERVE_BYTES,
    DatabaseSetting,
    OidcSetting,
    Settings,
    SmtpSetting,
    UnsafeListenError,
    is_loopback,
)
from tallystick.config.read import configured_data, default_state, settings_for
from tallystick.config.values import SettingError, WitnessSetting, parse_public_url, parse_witness

__all__ = [
    "CATALOGUE_FOLDER",
    "CONFIG_FILE",
    "DEFAULT_HOST",
    "DEFAULT_PORT",
    "RESERVE_BYTES",
    "SETTINGS",
    "VARIABLES",
    "ConfigFileError",
    "DatabaseSetting",
    "OidcSetting",
    "Setting",
    "SettingError",
    "Settings",
    "SmtpSetting",
    "UnsafeListenError",
    "WitnessSetting",
    "configured_data",
    "default_state",
    "is_loopback",
    "parse_public_url",
    "parse_witness",
    "settings_for",
]
