"""Checkpoints over time: those that witnesses cosigned lie on disk, one for each minute; the rest is remembered a while."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Final, Protocol, Self

import msgspec

from tallystick.errors import VerificationError
from tallystick.evidence.panel import CheckpointView, view_checkpoint
from tallystick.follow.background import Background
from tallystick.ledger.model import LedgerStatus

LOOK_EVERY_S: Final = 5.0
MINUTES_MAX: Final = 24 * 60
MINUTE_US: Final = 60_000_000
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MINUTE: Final = re.compile(r"[0-2]\d[0-5]\d", re.ASCII)


class Log(Protocol):
    """The part of a ledger that is watched."""

    def status(self) -> LedgerStatus: ...
    def checkpoint(self) -> bytes: ...


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint of the past, published at `at` (microseconds) or a little earlier."""

    at: int
    checkpoint: CheckpointView


class Checkpoints(Background):
    """Remembers the last checkpoint of each minute, for a day at most, while the server runs. A thread of its own.

    Nothing relies on it: it is a convenience for who compares with what they kept. What counts lies with the witnesses.
    """

    def __init__(self, log: Log, cosigned: Path) -> None:
        self._log = log
        self._cosigned = cosigned
        self._lock = threading.Lock()
        self._seen: OrderedDict[int, tuple[int, bytes]] = OrderedDict()  # by minute
        super().__init__("checkpoints")

    def __enter__(self) -> Self:
        self.look()
        return super().__enter__()

    def look(self) -> None:
        """Take note of the newest checkpoint."""
        note, at = self._log.checkpoint(), self._log.status().committed.at
        with self._lock:
            if not note or (self._seen and next(reversed(self._seen.values()))[1] == note):
                return
            self._seen[at // MINUTE_US] = (at, note)
            while len(self._seen) > MINUTES_MAX:
                self._seen.popitem(last=False)

    def remembered(self, limit: int) -> list[Kept]:
        """Return what was published since the server started, newest first, one for each minute."""
        self.look()
        with self._lock:
            found = list(self._seen.values())[-limit:]
        return [Kept(at=at, checkpoint=view_checkpoint(note)) for at, note in reversed(found)]

    def cosigned(self, limit: int) -> list[Kept]:
        """Return the newest checkpoints that witnesses cosigned, as they lie on disk, newest first."""
        found: list[Kept] = []
        for day in _names(self._cosigned, _DAY):
            for minute in _names(self._cosigned / day, _MINUTE):
                if len(found) == limit:
                    return found
                try:
                    view = view_checkpoint((self._cosigned / day / minute).read_bytes())
                except (OSError, VerificationError):
                    continue  # damaged or just removed: what is shown here vouches for nothing by itself
                times = [each.at for each in view.witnesses if each.at is not None]
                found.append(Kept(at=max(times, default=0), checkpoint=view))
        return found

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            self.look()


def _names(folder: Path, form: re.Pattern[str]) -> list[str]:
    try:
        return sorted((each.name for each in folder.iterdir() if form.fullmatch(each.name)), reverse=True)
    except (FileNotFoundError, NotADirectoryError):
        return []
