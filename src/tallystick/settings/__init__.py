"""Settings that people change while the product runs: each change is an event, and each value says who set it and when.

The list is closed and typed; every setting on it acts. What belongs to one machine (addresses, directories, keys) is
not here but in the configuration of the server, which no one can change through a page.
"""

from tallystick.settings.errors import SettingUnknownError, SettingValueError
from tallystick.settings.model import SETTINGS, Held, SettingType, Value
from tallystick.settings.service import SettingsService

__all__ = ["SETTINGS", "Held", "SettingType", "SettingUnknownError", "SettingValueError", "SettingsService", "Value"]
