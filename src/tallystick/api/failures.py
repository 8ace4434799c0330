"""How many answers of the last hour were the server's own fault: a window over minutes, in memory."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final

WINDOW_MINUTES: Final = 60
_SERVER_ERROR: Final = 500
_MINUTE_S: Final = 60


class Failures:
    """Counts; `clock` returns seconds that never go back. Adding is atomic enough for a figure that people read."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._minutes: deque[list[int]] = deque()  # minute and count

    def note(self, status: int) -> None:
        """Take note of an answer."""
        if status < _SERVER_ERROR:
            return
        minute = int(self._clock() // _MINUTE_S)
        if not self._minutes or self._minutes[-1][0] != minute:
            self._minutes.append([minute, 0])
            self._forget(minute)
        self._minutes[-1][1] += 1

    def last_hour(self) -> int:
        """Return how many there were in the last sixty minutes."""
        now = int(self._clock() // _MINUTE_S)
        return sum(count for minute, count in list(self._minutes) if minute > now - WINDOW_MINUTES)

    def _forget(self, minute: int) -> None:
        while self._minutes and self._minutes[0][0] <= minute - WINDOW_MINUTES:
            self._minutes.popleft()


#: Of this process: filled by the application, shown on the health page.
FAILURES: Final = Failures()
