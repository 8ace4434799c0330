"""What a long-lived search does beside answering: derive the columns of new frames before a search needs them, warm
up, write down repeats on time, let go of what was replaced.
"""

from __future__ import annotations

import time
from typing import Final

import structlog

from tallystick.errors import TallystickError
from tallystick.follow.background import Background
from tallystick.search.service import SearchService

EVERY_S: Final = 15.0
AHEAD_S: Final = 0.1
AHEAD_BLOCKS: Final = 8
LATELY_S: Final = 120.0
PAUSE_S: Final = 0.001
WARM_STEP_S: Final = 0.5
WARM_STEPS: Final = 80
_telemetry = structlog.get_logger("tallystick.search")


class SearchUpkeep(Background):
    """A thread beside one search service, for as long as the context lasts."""

    def __init__(self, service: SearchService) -> None:
        self._service = service
        super().__init__("search-upkeep")

    def _run(self) -> None:
        for _ in range(WARM_STEPS):
            while self._look_ahead():
                pass
            if self._stopping.is_set():
                return
            self._service.warm(WARM_STEP_S)  # what an earlier step loaded costs the next one nothing
        due, behind = time.monotonic() + EVERY_S, False
        while not self._stopping.wait(0 if behind else AHEAD_S):
            # Nobody searches: deriving for them would only slow ingesting down.
            behind = self._service.asked_ago_s() < LATELY_S and self._look_ahead()
            if time.monotonic() >= due:
                self._tidy()
                due = time.monotonic() + EVERY_S

    def _look_ahead(self) -> bool:
        """Get on with the newest frames, pausing after each block: admission and searches come first."""
        return not self._stopping.is_set() and self._service.look_ahead(AHEAD_BLOCKS, self._pause)

    def _pause(self) -> None:
        self._stopping.wait(PAUSE_S)

    def _tidy(self) -> None:
        try:
            self._service.recorder.flush()
        except TallystickError as error:
            _telemetry.error("repeated readings are not on record yet", code=error.code)
        self._service.forget_replaced()
