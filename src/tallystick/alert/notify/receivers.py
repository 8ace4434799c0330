"""The verbs of receivers: who is told, by which way. Addresses and keys are in `secrets.db`; the log has their digest."""

from __future__ import annotations

import re
import secrets as randomness
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import Connection

from tallystick.access.acts import Target, act
from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.alert.notify import events
from tallystick.alert.notify.apprise_channel import check_apprise
from tallystick.alert.notify.errors import ReceiverInvalidError, ReceiverUnknownError, ReceiverUsedError
from tallystick.alert.notify.mail import is_address
from tallystick.alert.notify.message import test_message
from tallystick.alert.notify.model import (
    SECRET_KIND,
    Attempt,
    Notification,
    Receiver,
    ReceiverSettings,
    Sealed,
    Way,
)
from tallystick.alert.notify.ports import NotifyPorts
from tallystick.alert.notify.routing import NOBODY
from tallystick.alert.notify.rows import all_receivers, last_of_receivers, load_routing
from tallystick.alert.notify.sending import NotSentError
from tallystick.alert.notify.transport import Transport
from tallystick.counted import counted
from tallystick.errors import TallystickError
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.store.secrets import NONCE_BYTES, Secret, Secrets
from tallystick.stream.errors import DestinationInvalidError
from tallystick.stream.sender import Sender
from tallystick.stream.settings import check_headers, parse_url
from tallystick.stream.signing import new_secret

RECEIVERS_MAX: Final = 100
ADDRESSES_MAX: Final = 50
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}", re.ASCII)
_URL_CHARS_MAX: Final = 2048


@dataclass(frozen=True, slots=True)
class MadeReceiver:
    """A receiver that was set; `signing` is the new secret of a webhook, for the only time it is here, or None."""

    name: str
    signing: str | None


class ReceiverService:
    """The receivers of one installation; may be used from any thread."""

    def __init__(
        self,
        projection: Projection,
        commands: Commands,
        secrets: Secrets,
        transport: Transport,
        ports: NotifyPorts,
        changed: Callable[[], None],
    ) -> None:
        self._projection = projection
        self._commands = commands
        self._secrets = secrets
        self._transport = transport
        self._ports = ports
        self._changed = changed

    def list(self, caller: Caller) -> list[tuple[Receiver, Notification | None]]:
        """Return the receivers with the last notification of each. The look is recorded."""
        require(caller, Permission.ALERTS_READ)
        self._ports.looked(caller, "alert receivers")
        with self._projection.engine.connect() as connection:
            last = last_of_receivers(connection)
            return [(each, last.get(each.name)) for each in all_receivers(connection).values()]

    def get(self, caller: Caller, name: str) -> Receiver:
        """Return one receiver. Raises ReceiverUnknownError."""
        require(caller, Permission.ALERTS_READ)
        with self._projection.engine.connect() as connection:
            return _found(connection, name)

    def set(self, caller: Caller, settings: ReceiverSettings, *, new_signing: bool = False) -> MadeReceiver:
        """Set a receiver up, or put these settings in the place of its old ones; a webhook keeps its secret unless a new
        one is asked for or its address names another host.

        With `personal` it is told what alerts say of people, in the scopes in which the caller may read that herself and
        not only in an emergency. Raises ReceiverInvalidError, AddressRefusedError, PermissionMissingError, and what asks
        for a fresh sign-in.
        """
        require(caller, Permission.ALERTS_ROUTE, "")
        self._ports.require_fresh(caller)
        place = self._check(settings)
        made = self._new_signing(settings, place, asked=new_signing)
        record: list[Secret] = []
        replaced: list[str] = []

        def decide(connection: Connection) -> Sequence[Mapping[str, Any]]:
            before = all_receivers(connection)
            old = before.get(settings.name)
            if old is None and len(before) >= RECEIVERS_MAX:
                raise ReceiverInvalidError(f"there are {RECEIVERS_MAX} receivers already", pointer="/name")
            scopes: tuple[str, ...] = ()
            if settings.personal:
                scopes = self._ports.lasting(connection, caller).scopes(Permission.EVENTS_READ_PERSONAL)
                if not scopes:
                    require(caller, Permission.EVENTS_READ_PERSONAL)
                    raise ReceiverInvalidError("an emergency's rights are not handed on", pointer="/personal")
            sealed = self._sealed(settings, old, made)
            kept = _record(sealed)
            self._secrets.save(kept)  # a crash after this leaves a record that no event names
            record.append(kept)
            replaced[:] = [old.secret] if old else []
            metadata = {
                "receiver": settings.name,
                "way": settings.way.value,
                "place": place,
                "send_resolved": settings.send_resolved,
                "personal_scopes": [scope or "/" for scope in scopes],
                "header_names": sorted(settings.headers),
                "secret": kept.name,
                "digest": kept.digest,
            }
            address = ", ".join(settings.to) if settings.way is Way.EMAIL else place
            now = self._ports.now_us()
            return [events.receiver_set(caller, metadata, address, old.address if old else None, now)]

        try:
            self._commands.run(decide)
        except TallystickError:
            for each in record:
                self._secrets.delete(SECRET_KIND, each.name)
            raise
        for name in replaced:
            self._secrets.delete(SECRET_KIND, name)
        self._changed()
        return MadeReceiver(settings.name, made)

    def remove(self, caller: Caller, name: str) -> None:
        """Remove a receiver that no route names. Raises ReceiverUnknownError, ReceiverUsedError."""
        require(caller, Permission.ALERTS_ROUTE, "")
        self._ports.require_fresh(caller)
        gone: list[Receiver] = []

        def decide(connection: Connection) -> Sequence[Mapping[str, Any]]:
            found = _found(connection, name)
            if name in load_routing(connection)[1].receivers():
                raise ReceiverUsedError(f"routes lead to {name}")
            gone.append(found)
            target = Target("alert_receiver", name)
            return [act(caller, events.RECEIVER_REMOVED, target, {"receiver": name}, self._ports.now_us())]

        self._commands.run(decide)
        for each in gone:
            self._secrets.delete(SECRET_KIND, each.secret)
        self._changed()

    def test(self, caller: Caller, name: str) -> tuple[bool, Attempt]:
        """Send a message that is about no alert, and return whether it was taken, with the evidence; it is on record."""
        require(caller, Permission.ALERTS_ROUTE, "")
        receiver = self.get(caller, name)
        key = str(uuid.uuid4())
        started, delivered, code = self._ports.now_us(), True, 0
        try:
            sent = self._transport.send(receiver, test_message(name, key))
            code, said = sent.code, sent.said
        except NotSentError as error:
            delivered, code, said = False, error.code, error.said
        latency_ms = max(0, (self._ports.now_us() - started) // 1000)
        metadata = {"receiver": name, "key": key, "code": code, "latency_ms": latency_ms}
        target = Target("alert_receiver", name)
        outcome = "success" if delivered else "failure"
        event = act(caller, events.RECEIVER_TESTED, target, metadata, started, outcome=outcome, reason=said or None)
        self._commands.run(lambda _: [event])
        return delivered, Attempt(started, code, latency_ms, said)

    def _check(self, settings: ReceiverSettings) -> str:
        """Return what may be seen of where a receiver is; raises ReceiverInvalidError, AddressRefusedError."""
        if not _NAME.fullmatch(settings.name) or settings.name == NOBODY:
            raise ReceiverInvalidError("a name has small letters, digits, - _ and ., at most 63", pointer="/name")
        if settings.way is Way.EMAIL:
            return _check_mail(settings)
        if settings.to:
            raise ReceiverInvalidError("addresses of people are for mail", pointer="/to")
        if not settings.url or len(settings.url) > _URL_CHARS_MAX:
            raise ReceiverInvalidError("it needs an address", pointer="/url")
        if settings.way is Way.APPRISE:
            if settings.headers:
                raise ReceiverInvalidError("headers are for webhooks", pointer="/headers")
            return f"{check_apprise(settings.url)}://…"
        try:
            parts = parse_url(settings.url)
            check_headers(settings.headers)
        except DestinationInvalidError as error:
            raise ReceiverInvalidError(error.message, pointer=error.pointer) from None
        sender = Sender(settings.url, self._transport.networks)
        try:
            sender.check()
        finally:
            sender.close()
        hidden = "/…" if parts.path.strip("/") or parts.query else ""
        return f"{parts.scheme}://{parts.netloc}{hidden}"

    def _new_signing(self, settings: ReceiverSettings, place: str, *, asked: bool) -> str | None:
        """Return a new signing secret where one is needed: for a webhook that is new, moves, or was asked to."""
        if settings.way is not Way.WEBHOOK:
            return None
        with self._projection.engine.connect() as connection:
            old = all_receivers(connection).get(settings.name)
        kept = self._transport.unseal(old) if old is not None and old.way is Way.WEBHOOK else None
        stays = old is not None and urlsplit(old.place).netloc == urlsplit(place).netloc
        return None if kept is not None and stays and not asked else new_secret()

    def _sealed(self, settings: ReceiverSettings, old: Receiver | None, signing: str | None) -> Sealed:
        kept = self._transport.unseal(old) if signing is None and old is not None else None
        secret = signing or (kept.signing if kept is not None else "")
        return Sealed(settings.to, settings.url, dict(settings.headers), secret)


def _check_mail(settings: ReceiverSettings) -> str:
    if settings.url or settings.headers:
        raise ReceiverInvalidError("mail goes to addresses of people", pointer="/url")
    if not 1 <= len(settings.to) <= ADDRESSES_MAX or len(set(settings.to)) != len(settings.to):
        raise ReceiverInvalidError(f"mail needs 1 to {ADDRESSES_MAX} addresses, each once", pointer="/to")
    for at, address in enumerate(settings.to):
        if not is_address(address):
            raise ReceiverInvalidError("this is not an e-mail address", pointer=f"/to/{at}")
    count = len(settings.to)
    return counted(count, "address", "addresses")


def _record(sealed: Sealed) -> Secret:
    name = randomness.token_hex(8)
    return Secret(SECRET_KIND, name, randomness.token_bytes(NONCE_BYTES), msgspec.json.encode(sealed))


def _found(connection: Connection, name: str) -> Receiver:
    found = all_receivers(connection).get(name)
    if found is None:
        raise ReceiverUnknownError(f"there is no receiver {name[:64]!r}")
    return found
