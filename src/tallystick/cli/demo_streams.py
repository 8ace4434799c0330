"""A destination for the demo organisation: set up, and paused, so that nothing leaves this machine."""

from __future__ import annotations

from tallystick.access.operator import OPERATOR
from tallystick.server import Instance
from tallystick.stream.model import Settings

ADDRESS = "https://siem.wrenfield.example/events"


def make_stream(instance: Instance) -> None:
    """Set up a destination for releases, and pause it."""
    streams = instance.services.streams
    made = streams.create(OPERATOR, Settings(name="SIEM", url=ADDRESS, query="action:release.*", batch=100))
    streams.pause(OPERATOR, made.id)
