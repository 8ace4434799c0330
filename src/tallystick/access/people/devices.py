"""The cookie by which a browser shows that it has signed a person in before, and what browsers call themselves."""

from __future__ import annotations

import hmac
import secrets as randomness
from typing import Final

from tallystick.access.people.book import Book

AGENT_CHARS_MAX: Final = 300
_DEVICE_BYTES: Final = 16
_BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def new_device(book: Book, person: str) -> str:
    """Return a cookie that marks a browser as one that this person has signed in from."""
    device = randomness.token_urlsafe(_DEVICE_BYTES)
    return f"{device}.{book.mark('device', person, device)}"


def known_device(book: Book, person: str, cookie: str) -> str | None:
    """Return which device of this person a cookie names, or None for any that we did not make for her."""
    device, _, mark = cookie.partition(".")
    expected = book.mark("device", person, device)
    return device if hmac.compare_digest(mark.encode(errors="replace"), expected.encode()) else None


def in_words(agent: str) -> str:
    """Return a browser's description of itself in two or three words."""
    browser = next((name for part, name in _BROWSERS if part in agent), "")
    system = next((name for part, name in _SYSTEMS if part in agent), "")
    words = f"{browser} on {system}" if browser and system else browser or system
    return words or "An unknown program"
