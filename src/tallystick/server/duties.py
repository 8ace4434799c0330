"""The duties that stand on the log: detection, alerts, governance, retention, reviews, each with the ports that it names."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from tallystick.alert.notify.room import NotifyRoom
from tallystick.alert.room import AlertRoom
from tallystick.detect.engine import Engine
from tallystick.detect.room import RuleRoom
from tallystick.govern import GovernRoom
from tallystick.intake.workers import AdmissionWorkers
from tallystick.retain import RetentionRoom
from tallystick.review import ReviewRoom
from tallystick.server.access import Access
from tallystick.server.alerting import open_alert_room
from tallystick.server.detecting import card_of, open_rule_room
from tallystick.server.governing import open_govern_room
from tallystick.server.ground import Ground
from tallystick.server.notifying import open_notify_room
from tallystick.server.reading import Reading
from tallystick.server.retaining import open_retention_room
from tallystick.server.reviewing import open_review_room
from tallystick.server.watching import open_engine
from tallystick.work.room import WorkRoom


@dataclass(frozen=True, slots=True)
class Duties:
    """The rooms of the duties."""

    detection: Engine
    rules: RuleRoom
    alerts: AlertRoom
    systems: GovernRoom
    reviews: ReviewRoom
    notify: NotifyRoom
    retention: RetentionRoom


def open_duties(
    ground: Ground,
    reading: Reading,
    access: Access,
    work: WorkRoom,
    workers: AdmissionWorkers | None,
    held: ExitStack,
) -> Duties:
    """Return the rooms, entered into `held`."""
    watching: list[Engine] = []
    rules = open_rule_room(ground, reading, lambda: watching[0].figures() if watching else {})
    card = partial(card_of, rules)
    alerts = held.enter_context(open_alert_room(ground, reading, access, card))
    systems = held.enter_context(open_govern_room(ground, reading, access, alerts.book.raise_alarms))
    watching.append(open_engine(ground, rules, systems.exceptions, alerts.book.raise_alarms, held))
    reviews = open_review_room(ground, reading, access, alerts.book.raise_alarms, systems.exceptions)
    notify = open_notify_room(ground, reading, access, alerts.book.raise_alarms, card)
    retention = open_retention_room(
        ground, reading, access, alerts.book.raise_alarms, systems.exceptions, work, workers, watching[0].at_rest
    )
    return Duties(
        watching[0],
        rules,
        alerts,
        systems,
        held.enter_context(reviews),
        held.enter_context(notify),
        held.enter_context(retention),
    )
