"""The duties that stand on the log: detection, alerts, governance, retention, reviews, each with the ports that it names."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from tallystick.alert.room import AlertRoom
from tallystick.govern import GovernRoom, open_govern
from tallystick.govern.ports import GovernPorts
from tallystick.review import ReviewRoom
from tallystick.server.access import Access
from tallystick.server.alerting import open_alert_room
from tallystick.server.ground import Ground
from tallystick.server.reading import Reading
from tallystick.server.registers import Registers
from tallystick.server.reviewing import open_review_room


@dataclass(frozen=True, slots=True)
class Duties:
    """The rooms of the duties."""

    alerts: AlertRoom
    systems: GovernRoom
    reviews: ReviewRoom


def open_duties(ground: Ground, reading: Reading, access: Access, registers: Registers, held: ExitStack) -> Duties:
    """Return the rooms, entered into `held`."""
    projection, commands, now = ground.projection, ground.commands, ground.book.now_us
    alerts = held.enter_context(open_alert_room(ground, reading, access, lambda _kind, _version: None))
    govern = GovernPorts(reading.recorder.looked, alerts.book.raise_alarms, now, access.settings.count)
    systems = held.enter_context(open_govern(projection, commands, ground.settings.data, ground.ledger.origin, govern))
    reviews = open_review_room(ground, reading, access, alerts.book.raise_alarms, systems.exceptions)
    return Duties(alerts, systems, held.enter_context(reviews))
