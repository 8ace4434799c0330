"""The clock of the demo: it stands where the story does, and runs to the present as the story is told."""

from __future__ import annotations

import time


class DemoClock:
    """Implements `tallystick.clock.Clock`. Wall time only moves when told, never backwards and never past the machine's."""

    def __init__(self, now_us: int) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        return self._now_us

    def monotonic_s(self) -> float:
        return time.monotonic()

    def reach(self, now_us: int) -> None:
        """Let it be that time, if it is not later already."""
        self._now_us = min(max(self._now_us, now_us), time.time_ns() // 1000)
