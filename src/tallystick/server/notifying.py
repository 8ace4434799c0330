"""The notifications of alerts with what they need of the others."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import partial

from tallystick.alert.notify.mail import MailServer
from tallystick.alert.notify.ports import NotifyPorts
from tallystick.alert.notify.room import NotifyRoom, open_notify
from tallystick.alert.ports import RuleCard
from tallystick.config import Settings
from tallystick.follow.alarm import RaiseAlarms
from tallystick.server.access import Access
from tallystick.server.ground import Ground
from tallystick.server.reading import Reading


def open_notify_room(
    ground: Ground, reading: Reading, access: Access, raise_alarms: RaiseAlarms, card: RuleCard
) -> AbstractContextManager[NotifyRoom]:
    """Return the room, to be entered; `card` may be asked from then on."""
    ports = NotifyPorts(
        raise_alarms=raise_alarms,
        card=card,
        looked=reading.recorder.looked,
        require_fresh=access.require_fresh,
        lasting=access.grants.lasting,
        now_us=ground.book.now_us,
        networks=ground.settings.stream_networks,
        mail=mail_server(ground.settings),
        public_url=ground.settings.public_url,
        silence_hours_max=partial(access.settings.count, "alerts.silence_hours_max"),
    )
    return open_notify(
        ground.projection, ground.commands, ground.secrets, ground.settings.data, ground.ledger.origin, ports
    )


def mail_server(settings: Settings) -> MailServer | None:
    """Return where mail is handed over; None where none is configured."""
    told = settings.smtp
    if told is None:
        return None
    return MailServer(told.host, told.port, told.security, told.sender, told.username, told.password)
