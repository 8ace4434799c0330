"""What a notification says: the same for every channel. Personal data only where the receiver may have it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from tallystick.alert.notify.model import CLOSED, Delivery, Receiver, Tells
from tallystick.alert.ports import Card, RuleCard
from tallystick.event.identifier import is_within
from tallystick.event.occurred import time_of_us
from tallystick.event.visible import show

SHOWN_MAX: Final = 50
TITLE_CHARS_MAX: Final = 160
_GRAVE: Final = ("informational", "low", "medium", "high", "critical")


class MessageAlert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert; what is not known, or not for this receiver, is None."""

    id: str
    title: str
    severity: str
    scope: str
    kind: str
    state: str
    verdict: str | None
    count: int
    opened_at: str
    sentence: str | None
    threshold: str | None
    response: str | None
    runbook: str | None
    rule_author: str | None
    url: str | None
    proof_url: str | None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A notification: `key` is the same when it is sent again; `more` counts alerts that are not listed."""

    key: str
    tells: str
    receiver: str
    number: int
    headline: str
    alerts: tuple[MessageAlert, ...]
    more: int


def make_message(
    delivery: Delivery, rows: Sequence[Any], receiver: Receiver, card: RuleCard, public_url: str | None
) -> Message:
    """Return what is to be said about alerts, given as rows of their table."""
    shown = sorted(rows, key=lambda row: (row.state == CLOSED, -_GRAVE.index(row.severity), row.opened_index))
    alerts = tuple(_alert(row, receiver, card(row.kind, row.version), public_url) for row in shown[:SHOWN_MAX])
    return Message(
        key=delivery.key,
        tells=delivery.tells.value,
        receiver=receiver.name,
        number=delivery.number,
        headline=_headline(delivery, alerts, len(rows)),
        alerts=alerts,
        more=len(rows) - len(alerts),
    )


def test_message(receiver: str, key: str) -> Message:
    """Return the message of a test: it is about no alert."""
    return Message(
        key=key,
        tells=Tells.TEST.value,
        receiver=receiver,
        number=0,
        headline=f"Test of the receiver {receiver}",
        alerts=(),
        more=0,
    )


def text_of(message: Message) -> str:
    """Return a message as plain text."""
    parts = [message.headline]
    parts += ["\n".join(f"{name}: {value}" for name, value in lines_of(alert)) for alert in message.alerts]
    if message.more:
        parts.append(f"and {message.more:,} more")
    if message.tells == Tells.TEST:
        parts.append("Nothing happened: somebody asked whether notifications arrive here.")
    return "\n\n".join([*parts, f"Notification {message.key}"]) + "\n"


def lines_of(alert: MessageAlert) -> list[tuple[str, str]]:
    """Return what there is to say about an alert, as names and values in the order in which they are read."""
    found = [
        ("Alert", f"{alert.title} ({alert.id})"),
        ("Severity", alert.severity),
        ("Scope", alert.scope),
        ("State", _state(alert)),
        ("What", alert.sentence),
        ("Count", f"{alert.count:,}"),
        ("Since", alert.opened_at),
        ("Threshold", alert.threshold),
        ("To do", alert.response),
        ("Runbook", alert.runbook),
        ("Rule by", alert.rule_author),
        ("Page", alert.url),
        ("Proof", alert.proof_url),
    ]
    return [(name, readable(value)) for name, value in found if value]


def _state(alert: MessageAlert) -> str:
    verdict = f", {alert.verdict}" if alert.state == CLOSED and alert.verdict else ""
    return f"{alert.state}{verdict}".replace("_", " ")


def readable(text: str) -> str:
    """Return a text on one line, with what cannot be seen made visible."""
    return show(" ".join(text.split()), 4000)


def _alert(row: Any, receiver: Receiver, card: Card | None, public_url: str | None) -> MessageAlert:
    personal = any(is_within(row.scope, scope) for scope in receiver.personal_scopes)
    base = public_url.rstrip("/") if public_url else None
    return MessageAlert(
        id=row.alert,
        title=row.title,
        severity=row.severity,
        scope=row.scope,
        kind=row.kind,
        state=row.state,
        verdict=row.verdict,
        count=row.count,
        opened_at=time_of_us(row.opened_at),
        sentence=row.sentence if personal else None,
        threshold=(card.threshold or None) if card else None,
        response=(card.response or None) if card else None,
        runbook=(card.runbook or None) if card else None,
        rule_author=_credit(card) if card else None,
        url=f"{base}/alerts/{row.alert}" if base else None,
        proof_url=f"{base}/events/{row.opened_index}" if base else None,
    )


def _credit(card: Card) -> str | None:
    """Return who wrote a rule, with its licence, where that is known."""
    return " ".join(filter(None, (card.author, f"({card.licence})" if card.licence else ""))) or None


def _headline(delivery: Delivery, alerts: Sequence[MessageAlert], count: int) -> str:
    if not alerts:
        return "The alerts of this notification are gone"
    first = alerts[0]
    word = {
        Tells.FIRING: "",
        Tells.RESOLVED: "closed: ",
        Tells.REPEAT: "still open: ",
        Tells.ESCALATION: "nobody answered: ",
    }.get(delivery.tells, "")
    others = f" and {count - 1:,} more" if count > 1 else ""
    title = show(" ".join(first.title.split()), TITLE_CHARS_MAX)
    return f"[{first.severity}] {word}{title} in {show(first.scope, 120)}{others}"
