"""What this room needs from the rooms beside it; `server` binds these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from tallystick.follow.alarm import RaiseAlarms


class Looked(Protocol):
    """Records that somebody looked at a register; durable on return."""

    def __call__(self, caller: Any, what: str, scope: str, /) -> None: ...


@dataclass(frozen=True, slots=True)
class GovernPorts:
    """What other rooms do for this one. `now_us` is never before the log's newest event.

    `count` reads a setting that counts.
    """

    looked: Looked
    raise_alarms: RaiseAlarms
    now_us: Callable[[], int]
    count: Callable[[str], int]
