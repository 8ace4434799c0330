"""Puts it on record when the witnesses fall behind, so that a rule can watch for it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from tallystick.event.occurred import time_of_us
from tallystick.ledger.model import LedgerStatus

FELL_BEHIND: Final = "witness.fell_behind"
BEHIND_US: Final = 3_600_000_000
_SCOPE: Final = "tallystick"
_NAMES: Final = uuid.UUID("6f1c1f64-6d8e-5a3e-9a55-2f7d3c1b9e10")
"""Under which an outage has its event's id: telling it again changes nothing."""


class WitnessWatch:
    """Looks at one log. `received_at` gives about when the event of an index was received; `append` is durable."""

    def __init__(
        self,
        witnesses: int,
        status: Callable[[], LedgerStatus],
        received_at: Callable[[int], int | None],
        append: Callable[[Mapping[str, Any]], object],
    ) -> None:
        self._witnesses = witnesses
        self._status = status
        self._received_at = received_at
        self._append = append
        self._told = -1

    def look(self) -> None:
        """Record that nothing newer was witnessed for an hour, once for each size at which that happens."""
        if not self._witnesses:
            return
        status = self._status()
        witnessed, committed = status.witnessed.size, status.committed.size
        since = self._received_at(witnessed) if witnessed < committed else None
        if since is None or witnessed == self._told or status.now - since < BEHIND_US:
            return
        metadata = {"witnessed_size": witnessed, "size": committed, "behind_s": (status.now - since) // 1_000_000}
        self._append(
            {
                "id": str(uuid.uuid5(_NAMES, f"{status.origin} {witnessed}")),
                "action": FELL_BEHIND,
                "actor": {"id": "tallystick", "type": "system"},
                "target": {"type": "ledger", "id": status.origin},
                "scope": _SCOPE,
                "occurred_at": time_of_us(status.now),
                "metadata": metadata,
            }
        )
        self._told = witnessed
