"""How detection shares the processor with recording.

Whoever computes in Python keeps the interpreter's lock for some milliseconds whenever others wait for it, and each
write of a batch waits several times. So detection works in short turns, and where it is far behind while something is
recorded, it rests after each for as long as it worked: what is not recorded is lost, what is judged late is not.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

TURN_S: Final = 0.002
LOOK_S: Final = 0.05
"""How often it is looked whether something is recorded."""
FAR_BEHIND: Final = 10_000
"""Events: with fewer, alarms go first."""
_MOMENT_S: Final = 0.000_02
_REST_S_MAX: Final = 0.02


class Pace:
    """Keeps turns short; `size` says how large the log is. For one thread."""

    def __init__(self, size: Callable[[], int]) -> None:
        self._size = size
        self._seen = size()
        self._must_rest = False
        self._look_at = 0.0
        self._began = time.perf_counter()

    def begin(self) -> None:
        """Count what follows as work."""
        self._began = time.perf_counter()

    def breathe(self, index: int) -> None:
        """Rest if a turn is over; to be called every few events, with how far the follower is."""
        now = time.perf_counter()
        worked = now - self._began
        if worked < TURN_S:
            return
        if now >= self._look_at:
            size = self._size()
            self._must_rest = size > self._seen and size - index > FAR_BEHIND
            self._seen, self._look_at = size, now + LOOK_S
        time.sleep(min(worked, _REST_S_MAX) if self._must_rest else _MOMENT_S)
        self._began = time.perf_counter()
