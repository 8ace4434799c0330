"""Puts the room together: routes, receivers, silences, and the notifier with its evidence."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tallystick.alert.notify.checks import notifications
from tallystick.alert.notify.evidence import EvidenceService
from tallystick.alert.notify.notifier import Notifier
from tallystick.alert.notify.outbox import Outbox
from tallystick.alert.notify.ports import NotifyPorts
from tallystick.alert.notify.receivers import ReceiverService
from tallystick.alert.notify.routes import RouteService
from tallystick.alert.notify.silences import SilenceService
from tallystick.alert.notify.transport import Transport
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.health.model import Check
from tallystick.store.secrets import Secrets


@dataclass(frozen=True, slots=True)
class NotifyRoom:
    """The services of this room."""

    routes: RouteService
    receivers: ReceiverService
    silences: SilenceService
    evidence: EvidenceService
    notifier: Notifier
    now_us: Callable[[], int]

    def running(self) -> AbstractContextManager[None]:
        """Return the context in which notifications are sent."""
        return self.notifier.running()

    def check(self) -> Check:
        """Return how notifications do, for the page of health."""
        return notifications(self.notifier.standing(), self.now_us())


@contextmanager
def open_notify(
    projection: Projection, commands: Commands, secrets: Secrets, data: Path, origin: str, ports: NotifyPorts
) -> Iterator[NotifyRoom]:
    """Yield the room; nothing is sent but while `running` lasts."""
    with contextlib.closing(Outbox(data, origin)) as outbox:
        transport = Transport(projection, secrets, ports)
        notifier = Notifier(projection, commands, outbox, origin, transport, ports)
        yield NotifyRoom(
            RouteService(projection, commands, ports, notifier.wake),
            ReceiverService(projection, commands, secrets, transport, ports, notifier.wake),
            SilenceService(projection, commands, ports, notifier.wake),
            EvidenceService(projection, commands, notifier, ports),
            notifier,
            ports.now_us,
        )
