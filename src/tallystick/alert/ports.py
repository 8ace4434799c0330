"""What alerts need of the rooms beside them; `server` binds these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AlertPorts:
    """What other rooms do for this one.

    `now_us` is never before the log's newest event; `key` is the installation's own, for this room alone; `count` reads
    a setting that counts.
    """

    now_us: Callable[[], int]
    key: bytes
    count: Callable[[str], int]
