"""What people and sign-in need from the rooms beside them; `server` binds these."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection

from tallystick.access.model import Caller
from tallystick.access.rights import Rights


class RightsOf(Protocol):
    """Says what a person may do now."""

    def __call__(self, person_id: str, groups: Collection[str], now_us: int, /) -> Rights:
        """Return the rights from every grant in force for the person or a group she is in; cheap when repeated."""
        ...


class Bootstrap(Protocol):
    """Gives the first administrator her roles."""

    def __call__(self, person_id: str, now_us: int, /) -> Sequence[Mapping[str, Any]]:
        """Return the events that grant them by ground `setup`."""
        ...


class EndAccess(Protocol):
    """Ends what a leaver holds in another room."""

    def __call__(
        self, connection: Connection, caller: Caller, person_id: str, now_us: int, /
    ) -> Sequence[Mapping[str, Any]]:
        """Return the events that end it; called inside a decision, so the tables stand for the whole log."""
        ...


class EndExceeding(Protocol):
    """Ends what a person may do beyond somebody who could get into her account."""

    def __call__(
        self, connection: Connection, caller: Caller, person_id: str, maker: str, now_us: int, /
    ) -> Sequence[Mapping[str, Any]]:
        """Return the events that end it; called inside a decision."""
        ...


class AdminReading(Protocol):
    """Records that somebody looked at how the installation is administered; durable on return."""

    def looked(self, caller: Caller, what: str, scope: str = "", /) -> None: ...
