"""Logs that this directory wrote to before: nothing is appended to them, but what people had destroyed has to go.

What goes is accounted for in the log that is written to now (`event.succession`), in numbers that count on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tallystick.clock import Clock
from tallystick.event.erasure import ErasureHistory
from tallystick.event.succession import in_order
from tallystick.ledger.decided import ErasureRecords
from tallystick.ledger.erase import Eraser, ErasureOrder
from tallystick.ledger.layout import Layout
from tallystick.ledger.lineage import last_known
from tallystick.ledger.lock import FileLock
from tallystick.ledger.model import Progress, Snapshot
from tallystick.ledger.opening import current_name
from tallystick.ledger.recover import find_log
from tallystick.ledger.seal import DirectSealer, Sealing
from tallystick.ledger.state import LedgerState
from tallystick.ledger.tiles import TileFiles
from tallystick.store.files import Disk

Told = tuple[int, int, Mapping[str, Any]]
"""(index in the log that is written to now, when it was received, facts) of an event about an earlier log."""


class Predecessor:
    """One earlier log, locked. `base` is where the log that is written to now begins in its numbering."""

    def __init__(self, disk: Disk, layout: Layout, clock: Clock, base: int) -> None:
        self._known = last_known(disk, layout)
        self.base = base
        self.segments = layout.segments
        now = clock.now_us()
        found = find_log(disk, layout)
        self._state = LedgerState(found.manifest, found.files, Progress(self._known.size, now), now)
        self._state.committed = Progress(self._known.size, now)
        self._tiles = TileFiles(disk, layout.ledger)
        self._eraser = Eraser(disk, layout, self._state, clock, lambda: None, None, DirectSealer(disk))
        self._sealing = Sealing(disk, layout, self._state, DirectSealer(disk), clock)
        self._told: list[Told] = []
        self.records = ErasureRecords(disk, layout, self.origin)

    @property
    def origin(self) -> str:
        return self._known.origin

    @property
    def unsealed(self) -> int:
        """How many committed events could not be sealed: they share a file with some that no checkpoint covers."""
        return max(0, self._known.size - self._state.manifest.sealed_size)

    def seal(self) -> None:
        """Seal what was left unsealed, as far as its checkpoint covers whole files."""
        for file in self._state.files:
            file.closed = True
        while self._sealing.seal_next():
            pass

    def tell(self, told: Iterable[Told]) -> None:
        """Take in what the log that is written to now says about this one, all of it."""
        self._told = list(told)

    def snapshot(self) -> Snapshot:
        return self._state.snapshot()

    def committed_size(self) -> int:
        return self._known.size

    def read_entries(self, bundle: int) -> list[bytes]:
        return self._tiles.entries(bundle, self._known.size)

    def erasure_history(self) -> ErasureHistory:
        """Return what it says itself, and what was said about it afterwards."""
        history = self._eraser.history()
        for index, received_at, facts in self._told:
            history.apply_elsewhere(self.base + index, received_at, facts)
        return history

    def destroy(self, order: ErasureOrder) -> None:
        """Make the content unreadable, durably; doing it again does nothing more. The caller then says so, and `finish`es."""
        self._eraser.destroy(order)

    def finish(self) -> None:
        """Drop the order: its event is durable."""
        self._eraser.finish()


@contextmanager
def open_predecessors(disk: Disk, data: Path, state: Path, clock: Clock) -> Iterator[list[Predecessor]]:
    """Yield the logs before the one that is written to, oldest first, locked meanwhile."""
    current = current_name(disk, data)
    names = in_order(disk.names(data / "ledger"))
    names = [name for name in names[: names.index(current)] if disk.exists(Layout(data, state, name).checkpoint)]
    layouts = [Layout(data, state, name) for name in names]
    sizes = [last_known(disk, layout).size for layout in layouts]
    locks = [FileLock(layout.lock, f"the ledger in {layout.ledger}") for layout in layouts]
    try:
        yield [Predecessor(disk, layout, clock, sum(sizes[at:])) for at, layout in enumerate(layouts)]
    finally:
        for lock in locks:
            lock.close()
