"""One delivery to its receiver, by the way that the receiver has."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tallystick.alert.notify.apprise_channel import send_by_apprise
from tallystick.alert.notify.mail import send_mail
from tallystick.alert.notify.mail_text import mail_texts
from tallystick.alert.notify.message import Message, make_message
from tallystick.alert.notify.model import SECRET_KIND, Delivery, Receiver, Sealed, Way
from tallystick.alert.notify.ports import NotifyPorts
from tallystick.alert.notify.rows import alert_texts, all_receivers
from tallystick.alert.notify.sending import NotSentError, Sent
from tallystick.alert.notify.webhook import post_message
from tallystick.follow.projection import Projection
from tallystick.store.secrets import Secrets
from tallystick.stream.address import Network, parse_networks


class Transport:
    """Sends; may be used from any thread. What is sent is read from the tables each time anew: what was erased is gone."""

    def __init__(self, projection: Projection, secrets: Secrets, ports: NotifyPorts) -> None:
        self._projection = projection
        self._secrets = secrets
        self._ports = ports
        self.networks: Sequence[Network] = parse_networks(ports.networks)

    def deliver(self, delivery: Delivery) -> Sent:
        """Send a delivery; raises NotSentError."""
        with self._projection.engine.connect() as connection:
            receiver = all_receivers(connection).get(delivery.receiver)
            rows = alert_texts(connection, [*delivery.firing, *delivery.resolved])
        if receiver is None:
            raise NotSentError("there is no such receiver any more", lasting=True)
        message = make_message(delivery, rows, receiver, self._ports.card, self._ports.public_url)
        return self.send(receiver, message)

    def send(self, receiver: Receiver, message: Message) -> Sent:
        """Send a message; raises NotSentError."""
        sealed = self.unseal(receiver)
        if sealed is None:
            raise NotSentError("its address is missing from secrets.db, or is not the one that the log names")
        match receiver.way:
            case Way.WEBHOOK:
                return post_message(message, sealed, self.networks, self._ports.now_us())
            case Way.APPRISE:
                return send_by_apprise(message, sealed.url, self.networks)
            case Way.EMAIL:
                if self._ports.mail is None:
                    raise NotSentError("no mail server is configured", lasting=True)
                text, html = mail_texts(message)
                return send_mail(self._ports.mail, sealed.to, message.headline, text, html, message.key)

    def unseal(self, receiver: Receiver) -> Sealed | None:
        """Return the secrets of a receiver; None unless they are those that the log names."""
        record = self._secrets.find(SECRET_KIND, receiver.secret)
        if record is None or record.digest != receiver.digest:
            return None
        return msgspec.json.decode(record.record, type=Sealed)
