"""The duties that stand on the log: detection, alerts, governance, retention, reviews, each with the ports that it names."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from tallystick.server.access import Access
from tallystick.server.ground import Ground
from tallystick.server.reading import Reading
from tallystick.server.registers import Registers


@dataclass(frozen=True, slots=True)
class Duties:
    """The rooms of the duties."""


def open_duties(ground: Ground, reading: Reading, access: Access, registers: Registers, held: ExitStack) -> Duties:
    """Return the rooms, entered into `held`."""
    return Duties()
