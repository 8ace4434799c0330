"""The daily run, in a thread of its own; sooner where something was decided."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final

import structlog

from tallystick.follow.background import PASSING, Background
from tallystick.retain.runner import Runner

LOOK_EVERY_S: Final = 30.0
HOUR_US: Final = 3600 * 1_000_000
DAY_US: Final = 24 * HOUR_US
_telemetry = structlog.get_logger("tallystick.retain")


class RetentionWorker(Background):
    """Runs once a day at `hour` (UTC), at the start where that was missed, and when it is woken; not right after the clock
    leapt.
    """

    def __init__(
        self, runner: Runner, clock_us: Callable[[], int], hour: Callable[[], int], ran_at: Callable[[], int]
    ) -> None:
        """`ran_at` is when a run last took something or failed, in microseconds; 0 for never."""
        super().__init__("retention")
        self._runner = runner
        self._clock_us = clock_us
        self._hour = hour
        self._last = ran_at()
        self._woken = threading.Event()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the thread; a run under way ends after the erasure that it is at."""
        self._stopping.set()
        self._woken.set()
        self._thread.join()

    def wake(self) -> None:
        """Run now."""
        self._last = 0
        self._woken.set()

    def next_at(self) -> int:
        """Return when the next run is due, in microseconds."""
        start = self._last - self._last % DAY_US + self._hour() * HOUR_US
        return start if start > self._last else start + DAY_US

    def look(self) -> bool:
        """Run if it is time, else finish what an earlier run had to put off; return whether it was time."""
        now = self._clock_us()
        is_time = now >= self.next_at()
        try:
            if is_time and self._runner.has_leapt():
                self._runner.tidy()
                return False
            if is_time:
                self._last = now  # before the run: one that fails is tried again tomorrow, or when somebody asks
                self._runner.run("schedule", self._stopping.is_set)
            else:
                self._runner.tidy()
        except PASSING as error:
            _telemetry.warning("the run is gone on with later", code=getattr(error, "code", "unexpected"))
        return is_time

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.wait(LOOK_EVERY_S)  # a start has other things to do first
            if not self._stopping.is_set():
                self._woken.clear()
                self.look()
