"""Puts everything together for one data directory; the only room that knows every other."""

from tallystick.config import settings_for
from tallystick.server.ground import open_or_create, segments_of
from tallystick.server.instance import Instance, open_instance

__all__ = ["Instance", "open_instance", "open_or_create", "segments_of", "settings_for"]
