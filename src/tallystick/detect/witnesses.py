"""Puts it on record when no witness signs newer states of the log any more, so that rules can watch for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tallystick.access.acts import OWN_SCOPE
from tallystick.event.occurred import time_of_us
from tallystick.ledger.model import LedgerStatus

BEHIND_US: Final = 3_600_000_000
FELL_BEHIND: Final = "witness.fell_behind"


class WitnessWatch:
    """Looks at how far witnesses are, for one thread; says so once an hour while they are behind."""

    def __init__(self, status: Callable[[], LedgerStatus], note: Callable[[Mapping[str, Any]], object]) -> None:
        self._status = status
        self._note = note
        self._since: int | None = None
        self._size = -1
        self._said_at = -BEHIND_US

    def look(self) -> None:
        """Look once; raises what appending raises."""
        status = self._status()
        witnessed, size = status.witnessed.size, status.committed.size
        if witnessed >= size or witnessed != self._size:
            self._since, self._size = (None if witnessed >= size else status.now), witnessed
            return
        behind_us = status.now - (self._since or status.now)
        if behind_us < BEHIND_US or status.now - self._said_at < BEHIND_US:
            return
        self._said_at = status.now
        self._note(
            {
                "action": FELL_BEHIND,
                "actor": {"id": "tallystick", "type": "system"},
                "target": {"type": "ledger", "id": status.origin},
                "scope": OWN_SCOPE,
                "occurred_at": time_of_us(status.now),
                "metadata": {"witnessed_size": witnessed, "size": size, "behind_s": behind_us // 1_000_000},
            }
        )
