"""Which lock is taken while another is held: where that goes round in a circle, two threads can wait for each other for ever.

A lock is known by the line that made it. What was seen holds for every run: a circle is found also where no two threads
happened to meet in it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import pytest

PACKAGE = "tallystick"


@dataclass
class LockOrder:
    """Pairs of places: a lock made at the first was held while one made at the second was taken."""

    pairs: set[tuple[str, str]] = field(default_factory=set)
    held: threading.local = field(default_factory=threading.local)

    def taken(self, lock: Watched) -> None:
        held: list[Watched] = self.held.__dict__.setdefault("locks", [])
        self.pairs.update((each.place, lock.place) for each in held if each is not lock)
        held.append(lock)

    def left(self, lock: Watched) -> None:
        held: list[Watched] = self.held.__dict__.get("locks", [])
        for at in reversed(range(len(held))):
            if held[at] is lock:
                del held[at]
                break

    def circles(self) -> list[tuple[str, str]]:
        """Return the pairs from whose second place a way leads back to the first."""
        return sorted(pair for pair in self.pairs if pair[0] in self._reached(pair[1]))

    def _reached(self, place: str) -> set[str]:
        found, new = set(), {place}
        while new:
            found |= new
            new = {after for before, after in self.pairs if before in new} - found
        return found


class Watched:
    """A lock that tells when it is taken and left; everything else is the real one's."""

    def __init__(self, lock: Any, place: str, order: LockOrder) -> None:
        self._lock, self.place, self._order = lock, place, order

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        taken: bool = self._lock.acquire(blocking, timeout)
        if taken:
            self._order.taken(self)
        return taken

    def release(self) -> None:
        self._lock.release()
        self._order.left(self)

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lock, name)


@contextmanager
def watched_locks() -> Iterator[LockOrder]:
    """Watch all locks that our own code makes while this lasts."""
    order = LockOrder()

    def watching(make: Callable[[], Any]) -> Callable[[], Any]:
        def made() -> Any:
            place = _place()
            return Watched(make(), place, order) if PACKAGE in place else make()

        return made

    with pytest.MonkeyPatch.context() as patch:
        for name in ("Lock", "RLock"):
            patch.setattr(threading, name, watching(getattr(threading, name)))
        yield order


def _place() -> str:
    """Return the line that makes a lock, also where `threading` makes it for a Condition."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename == threading.__file__:
        frame = frame.f_back
    return f"{frame.f_code.co_filename.rpartition('/src/')[2]}:{frame.f_lineno}"
