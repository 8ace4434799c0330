"""Writing down, from time to time, which grants ran out; they had ended by themselves."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Final, Self

import structlog

from tallystick.access.grants.service import GrantService
from tallystick.errors import TallystickError

EVERY_S: Final = 30.0
_telemetry = structlog.get_logger("tallystick.access")


class GrantUpkeep:
    """A thread beside the grants, for as long as the context lasts."""

    def __init__(self, grants: GrantService) -> None:
        self._grants = grants
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="grant-upkeep", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_S):
            try:
                self._grants.notice_expired()
            except TallystickError as error:
                _telemetry.error("ends of grants are not on record yet", code=error.code, message=error.message)
