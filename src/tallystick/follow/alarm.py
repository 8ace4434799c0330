"""What somebody must handle, as any room says it; the room of alerts makes an alert of it, or counts it into one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Severity = Literal["informational", "low", "medium", "high", "critical"]


@dataclass(frozen=True, slots=True)
class Alarm:
    """One firing. `kind`, `key` and `scope` say which alert it belongs to: one of the three that is not closed counts it in.

    `kind` is the rule's id for a rule of detection and a dotted word of the room (`exception.expired`) otherwise.
    `occasion` is the same for the same firing, however often it is told: the second time changes nothing, also after a
    restart. `sentence` explains it with its numbers and may be personal; `title` and all ids are facts. `indexes` are
    the events that show it, the first and last and a few between; `count` is how many events or firings it stands for.
    `version` is the digest of the rule's version, and `method` how it looks (`sigma`, `first_seen` …). `recovered` says that the cause ended: the alert stays for a verdict.
    """

    kind: str
    key: str
    occasion: str
    scope: str
    severity: Severity
    title: str
    sentence: str
    at_us: int
    count: int = 1
    indexes: tuple[int, ...] = ()
    version: str | None = None
    method: str | None = None
    recovered: bool = False


class RaiseAlarms(Protocol):
    """Makes alerts of alarms."""

    def __call__(self, alarms: Sequence[Alarm], /) -> None:
        """Return when every alarm is durable, in an alert of its own or counted into one; all or none."""
        ...
