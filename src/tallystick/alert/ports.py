"""What alerts need of the rooms beside them; `server` binds these."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection

from tallystick.access.model import Caller
from tallystick.access.rights import Rights
from tallystick.follow.product_log import ProductEvent


@dataclass(frozen=True, slots=True)
class Card:
    """What the rule that fired says about itself: what it means, what to do, and who answers for it."""

    title: str
    version: str
    description: str = ""
    runbook: str = ""
    threshold: str = ""
    response: str = ""
    owner: str = ""
    author: str = ""
    licence: str = ""


class RuleCard(Protocol):
    """Knows the rules."""

    def __call__(self, kind: str, version: str | None, /) -> Card | None:
        """Return the card of a rule as it was at a version; None for what no rule raised."""
        ...


class Looked(Protocol):
    """Records that somebody looked at something; durable on return."""

    def __call__(self, caller: Caller, what: str, scope: str = "", /) -> None: ...


@dataclass(frozen=True, slots=True)
class Assignable:
    """An enabled person, what she is called, and what she may do now."""

    id: str
    name: str
    rights: Rights


@dataclass(frozen=True, slots=True)
class AlertPorts:
    """What other rooms do for this one.

    `now_us` is never before the log's newest event; `key` is the installation's own, for this room alone; `count` and
    `switch` read settings; `message` renders an event by the catalogue as it stood at an index; `event` finds an event
    by index or id, which the caller must be allowed to read, and returns its index and id; `person` finds an enabled
    person by id or handle; `teams` names those that the routes know; `product_since` yields the
    product's own events that were received at a time or later, and perhaps some before.
    """

    now_us: Callable[[], int]
    key: bytes
    count: Callable[[str], int]
    switch: Callable[[str], bool]
    looked: Looked
    message: Callable[[int, Mapping[str, Any]], str]
    event: Callable[[Caller, int | str], tuple[int, str]]
    person: Callable[[str], Assignable | None]
    teams: Callable[[Connection], Collection[str]]
    card: RuleCard
    product_since: Callable[[int], Iterable[ProductEvent]]
