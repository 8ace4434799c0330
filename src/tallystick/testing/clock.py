"""A clock that only moves when told, also backwards."""

from __future__ import annotations


class ManualClock:
    """Implements `tallystick.clock.Clock`. Both times start where the constructor says."""

    def __init__(self, now_us: int = 1_800_000_000_000_000) -> None:
        self._now_us = now_us
        self._monotonic_s = 0.0

    def now_us(self) -> int:
        return self._now_us

    def monotonic_s(self) -> float:
        return self._monotonic_s

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now_us += round(seconds * 1_000_000)
        self._monotonic_s += seconds

    def step(self, seconds: float) -> None:
        """Set the wall clock forwards or backwards, as an administrator or a time server does; no time passes."""
        self._now_us += round(seconds * 1_000_000)
