"""A notification as mail: plain text and HTML, every value escaped."""

from __future__ import annotations

from html import escape

from tallystick.alert.notify.message import Message, lines_of, readable, text_of
from tallystick.alert.notify.model import Tells


def mail_texts(message: Message) -> tuple[str, str]:
    """Return a message as plain text and as HTML."""
    parts = [f"<h1>{escape(readable(message.headline))}</h1>"]
    for alert in message.alerts:
        rows = "".join(
            f'<tr><th align="left" valign="top">{escape(name)}</th><td>{_cell(name, value)}</td></tr>'
            for name, value in lines_of(alert)
        )
        parts.append(f"<table>{rows}</table><hr>")
    if message.more:
        parts.append(f"<p>and {message.more:,} more</p>")
    if message.tells == Tells.TEST:
        parts.append("<p>Nothing happened: somebody asked whether notifications arrive here.</p>")
    parts.append(f"<p>Notification {escape(message.key)}</p>")
    head = '<!doctype html><html lang="en"><head><meta charset="utf-8"></head><body>'
    return text_of(message), f"{head}{''.join(parts)}</body></html>"


def _cell(name: str, value: str) -> str:
    """Return a value as HTML; only what this product made itself, or what is a web address, becomes a link."""
    if name in {"Page", "Proof", "Runbook"} and value.startswith(("https://", "http://")):
        return f'<a href="{escape(value)}">{escape(value)}</a>'
    return escape(value)
