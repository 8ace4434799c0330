"""What policies need from the rooms beside them; `server` binds these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol


class Looked(Protocol):
    """Records that somebody looked at policies; durable on return."""

    def __call__(self, caller: Any, what: str, scope: str, /) -> None: ...


@dataclass(frozen=True, slots=True)
class PolicyPorts:
    """What other rooms do for this one. `enabled` says whether events of policies are switched on in a scope; `now_us`
    is never before the log's newest event.
    """

    looked: Looked
    enabled: Callable[[str], bool]
    now_us: Callable[[], int]
