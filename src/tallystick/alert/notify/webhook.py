"""A signed request to a receiver, as Standard Webhooks has them; `webhook-id` is the key of the notification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tallystick.alert.notify.message import Message
from tallystick.alert.notify.model import US, Sealed
from tallystick.alert.notify.sending import NotSentError, Sent
from tallystick.event.occurred import time_of_us
from tallystick.stream.address import Network
from tallystick.stream.errors import AddressRefusedError, SendFailedError
from tallystick.stream.patience import REFUSING
from tallystick.stream.sender import Sender
from tallystick.stream.signing import sign


def post_message(message: Message, sealed: Sealed, networks: Sequence[Network], now_us: int) -> Sent:
    """Post a message, and return once it was taken. Raises NotSentError."""
    content = {"type": f"alert.{message.tells}", "timestamp": time_of_us(now_us), "data": message}
    body = msgspec.json.encode(content)
    headers: Mapping[str, str] = {**sign([sealed.signing], message.key, now_us // US, body), **sealed.headers}
    sender = Sender(sealed.url, networks)
    try:
        answer = sender.post(body, headers)
    except AddressRefusedError as error:
        raise NotSentError(error.message, lasting=True) from None
    except SendFailedError as error:
        raise NotSentError(error.message) from None
    finally:
        sender.close()
    if 200 <= answer.status < 300:
        return Sent(answer.status)
    said = "a redirect, which is not followed" if 300 <= answer.status < 400 else "it was not taken"
    raise NotSentError(said, code=answer.status, lasting=answer.status in REFUSING)
