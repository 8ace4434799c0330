"""Where time comes from: one port, so that nothing else reads a clock."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """A source of time that tests can replace."""

    def now_us(self) -> int:
        """Return microseconds since 1970-01-01T00:00:00Z; may step backwards when the machine's clock does."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds from an arbitrary start, never decreasing."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic_s(self) -> float:
        return time.monotonic()
