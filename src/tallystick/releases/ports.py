"""What releases need from the rooms beside them; `server` binds these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tallystick.ledger.ledger import Ledger
from tallystick.search.service import SearchService


@dataclass(frozen=True, slots=True)
class ReleasePorts:
    """What other rooms do for this one.

    `message` renders an event by the catalogue as it stood at an index; `now_us` is never before the log's newest event;
    files are kept in `folder`, which is this room's own, and leave `room_bytes` free on the disk.
    """

    search: SearchService
    ledger: Ledger
    message: Callable[[int, Mapping[str, Any]], str]
    now_us: Callable[[], int]
    folder: Path
    room_bytes: int
