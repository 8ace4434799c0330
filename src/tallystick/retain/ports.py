"""What retention needs from the rooms beside it; `server` binds these."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection

from tallystick.event.assignment import Assignment
from tallystick.follow.alarm import RaiseAlarms
from tallystick.ledger.erase import ErasureOrder
from tallystick.ledger.model import Receipt
from tallystick.ledger.predecessors import Predecessor


class Looked(Protocol):
    """Records that somebody looked at retention; durable on return."""

    def __call__(self, caller: Any, what: str, scope: str, /) -> None: ...


class Excepted(Protocol):
    """Finds the exception from the floor of a class that two people agreed to."""

    def __call__(self, class_name: str, now_us: int, connection: Connection, /) -> tuple[str, int] | None:
        """Return its id and when it ends, or None where there is none in force."""
        ...


@dataclass(frozen=True, slots=True)
class RetentionPorts:
    """What other rooms do for this one.

    `now_us` is never before the log's newest event; `clock_us` is the clock itself. `assign` hands the rules to whoever
    admits events; `erase` destroys content; `append` puts an event of the product on record; `forget` lets readers go of
    what was destroyed. While `rules_at_rest` lasts, no detection rule sees an event, and what it gives makes all of them
    forget some texts; it is entered before anything that keeps others from deciding. `drop_exports` deletes exported
    files that may hold events received up to a time, and says whether none is being made any more; `actor_keys` are the
    pseudonyms of an id. `run_hour` is the hour of the day (UTC) of the daily run. `restored` says whether this is the
    first start of a directory that came from a backup; `predecessors` opens the logs that it wrote to before. `folder`
    takes the note of what was tidied.
    """

    looked: Looked
    raise_alarms: RaiseAlarms
    now_us: Callable[[], int]
    clock_us: Callable[[], int]
    excepted: Excepted
    assign: Callable[[Sequence[Assignment], frozenset[int]], None]
    erase: Callable[[ErasureOrder], Receipt]
    append: Callable[[Any], None]
    forget: Callable[[], None]
    rules_at_rest: Callable[[], AbstractContextManager[Callable[[Collection[str]], None]]]
    drop_exports: Callable[[int], bool]
    actor_keys: Callable[[str], list[str]]
    run_hour: Callable[[], int]
    restored: Callable[[], bool]
    predecessors: Callable[[], AbstractContextManager[list[Predecessor]]]
    folder: Path
