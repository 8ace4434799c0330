"""What this room needs from the rooms beside it; `server` binds these."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

from tallystick.follow.alarm import RaiseAlarms
from tallystick.follow.product_log import ProductEvent
from tallystick.query.model import Node

S = TypeVar("S", bound="Joinable")


class Seen(Protocol):
    """How often something arrived by the hour (its number since 1970), and place and time of the newest."""

    @property
    def hours(self) -> Mapping[int, int]: ...
    @property
    def index(self) -> int: ...
    @property
    def at(self) -> int: ...


class Joinable(Seen, Protocol):
    """What was seen in a range, which can be joined with what was seen in a later one."""

    def and_later(self, later: Self, /) -> Self: ...


class Found(Protocol):
    """What a question found: all together, and by the values of fields."""

    @property
    def all(self) -> Joinable | None: ...
    @property
    def by(self) -> Mapping[str, Mapping[str, Joinable]]: ...
    @property
    def incomplete(self) -> bool: ...


class AskArrivals(Protocol):
    """Asks the search what arrived; nothing of it is recorded as a reading."""

    def __call__(self, questions: Sequence[tuple[Node, Sequence[str]]], first: int, size: int, /) -> Sequence[Found]:
        """Return an answer for each query and the fields to count by, over the indexes from `first` below `size`."""
        ...


class Looked(Protocol):
    """Records that somebody looked at a register; durable on return."""

    def __call__(self, caller: Any, what: str, scope: str, /) -> None: ...


@dataclass(frozen=True, slots=True)
class GovernPorts:
    """What other rooms do for this one. `now_us` is never before the log's newest event, `size` is the size of the log,
    and `received_at` says when the event of an index was received. `category_of` says what the catalogue has of an
    action, as it stood at a size of the log; `read_product` gives the product's own events from an index on.

    `count` reads a setting that counts.
    """

    looked: Looked
    raise_alarms: RaiseAlarms
    now_us: Callable[[], int]
    count: Callable[[str], int]
    size: Callable[[], int]
    received_at: Callable[[int], int | None]
    read_product: Callable[[int], Iterable[ProductEvent]]
    category_of: Callable[[int, str], str | None]
    arrivals: AskArrivals
