"""What this room needs of others; `server` binds it."""

from __future__ import annotations

from typing import Protocol

from tallystick.access.model import Caller


class AdminReading(Protocol):
    """Records that somebody looked at how the installation is administered; durable on return."""

    def looked(self, caller: Caller, what: str, scope: str = "", /) -> None: ...
