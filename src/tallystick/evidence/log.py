"""The log itself, for those who look after it and those who check it: stages, checkpoints, witnesses, segments, erasures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec
from sqlalchemy import Engine, func, select

from tallystick.errors import PermissionMissingError
from tallystick.event.erasure import in_ranges, parse_ranges
from tallystick.evidence.checkpoints import Checkpoints, Kept
from tallystick.evidence.consistency import Consistency, prove_consistency
from tallystick.evidence.panel import CheckpointView, entry_at, view_checkpoint
from tallystick.ledger.model import LedgerStatus, Snapshot
from tallystick.store.tables.evidence import BACKUP, ERASURE

READ: Final = "log.read"
ROWS_MAX: Final = 200
KEPT_MAX: Final = 20


class Log(Protocol):
    """The part of a ledger that is shown."""

    @property
    def vkeys(self) -> tuple[str, ...]: ...
    def status(self) -> LedgerStatus: ...
    def snapshot(self) -> Snapshot: ...
    def checkpoint(self) -> bytes: ...
    def witnessed_checkpoint(self) -> bytes | None: ...
    def find_tile(self, path: str) -> bytes | None: ...
    def prove_consistency(self, old_size: int, new_size: int) -> list[bytes]: ...
    def prove_inclusion(self, index: int, size: int) -> list[bytes]: ...
    def read_entries(self, bundle: int) -> list[bytes]: ...


class Rights(Protocol):
    """What a caller may do; `access.rights.Rights` is one."""

    def allows(self, permission: Any, scope: str) -> bool: ...


class Caller(Protocol):
    """Who looks; `access.model.Caller` is one."""

    @property
    def rights(self) -> Rights: ...


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """How far one stage got, and when (microseconds; 0 where it never did)."""

    name: str
    size: int
    at: int


class Witness(msgspec.Struct, frozen=True, kw_only=True):
    """A configured witness, and when it cosigned the newest cosigned checkpoint; None where it did not."""

    name: str
    url: str
    cosigned_at: int | None = None


class SegmentView(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed segment. `checked_at` is the last self-check since the start, `set_aside` why it is not searched."""

    path: str
    class_name: str
    first: int
    size: int
    events: int
    generation: int
    received_from: int
    received_to: int
    checked_at: int | None = None
    set_aside: str | None = None


class ErasureView(msgspec.Struct, frozen=True, kw_only=True):
    """Content that was destroyed: which part of which ranges, on what ground, by the event at `index`."""

    index: int
    at: int
    part: str
    ranges: tuple[tuple[int, int], ...]
    ground: str
    request: int | None = None
    approvals: tuple[int, ...] = ()
    classes: tuple[int, ...] | None = None
    except_sources: tuple[int, ...] = ()
    events: int | None = None

    def names(self, index: int, class_number: int, source: int) -> bool:
        """Return whether it is about the content of an entry."""
        return (
            in_ranges(index, self.ranges)
            and (self.classes is None or class_number in self.classes)
            and source not in self.except_sources
        )


class LogView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about the log at the moment `now` (microseconds). Lists are cut at 200, the newest first."""

    origin: str
    now: int
    stages: tuple[Stage, ...]
    checkpoint: CheckpointView
    witnessed: CheckpointView | None
    remembered: tuple[Kept, ...]
    cosigned: tuple[Kept, ...]
    witnesses: tuple[Witness, ...]
    trouble: dict[str, str]
    read_only: str | None
    segments: tuple[SegmentView, ...]
    segments_total: int
    erasures: tuple[ErasureView, ...]
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LogPorts:
    """What other rooms say about the log; witnesses are pairs of key name and URL."""

    class_names: Callable[[], Mapping[int, str]]
    quarantined: Callable[[], Mapping[str, str]]
    checked: Callable[[], Mapping[str, int]]
    looked: Callable[[Any, str], None]
    witnesses: tuple[tuple[str, str], ...] = ()


class LogService:
    """May be used from any thread; holds nothing."""

    def __init__(self, log: Log, tables: Engine, checkpoints: Checkpoints, ports: LogPorts) -> None:
        self._log = log
        self._tables = tables
        self._checkpoints = checkpoints
        self._ports = ports

    def overview(self, caller: Caller) -> LogView:
        """Return the log as it stands; the look is recorded. Raises PermissionMissingError."""
        self._require(caller)
        self._ports.looked(caller, "log")
        status, snapshot = self._log.status(), self._log.snapshot()
        note = self._log.witnessed_checkpoint()
        witnessed = None if note is None else view_checkpoint(note)
        return LogView(
            origin=status.origin,
            now=status.now,
            stages=tuple(_stages(status)),
            checkpoint=view_checkpoint(self._log.checkpoint()),
            witnessed=witnessed,
            remembered=tuple(self._checkpoints.remembered(KEPT_MAX)),
            cosigned=tuple(self._checkpoints.cosigned(KEPT_MAX)),
            witnesses=tuple(self._witnesses(witnessed)),
            trouble=status.trouble,
            read_only=status.read_only,
            segments=tuple(self._segments(snapshot)),
            segments_total=len(snapshot.segments),
            erasures=tuple(self._erasures(ROWS_MAX)),
            keys=self._log.vkeys,
        )

    def consistency(self, caller: Caller, old_size: int, new_size: int) -> Consistency:
        """Return the proof that the log of one size begins with the log of another, made and checked.

        Raises PermissionMissingError, SizesInvalidError.
        """
        self._require(caller)
        return prove_consistency(self._log, old_size, new_size)

    def erasure_of(self, index: int) -> ErasureView | None:
        """Return the newest erasure that names the event of an index, for who may see what was there."""
        entry = entry_at(self._log, index)
        if entry is None:
            return None
        named = (each for each in self._erasures(None) if each.names(index, entry.class_number, entry.source))
        return next(named, None)

    def backed_up_at(self) -> int | None:
        """Return when the last backup was recorded, in microseconds; None when none ever was."""
        with self._tables.connect() as connection:
            found = connection.scalar(select(func.max(BACKUP.c.backed_up_at)))
        return None if found is None else int(found)

    def _witnesses(self, witnessed: CheckpointView | None) -> Iterator[Witness]:
        times = {} if witnessed is None else {each.name: each.at for each in witnessed.witnesses}
        for name, url in self._ports.witnesses:
            yield Witness(name=name, url=url, cosigned_at=times.get(name))

    def _segments(self, snapshot: Snapshot) -> Iterator[SegmentView]:
        names, set_aside, checked = self._ports.class_names(), self._ports.quarantined(), self._ports.checked()
        for entry in reversed(snapshot.segments[-ROWS_MAX:]):
            yield SegmentView(
                path=entry.path,
                class_name=names.get(entry.class_number, str(entry.class_number)),
                first=entry.first,
                size=entry.size,
                events=entry.events,
                generation=entry.generation,
                received_from=entry.received_from,
                received_to=entry.received_to,
                checked_at=checked.get(entry.path),
                set_aside=set_aside.get(entry.path),
            )

    def _erasures(self, limit: int | None) -> Sequence[ErasureView]:
        query = select(ERASURE).order_by(ERASURE.c.erased_index.desc()).limit(limit)
        with self._tables.connect() as connection:
            return [_erasure(row) for row in connection.execute(query)]

    def _require(self, caller: Caller) -> None:
        if not caller.rights.allows(READ, ""):
            raise PermissionMissingError(f"this needs the permission {READ} for /")


def _stages(status: LedgerStatus) -> Iterator[Stage]:
    for name in ("acknowledged", "committed", "witnessed", "sealed"):
        progress = getattr(status, name)
        yield Stage(name=name, size=progress.size, at=progress.at if progress.size else 0)


def _erasure(row: Any) -> ErasureView:
    ground = json.loads(row.ground)
    return ErasureView(
        index=row.erased_index,
        at=row.erased_at,
        part=row.part,
        ranges=parse_ranges(json.loads(row.ranges)),
        ground=str(ground.get("kind")),
        request=ground.get("request"),
        approvals=tuple(ground.get("approvals", ())),
        classes=None if row.classes is None else tuple(json.loads(row.classes)),
        except_sources=() if row.spared is None else tuple(json.loads(row.spared)),
        events=row.events,
    )
