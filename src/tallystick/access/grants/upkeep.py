"""Writing down, from time to time, which grants ran out; they had ended by themselves."""

from __future__ import annotations

from typing import Final

import structlog

from tallystick.access.grants.service import GrantService
from tallystick.errors import TallystickError
from tallystick.follow.background import Background

EVERY_S: Final = 30.0
_telemetry = structlog.get_logger("tallystick.access")


class GrantUpkeep(Background):
    """A thread beside the grants, for as long as the context lasts."""

    def __init__(self, grants: GrantService) -> None:
        self._grants = grants
        super().__init__("grant-upkeep")

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_S):
            try:
                self._grants.notice_expired()
            except TallystickError as error:
                _telemetry.error("ends of grants are not on record yet", code=error.code, message=error.message)
