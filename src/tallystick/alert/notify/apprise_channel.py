"""Slack, Teams, PagerDuty and others through Apprise, which makes its own requests.

What can be guarded is: only services of this list, TLS certificates checked, redirects not followed, and where the address
names a host of its own, that name is looked up just before and must not lead into the house. Apprise looks it up again
itself: a name that changes its meaning in between is not caught here, so a firewall should stand before private networks.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any, Final

from tallystick.alert.notify.errors import ReceiverInvalidError
from tallystick.alert.notify.message import Message, text_of
from tallystick.alert.notify.model import Tells
from tallystick.alert.notify.sending import NotSentError, Sent
from tallystick.stream.address import Network, check_address
from tallystick.stream.errors import AddressRefusedError

OWN_HOST: Final = frozenset(
    {"slack", "pagerduty", "opsgenie", "discord", "tgram", "gchat", "wxteams", "pover", "splunk", "signl4"}
)
"""Services whose address names no host: it is the service's own."""
GIVEN_HOST: Final = frozenset(
    {"workflows", "msteams", "jsons", "json", "mmosts", "rockets", "ntfys", "matrixs", "zulip"}
)
"""Services whose address names the host, or may; `json` is plain http and goes to networks that an operator allows only."""
_PLAIN: Final = frozenset({"json"})


def check_apprise(url: str) -> str:
    """Return the service of an address; raises ReceiverInvalidError, repeating nothing of it."""
    scheme = url.partition("://")[0].lower()
    if scheme not in OWN_HOST | GIVEN_HOST:
        known = ", ".join(sorted(OWN_HOST | GIVEN_HOST))
        raise ReceiverInvalidError(f"the address begins with one of {known}", pointer="/url")
    service = _service(url)
    if service is None:
        raise ReceiverInvalidError(f"this is no address of {scheme} as Apprise reads them", pointer="/url")
    if not service.verify_certificate:
        raise ReceiverInvalidError("certificates are always checked: take verify out of the address", pointer="/url")
    return scheme


def send_by_apprise(message: Message, url: str, networks: Sequence[Network]) -> Sent:
    """Send a message through Apprise, which does not tell the code of the answer. Raises NotSentError."""
    from apprise import NotifyType

    service = _service(url)
    if service is None:
        raise NotSentError("the address is none that Apprise reads", lasting=True)
    service.redirects = False
    service.discovery = False  # of Matrix: its host would name another one, which nobody looks at
    scheme = url.partition("://")[0].lower()
    if scheme in GIVEN_HOST:
        _check_host(service, networks, plain=scheme in _PLAIN)
    kind = NotifyType.SUCCESS if message.tells == Tells.RESOLVED else NotifyType.WARNING
    if message.tells == Tells.TEST:
        kind = NotifyType.INFO
    try:
        taken = service.notify(body=text_of(message), title=message.headline, notify_type=kind)
    except (OSError, TypeError, ValueError) as error:
        raise NotSentError(f"Apprise failed: {type(error).__name__}") from None
    if not taken:
        raise NotSentError("the service did not take it, says Apprise")
    return Sent(0, "taken, says Apprise")


def _check_host(service: Any, networks: Sequence[Network], *, plain: bool) -> None:
    try:
        found = socket.getaddrinfo(_host_of(service), service.port or 443, type=socket.SOCK_STREAM)
        allowed = [check_address(str(each[4][0]), networks) for each in found]
    except AddressRefusedError as error:
        raise NotSentError(error.message, lasting=True) from None
    except OSError:
        raise NotSentError("the name of the host is not found") from None
    if plain and not all(allowed):
        raise NotSentError("plain http goes to networks that an operator allows only", lasting=True)


def _host_of(service: Any) -> str:
    """Return the host that a service will be asked at."""
    from apprise.plugins.zulip import NotifyZulip

    if isinstance(
        service, NotifyZulip
    ):  # its address names an organisation, and of its own servers the rest of the host
        return f"{service.organization}.{service.hostname}"
    return str(service.host)


def _service(url: str) -> Any:
    from apprise import Apprise, AppriseAsset
    from apprise.common import PersistentStoreMode

    asset = AppriseAsset(
        app_id="Tallystick", storage_mode=PersistentStoreMode.MEMORY, secure_logging=True, async_mode=False
    )
    return Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
