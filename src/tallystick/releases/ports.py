"""What releases need from the rooms beside them; `server.py` binds these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class Append(Protocol):
    """Appends one product event; when it returns, the event is durable."""

    def __call__(self, fields: Mapping[str, Any], /) -> object: ...


class Looked(Protocol):
    """Records that somebody looked at releases; durable on return."""

    def __call__(self, caller: Any, what: str, scope: str, /) -> None: ...


@dataclass(frozen=True, slots=True)
class ReleasePorts:
    """What other rooms do for this one. `message` renders an event by the catalogue as it stood at an index; `now_us` is
    never before the log's newest event; `room_bytes` is what stored files leave free on the disk.
    """

    append: Append
    looked: Looked
    message: Callable[[int, Mapping[str, Any]], str]
    now_us: Callable[[], int]
    room_bytes: int
