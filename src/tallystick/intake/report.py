"""What an import did: counts, everything refused with its place, and what the map had no words for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

LISTED_MAX = 1000
"""Refusals that are kept whole for each file; beyond that they are counted."""
UNMAPPED_KINDS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Rejected:
    """One record that did not go in. Record and offset count from 0, line and column (in bytes) from 1."""

    file: str
    record: int
    line: int
    column: int
    offset: int
    code: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.reason} ({self.code})"


@dataclass(slots=True)
class FileReport:
    """What became of one file. `accepted` are new in the ledger, `repeated` were there already."""

    file: str
    records: int = 0
    accepted: int = 0
    repeated: int = 0
    mapped: int = 0
    skipped: int = 0
    reused_ids: int = 0
    rejected_count: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    unmapped: Counter[tuple[str, str]] = field(default_factory=Counter)
    resumed_at: int | None = None
    """The record at which this run went on where an earlier one had stopped."""
    already_imported: bool = False

    def reject(self, rejected: Rejected) -> None:
        """Count a refusal, and list it while there is room."""
        self.rejected_count += 1
        if len(self.rejected) < LISTED_MAX:
            self.rejected.append(rejected)

    def note_unmapped(self, gaps: Iterable[tuple[str, str]]) -> None:
        """Count what the map had no words for; what is said in too many ways is counted together."""
        for member, said in gaps:
            key = (member, said[:200])
            if key not in self.unmapped and len(self.unmapped) >= UNMAPPED_KINDS_MAX:
                key = (member, "(others)")
            self.unmapped[key] += 1

    def to_json(self) -> dict[str, Any]:
        fields = asdict(self)
        fields["unmapped"] = [[*key, count] for key, count in self.unmapped.most_common()]
        return fields

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> FileReport:
        members = dict(fields)
        members["rejected"] = [Rejected(**each) for each in members["rejected"]]
        members["unmapped"] = Counter({(member, said): count for member, said, count in members["unmapped"]})
        return cls(**members)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of all files of one import."""

    files: tuple[FileReport, ...]

    @property
    def records(self) -> int:
        return sum(file.records for file in self.files)

    @property
    def accepted(self) -> int:
        """Events that are new in the ledger."""
        return sum(file.accepted for file in self.files)

    @property
    def repeated(self) -> int:
        """Events that were in the ledger before."""
        return sum(file.repeated for file in self.files)

    @property
    def mapped(self) -> int:
        """Events whose action is one of the catalogue's; the others are kept under `vendor.`."""
        return sum(file.mapped for file in self.files)

    @property
    def skipped(self) -> int:
        """Records that the map knows to be no events."""
        return sum(file.skipped for file in self.files)

    @property
    def reused_ids(self) -> int:
        """Events whose vendor id named another event already; they are kept under an id made of their content."""
        return sum(file.reused_ids for file in self.files)

    @property
    def rejected_count(self) -> int:
        return sum(file.rejected_count for file in self.files)

    @property
    def rejected(self) -> list[Rejected]:
        return [rejected for file in self.files for rejected in file.rejected]

    @property
    def unmapped(self) -> Counter[tuple[str, str]]:
        """How often what was said that the map has no words for, by (member, what was said)."""
        total: Counter[tuple[str, str]] = Counter()
        for file in self.files:
            total.update(file.unmapped)
        return total

    def to_json(self) -> dict[str, Any]:
        """Return the totals and the files as plain JSON."""
        names = ("records", "accepted", "repeated", "mapped", "skipped", "reused_ids", "rejected_count")
        return {**{name: getattr(self, name) for name in names}, "files": [file.to_json() for file in self.files]}
