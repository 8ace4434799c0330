"""What became of notifications: delivered, waiting, given up, held back; and trying again by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from tallystick.access.acts import Target, act
from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.alert.notify import events
from tallystick.alert.notify.errors import NotificationStateError, NotificationUnknownError
from tallystick.alert.notify.model import Delivery, HeldBack, Notification
from tallystick.alert.notify.notifier import Notifier, Standing
from tallystick.alert.notify.ports import NotifyPorts
from tallystick.alert.notify.rows import held_back, notifications
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection

SHOWN: Final = 200
_READ: Final = 2000


@dataclass(frozen=True, slots=True)
class Evidence:
    """The newest of each, the newest first; `dead` and `waiting` the oldest first."""

    settled: tuple[Notification, ...]
    waiting: tuple[Delivery, ...]
    dead: tuple[Delivery, ...]
    held: tuple[HeldBack, ...]


class EvidenceService:
    """What the log and the outbox say of notifications, as far as the caller may see the alerts."""

    def __init__(self, projection: Projection, commands: Commands, notifier: Notifier, ports: NotifyPorts) -> None:
        self._projection = projection
        self._commands = commands
        self._notifier = notifier
        self._ports = ports

    def list(self, caller: Caller, *, alert: str | None = None) -> Evidence:
        """Return what became of notifications, of one alert where it is given. The look is recorded."""
        require(caller, Permission.ALERTS_READ)
        self._ports.looked(caller, "notifications")

        def sees(scope: str) -> bool:
            return caller.rights.allows(Permission.ALERTS_READ, scope)

        def about(delivery: Delivery) -> bool:
            return sees(delivery.scope) and (alert is None or alert in {*delivery.firing, *delivery.resolved})

        with self._projection.engine.connect() as connection:
            settled = [each for each in notifications(connection, _READ, alert=alert) if sees(each.scope)]
            held = [each for each in held_back(connection, _READ, alert=alert) if sees(each.scope)]
        outbox = self._notifier.outbox
        return Evidence(
            settled=tuple(settled[:SHOWN]),
            waiting=tuple([each for each in outbox.waiting() if about(each)][:SHOWN]),
            dead=tuple([each for each in outbox.dead() if about(each)][:SHOWN]),
            held=tuple(held[:SHOWN]),
        )

    def standing(self) -> Standing:
        """Return how notifications do; for figures, which are no look."""
        return self._notifier.standing()

    def retry(self, caller: Caller, key: str) -> None:
        """Send what was given up again, with the key that it had; it is on record.

        Raises NotificationUnknownError, NotificationStateError, PermissionMissingError.
        """
        require(caller, Permission.ALERTS_READ)
        outbox = self._notifier.outbox
        found = outbox.find(key[:64])
        if found is None or not caller.rights.allows(Permission.ALERTS_READ, found.scope):
            raise NotificationUnknownError(f"there is no notification {key[:64]!r} that waits or was given up")
        require(caller, Permission.ALERTS_ROUTE, found.scope)
        if found.state != "dead" or not found.recorded:
            raise NotificationStateError("this notification was not given up")
        target = Target("notification", found.key)
        facts = {"key": found.key, "receiver": found.receiver}
        event = act(caller, events.NOTIFICATION_RETRIED, target, facts, self._ports.now_us(), scope=found.scope)
        self._commands.run(lambda _: [event])
        # A crash here leaves it given up: whoever asked sees that, and asks again.
        outbox.put(msgspec.structs.replace(found, state="waiting", tries=0, due_at=0, round=found.round + 1))
        self._notifier.wake()
