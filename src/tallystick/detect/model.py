"""Detection rules, their versions and what was done with them, as they are shown."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from tallystick.follow.alarm import Severity

Origin = Literal["shipped", "written", "imported"]
TEXT_BYTES_MAX: Final = 100_000
"""Of one rule: its text stands in the log, in one event."""
RULES_MAX: Final = 20_000


class State(enum.StrEnum):
    """Where a rule stands. Until it is enabled for the first time, that is where its newest version stands."""

    DRAFT = "draft"
    TESTED = "tested"
    APPROVED = "approved"
    REJECTED = "rejected"
    ENABLED = "enabled"
    DISABLED = "disabled"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class About:
    """What stands in the log for ever about a version, whatever becomes of its text."""

    title: str
    severity: Severity
    kind: str
    owner: str
    category: str
    logsource: Mapping[str, str]
    samples: int


@dataclass(frozen=True, slots=True)
class Version:
    """One text of a rule; `text` is None once it was erased. Times are microseconds."""

    rule: str
    number: int
    digest: str
    text: str | None
    about: About
    state: State
    drafted_by: str
    drafted_at: int
    drafted_index: int
    drafted_reason: str | None
    tested_at: int | None
    tested_index: int | None
    tested_passed: bool | None
    decided_by: str | None
    decided_at: int | None
    decided_index: int | None
    decision_reason: str | None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule. `newest` is what was written last, `active` what watches, or would if the rule were not disabled.

    `enabled_index` is the index of the event that put `active` in force.
    """

    id: str
    scope: str
    origin: Origin
    link: str | None
    license: str | None
    state: State
    newest: Version
    active: Version | None
    created_at: int
    created_index: int
    changed_at: int
    changed_index: int
    enabled_at: int | None
    enabled_index: int | None

    @property
    def shown(self) -> Version:
        """Return the version that speaks for the rule: what watches, or the newest where nothing ever did."""
        return self.active or self.newest

    @property
    def has_news(self) -> bool:
        """Return whether a newer version waits beside the one that watches."""
        return self.active is not None and self.active.number != self.newest.number


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a rule's life."""

    index: int
    rule: str
    version: int | None
    action: str
    at: int
    actor: str
    actor_type: str
    reason: str | None
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Indicator:
    """One value of a list; `expires_at` (microseconds) is None for one that stays until it is taken off."""

    value: str
    expires_at: int | None
    source: str | None
    note: str | None
    added_at: int
    added_index: int


@dataclass(frozen=True, slots=True)
class IndicatorList:
    """A list of values that rules name by `%name%`."""

    name: str
    description: str | None
    changed_by: str
    changed_at: int
    changed_index: int
    values: tuple[Indicator, ...]

    def counting(self, now_us: int) -> tuple[str, ...]:
        """Return the values that have not expired."""
        return tuple(each.value for each in self.values if each.expires_at is None or each.expires_at > now_us)


def digest_of(text: bytes) -> str:
    """Return what approvals bind to."""
    return hashlib.sha256(text).hexdigest()
