"""How the events of this room change its tables."""

from __future__ import annotations

from collections.abc import Mapping

from tallystick.follow.projection import Handler
from tallystick.govern.exceptions import handlers as exceptions
from tallystick.govern.systems import handlers as systems

HANDLERS: Mapping[tuple[str, int], Handler] = {**exceptions.HANDLERS, **systems.HANDLERS}
