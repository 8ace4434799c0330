"""How syncing goes, as numbers: latency, volume, failures. They say nothing about any one project."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tallystick.policies.compare import Change

BOUNDS_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True, slots=True)
class Counted:
    """The figures of one moment. `seconds` counts looks by the bound that they took no longer than, without adding up."""

    events: Mapping[str, int]
    failures: Mapping[str, int]
    rejections: int
    looks: int
    seconds: Mapping[float, int]
    seconds_sum: float


class Figures:
    """Counts since the start; may be used from any thread. Everything is guarded by `_lock`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._seconds: Counter[float] = Counter()
        self._seconds_sum = 0.0
        self._rejections = 0
        self._looks = 0

    def started(self) -> float:
        """Return what `synced` measures from."""
        return time.perf_counter()

    def synced(self, started: float) -> None:
        """Count a look at a repository that ended well."""
        took = time.perf_counter() - started
        with self._lock:
            self._looks += 1
            self._seconds_sum += took
            self._seconds[next((bound for bound in BOUNDS_S if took <= bound), float("inf"))] += 1

    def failed(self, reason: str) -> None:
        """Count a look that ended with an error."""
        with self._lock:
            self._failures[reason] += 1

    def rejected(self) -> None:
        """Count a version that cannot be accepted."""
        with self._lock:
            self._rejections += 1

    def recorded(self, changes: Iterable[Change]) -> None:
        """Count the events of policies that are about to be appended."""
        with self._lock:
            self._events.update(change.action for change in changes)

    def counted(self) -> Counted:
        """Return the figures as they stand."""
        with self._lock:
            return Counted(
                dict(self._events),
                dict(self._failures),
                self._rejections,
                self._looks,
                dict(self._seconds),
                self._seconds_sum,
            )
