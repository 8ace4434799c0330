"""What reviews need from the rooms beside them; `server` binds these."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tallystick.access.model import Caller
from tallystick.follow.alarm import RaiseAlarms
from tallystick.ledger.ledger import Ledger
from tallystick.search.service import SearchService

Facts = Mapping[str, Any]


class Listing(Protocol):
    """Lists what a section holds that no query finds."""

    def __call__(self, scope: str, now_us: int, /) -> Sequence[Facts]:
        """Return what there is in a scope, in an order of its own, each with an `item` that names it and, where it is
        about people, `people` by id. All of it becomes facts for ever, so it names people by id only.
        """
        ...


class InForce(Protocol):
    """Says which exception waives a duty."""

    def __call__(self, duty: str, scope: str, now_us: int, /) -> str | None:
        """Return the id of an exception that holds for the duty, or None."""
        ...


class Revoke(Protocol):
    """Ends a grant."""

    def __call__(self, caller: Caller, grant: str, reason: str, /) -> None:
        """Return when the grant is over, also when it was before; raises PermissionMissingError."""
        ...


@dataclass(frozen=True, slots=True)
class ReviewPorts:
    """`listings` by section; `holders` returns who holds a role that reaches a scope, at a time; `require_fresh` raises
    unless whoever has a session proved lately who she is.
    """

    ledger: Ledger
    search: SearchService
    now_us: Callable[[], int]
    listings: Mapping[str, Listing]
    in_force: InForce
    revoke: Revoke
    holders: Callable[[str, str, int], Collection[str]]
    require_fresh: Callable[[Caller], None]
    raise_alarms: RaiseAlarms
