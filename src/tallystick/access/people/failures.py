"""Sign-ins that failed, on record without giving an attacker a way to flood the record.

The first failure of an origin is an event at once; the others of the next ten minutes are one event with their number.
What was typed is never kept: people type passwords into the field for the name.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, Final

from tallystick.access.acts import Target, act
from tallystick.access.people.acting import STRANGER, acting, by_stranger
from tallystick.access.people.attempts import site_of
from tallystick.access.people.book import Book
from tallystick.access.people.model import Visit

WINDOW_US: Final = 600 * 1_000_000
WINDOWS_MAX: Final = 256
"""Origins at a time that have events of their own; all others share one window."""
PERSONS_MAX: Final = 20
_EVERYWHERE: Final = ""


@dataclass(slots=True)
class _Window:
    ends_at: int
    visit: Visit
    count: int = 0
    unknown: int = 0
    persons: list[str] = field(default_factory=list)


class FailureLog:
    """Records failed sign-ins; may be used from any thread."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._windows: dict[str, _Window] = {}
        self._lock = threading.Lock()

    def record(self, person: str | None, visit: Visit, method: str) -> None:
        """Write a failure down, or count it to the one that its origin's window began with."""
        now = self._book.now_us()
        site = site_of(visit.address)
        with self._lock:
            ended = self._pop_ended(now)
            if site not in self._windows and len(self._windows) >= WINDOWS_MAX:
                site, visit = _EVERYWHERE, Visit("")
            window = self._windows.get(site)
            if window is None:
                self._windows[site] = _Window(now + WINDOW_US, visit)
            else:
                _count(window, person)
        # Written down whether the account exists or not: both take the same time.
        self._append(ended, now)
        if window is None:
            event = _failed(visit, now, [person] if person else [], 1, 0 if person else 1, method)
            self._book.run(lambda _: [event])

    def flush(self) -> None:
        """Write down all counts; called at the end."""
        now = self._book.now_us()
        with self._lock:
            windows = list(self._windows.values())
            self._windows.clear()
        self._append(windows, now)

    def _pop_ended(self, now_us: int) -> list[_Window]:
        ended = [site for site, window in self._windows.items() if window.ends_at <= now_us]
        return [self._windows.pop(site) for site in ended]

    def _append(self, windows: list[_Window], now_us: int) -> None:
        events = [
            _failed(window.visit, now_us, window.persons, window.count, window.unknown, "several")
            for window in windows
            if window.count
        ]
        self._book.run(lambda _: events)


def _count(window: _Window, person: str | None) -> None:
    window.count += 1
    if person is None:
        window.unknown += 1
    elif person not in window.persons and len(window.persons) < PERSONS_MAX:
        window.persons.append(person)


def _failed(visit: Visit, now_us: int, persons: list[str], count: int, unknown: int, method: str) -> dict[str, Any]:
    target = Target("person", persons[0]) if len(persons) == 1 and not unknown else STRANGER
    metadata = {"persons": persons, "count": count, "unknown": unknown, "method": method}
    event = act(acting("anonymous", visit), "access.sign_in_failed", target, metadata, now_us, outcome="failure")
    if not visit.address:
        del event["context"]["ip"]
    return by_stranger(event)
