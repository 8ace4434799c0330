"""What detection needs from the rooms beside it, and what its two halves, the register and the engine, are to each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tallystick.follow.alarm import RaiseAlarms, Severity
from tallystick.search.service import SearchService


@dataclass(frozen=True, slots=True)
class EnabledRule:
    """One rule in force, as the register has it.

    `text` is the whole rule file: the rule, or a correlation with the rules that it is made of. `version` is the digest
    of that text; a new version begins with empty state. Events below `from_index`, the index of the event that enabled
    it, are not for this rule; only those within `scope` are ("" is everything). `filters` are the texts of the Sigma
    filters in force; each says itself which rules it narrows.
    """

    id: str
    version: str
    text: bytes
    severity: Severity
    title: str
    scope: str = ""
    from_index: int = 0
    kind: str = "sigma"
    filters: tuple[bytes, ...] = ()


class Enabled(Protocol):
    """Says which rules are in force."""

    def __call__(self) -> Sequence[EnabledRule]:
        """Return all of them, by id; cheap to ask again while nothing changed."""
        ...


@dataclass(frozen=True, slots=True)
class Sender:
    """A registered source. `silence_s` is how long it may send nothing, None for however long."""

    number: int
    name: str
    kind: str
    scope: str
    silence_s: int | None
    registered_at: int
    retired: bool = False


class Senders(Protocol):
    """Says who sends events."""

    def __call__(self) -> Mapping[int, Sender]:
        """Return the registered sources by number; cheap to ask again while nothing changed."""
        ...


class Looked(Protocol):
    """Records that somebody looked at rules or at the engine; durable on return."""

    def __call__(self, caller: Any, what: str, scope: str = "", /) -> None: ...


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """What a rule in force did since it was enabled. `trouble` says why it does not watch, empty when it does."""

    seen: int = 0
    fired: int = 0
    last_fired_at: int | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class RegisterPorts:
    """What other rooms do for the register of rules.

    `now_us` is never before the log's newest event. `figures` returns what the rules in force did, by their ids.
    `search` narrows history, within the rights of who asks.
    """

    looked: Looked
    now_us: Callable[[], int]
    figures: Callable[[], Mapping[str, RuleFigures]]
    search: SearchService


@dataclass(frozen=True, slots=True)
class EnginePorts:
    """What other rooms do for the engine.

    `now_us` is never before the log's newest event. `refresh` brings the tables up to the log, and `version` grows when
    rules, lists or sources may have changed, or a value of a list expired. `lists` returns the values that stand for a placeholder of rules, or None
    for one that is not known; `category` that of an action in the catalogue, or None for an undeclared one. `look` is
    asked every few seconds to put on record what no event shows by itself.
    """

    enabled: Enabled
    senders: Senders
    raise_alarms: RaiseAlarms
    now_us: Callable[[], int]
    refresh: Callable[[], object]
    version: Callable[[], int]
    lists: Callable[[str], Sequence[str] | None]
    category: Callable[[str], str | None]
    look: Callable[[], None] = lambda: None
