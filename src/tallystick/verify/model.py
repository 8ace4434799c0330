"""What a verification says: findings, tiers, the report, and how the command ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, Final

from tallystick.errors import TallystickError
from tallystick.event.visible import show
from tallystick.verify.codes import MEANING, Code

FINDINGS_MAX: Final = 100
"""Findings kept; beyond these only their number is told. The first is the one that counts."""

Progress = Callable[[str, int, int], None]
"""Called with the stage, how much of it is done, and how much there is."""


class CouldNotCheckError(TallystickError):
    """What was to be checked, or checked against, cannot be reached or read: nothing is said about it."""

    code = "could-not-check"
    advice = "Nothing was verified. Give the right path, address, key or permission and run it again."


class Tier(StrEnum):
    """Who could have noticed a rewritten history."""

    SELF_CONSISTENT = "self-consistent"
    ANCHORED = "anchored"
    WITNESSED = "witnessed"


class ExitStatus(IntEnum):
    """How the command ends."""

    HOLDS = 0
    FINDING = 1
    COULD_NOT_CHECK = 2
    WITHHELD = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong: what, in which file or address, at which index where there is one."""

    code: Code
    message: str
    place: str
    index: int | None = None

    @property
    def means(self) -> str:
        """What it means, for a person."""
        return MEANING[self.code]

    def __str__(self) -> str:
        at = "" if self.index is None else f" (index {self.index})"
        return f"{show(self.place)}{at}: {show(self.message, 500)}"


@dataclass(frozen=True, slots=True)
class Erased:
    """An erasure in the log: the index of its event, what it names, its part and ground, and how many absences it covers."""

    index: int
    ranges: tuple[tuple[int, int], ...]
    part: str
    ground: str
    covers: int


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. `size` entries are under the checkpoint; `checked` of them were recomputed from content,
    `erased` are accounted for by erasures, `withheld` were not shown to this reader; `uncommitted` lie beyond it.

    `tier` holds for the entries below `tier_size`; from there on the log is only self-consistent. `remarks` are facts
    worth knowing that contradict nothing.
    """

    target: str
    origin: str = ""
    size: int = 0
    root: bytes = b""
    tier: Tier = Tier.SELF_CONSISTENT
    tier_size: int = 0
    tier_at: int | None = None
    checked: int = 0
    erased: int = 0
    withheld: int = 0
    uncommitted: int = 0
    findings: tuple[Finding, ...] = ()
    findings_total: int = 0
    erasures: tuple[Erased, ...] = ()
    remarks: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def exit_status(self) -> ExitStatus:
        if self.findings:
            return ExitStatus.FINDING
        return ExitStatus.WITHHELD if self.withheld else ExitStatus.HOLDS

    @property
    def sentence(self) -> str:
        """One line: what holds and which tier, or the first thing wrong, where, and what it means."""
        if self.findings:
            first = self.findings[0]
            more = self.findings_total - 1
            rest = f" ({more} more finding{'s' if more > 1 else ''})" if more else ""
            return f"DOES NOT HOLD: {first}. {first.means}{rest}"
        return self._holding()

    def _holding(self) -> str:
        """Say what holds, where nothing was found."""
        counts = f"checked {self.checked}"
        if self.withheld:
            counts += f", withheld {self.withheld}"
        if self.erased:
            counts += f", erased by the rules {self.erased}"
        return f"{self.origin} holds {self.size} entries: {counts}; {self._standing()}"

    def _standing(self) -> str:
        if self.tier is Tier.SELF_CONSISTENT:
            return "self-consistent (nothing from outside was compared)"
        rest = self.size - self.tier_size
        beyond = f", the newest {rest} only self-consistent" if rest > 0 else ""
        return f"{self.tier} up to size {self.tier_size}{beyond}"


class Findings:
    """Collects findings in the order in which the checks are made; the first one named is the first one added."""

    def __init__(self) -> None:
        self.kept: list[Finding] = []
        self.total = 0

    def add(self, code: Code, message: str, place: str, index: int | None = None) -> None:
        self.take(Finding(code, message, place, index))

    def take(self, *findings: Finding) -> None:
        self.total += len(findings)
        self.kept += findings[: max(0, FINDINGS_MAX - len(self.kept))]

    def __bool__(self) -> bool:
        return self.total > 0
