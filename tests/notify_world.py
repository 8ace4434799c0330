"""An installation that tells real receivers of alerts: a process that takes requests, and an SMTP server."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session
from tests.installation import Installation, installation
from tests.stream_world import LOOPBACK, ReceiverProcess, free_port, receiving, wait_until

from tallystick.access.operator import OPERATOR
from tallystick.alert.notify.model import ReceiverSettings, Way
from tallystick.alert.notify.room import NotifyRoom
from tallystick.follow.alarm import Alarm

ADDRESSES = ("ops@example.org", "boss@example.org")


@dataclass
class NotifyWorld:
    """An installation with a receiver of webhooks beside it; the notifier runs, or is asked to by `tick`."""

    house: Installation
    receiver: ReceiverProcess
    raised: int = 0

    @property
    def room(self) -> NotifyRoom:
        return self.house.instance.services.notify

    def hook(self, name: str, way: str = "ok", **changes: Any) -> str:
        """Set a webhook receiver up, and return its signing secret."""
        settings = ReceiverSettings(name=name, way=Way.WEBHOOK, url=self.receiver.url(way), **changes)
        return str(self.room.receivers.set(OPERATOR, settings).signing)

    def routes(self, text: str) -> None:
        self.room.routes.set(OPERATOR, text)

    def alarm(
        self, *, severity: Any = "critical", scope: str = "acme/payments", kind: str = "rule-1", **more: Any
    ) -> str:
        """Raise one alarm, and return the id of its alert."""
        self.raised += 1
        told = {
            "key": f"key {self.raised}",
            "occasion": f"occasion {self.raised}",
            "title": f"Alert number {self.raised}",
            "sentence": f"ana@example.org did it {self.raised} times.",
            "at_us": self.house.instance.ledger.status().now,
            **more,
        }
        alarm = Alarm(kind=kind, scope=scope, severity=severity, **told)
        self.house.instance.services.alerts.book.raise_alarms([alarm])
        return self.alert(alarm.title)

    def alert(self, title: str) -> str:
        """Return the id of the newest alert of a title."""
        from sqlalchemy import select

        from tallystick.store.tables import ALERT

        query = select(ALERT.c.alert).where(ALERT.c.title == title).order_by(ALERT.c.opened_index.desc())
        with self.house.instance.projection.engine.connect() as connection:
            return str(connection.scalar(query.limit(1)))

    def close(self, alert: str) -> None:
        from tallystick.alert.book.model import Verdict

        self.house.instance.services.alerts.closing.close(OPERATOR, [alert], Verdict.FALSE_POSITIVE, "a false alarm")

    def told(self, way: str = "ok") -> list[dict[str, Any]]:
        """Return the notifications that arrived at a path, repeats and all, in order."""
        import json

        paths = [each for each in self.receiver.taken() if each["path"].partition("?")[0] == f"/{way}"]
        return [json.loads(each["body"]) for each in paths]

    def evidence(self, **about: Any) -> Any:
        return self.room.evidence.list(OPERATOR, **about)


@contextmanager
def notifying(root: Path, *, running: bool = True, **changes: Any) -> Iterator[NotifyWorld]:
    """Yield a world in which alerts are told of."""
    with (
        receiving(root / "receiver") as receiver,
        installation(root, **{"stream_networks": LOOPBACK, **changes}) as house,
    ):
        world = NotifyWorld(house, receiver)
        if not running:
            yield world
            return
        with world.room.running():
            yield world


@dataclass
class Mailbox:
    """What an SMTP server took; it refuses `refused` addresses, and everything while `code` is set."""

    refused: frozenset[str] = frozenset()
    code: int = 0
    mails: list[Envelope] = field(default_factory=list)
    secured: list[bool] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, _server: Any, _session: Session, envelope: Envelope, address: str, _options: Sequence[str]
    ) -> str:
        if address in self.refused:
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.code:
            return f"{self.code} not now"
        self.mails.append(envelope)
        self.secured.append(server.transport.get_extra_info("sslcontext") is not None)
        return "250 taken"

    def wait(self, count: int) -> list[Envelope]:
        wait_until(lambda: len(self.mails) >= count)
        return self.mails


@contextmanager
def smtp_server(
    mailbox: Mailbox,
    *,
    tls: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
    password: str | None = None,
    port: int = 0,
) -> Iterator[int]:
    """Yield the port of an SMTP server that runs; with a password nobody hands mail over without it."""

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and data.password == (password or "").encode()
        return AuthResult(success=good, handled=good)

    more: dict[str, Any] = {}
    if password is not None:
        more = {"authenticator": authenticate, "auth_required": True, "auth_require_tls": tls is None}
        more["auth_exclude_mechanism"] = ["LOGIN"]
    if starttls is not None:
        more |= {"tls_context": starttls, "require_starttls": True}
    controller = Controller(mailbox, hostname="127.0.0.1", port=port or free_port(), ssl_context=tls, **more)
    controller.start()
    try:
        yield int(controller.port)
    finally:
        controller.stop()
