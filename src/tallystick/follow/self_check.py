"""The self-check: when nobody sends, sealed segments are read again and held against what was written.

A segment that is not what was written is named in the log (`segment.quarantined`) and from then on left out of every
search, which says so; the rest stays searchable. Commitments against the tree are `verify`'s business.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import structlog

from tallystick.clock import Clock
from tallystick.errors import CorruptionError, TallystickError, VerificationError
from tallystick.event.occurred import time_of_us
from tallystick.follow.background import Background
from tallystick.follow.commands import Commands
from tallystick.ledger.model import LedgerStatus, Snapshot
from tallystick.segment.derived import check_segment
from tallystick.segment.manifest import SegmentEntry

IDLE_S: Final = 20.0
LOOK_EVERY_S: Final = 5.0
_telemetry = structlog.get_logger("tallystick.self-check")


class Log(Protocol):
    """The part of a ledger that is looked at."""

    def snapshot(self) -> Snapshot: ...
    def status(self) -> LedgerStatus: ...


class Quarantines(Protocol):
    """What was set aside already."""

    def quarantined(self) -> Mapping[str, str]: ...


class SelfCheck(Background):
    """Checks one segment after another, each once for each start, while the log is idle. A thread of its own."""

    def __init__(self, log: Log, segments: Path, register: Quarantines, commands: Commands, clock: Clock) -> None:
        self._log = log
        self._segments = segments
        self._register = register
        self._commands = commands
        self._clock = clock
        self._checked: dict[str, int] = {}  # by path, when; only the own thread adds
        super().__init__("self-check")

    def checked(self) -> Mapping[str, int]:
        """Return the segments checked since the start, each with when that was (microseconds)."""
        return dict(self._checked)

    def check_next(self) -> bool:
        """Check one segment that was not checked yet; return whether there was one."""
        set_aside = self._register.quarantined()
        for entry in self._log.snapshot().segments:
            if entry.path not in self._checked and entry.path not in set_aside:
                self._checked[entry.path] = self._clock.now_us()
                self._check(entry)
                return True
        return False

    def _check(self, entry: SegmentEntry) -> None:
        try:
            check_segment(self._segments, entry)
        except (VerificationError, CorruptionError) as error:
            self._set_aside(entry, error.message)
        except OSError as error:
            if any(each.path == entry.path for each in self._log.snapshot().segments):
                self._set_aside(entry, f"it cannot be read: {error.strerror}")

    def _set_aside(self, entry: SegmentEntry, reason: str) -> None:
        _telemetry.error("segment is not what was written", path=entry.path, reason=reason)
        event = segment_event("segment.quarantined", entry, self._clock.now_us(), reason=reason)
        self._commands.run(lambda _: [event])

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            status = self._log.status()
            if status.now - status.acknowledged.at < IDLE_S * 1_000_000 or status.read_only is not None:
                continue
            try:
                self.check_next()
            except TallystickError as error:
                _telemetry.error("self-check interrupted", code=error.code, message=error.message)


def segment_event(action: str, entry: SegmentEntry, now_us: int, **more: str) -> dict[str, Any]:
    """Return the product's event about a segment."""
    about = {"path": entry.path, "first": entry.first, "size": entry.size, "class": entry.class_number}
    return {
        "action": action,
        "actor": {"id": "tallystick", "type": "system"},
        "target": {"type": "segment", "id": entry.path},
        "scope": "tallystick",
        "occurred_at": time_of_us(now_us),
        "metadata": {**about, **more},
    }
