"""The ledger: one log, its single writer, and everything a reader may ask of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tallystick.clock import Clock, SystemClock
from tallystick.errors import TallystickError
from tallystick.event.batch import Batch
from tallystick.event.erasure import ErasureHistory
from tallystick.ledger import upkeep
from tallystick.ledger.background import Background
from tallystick.ledger.decided import ErasureRecord, ErasureRecords
from tallystick.ledger.erase import ErasureOrder
from tallystick.ledger.errors import LedgerExistsError, NotCommittedError, UnsealedBacklogError
from tallystick.ledger.genesis import PRODUCT_SOURCE, ProductAdmission, admit_events, genesis_events, recovered_event
from tallystick.ledger.layout import Layout
from tallystick.ledger.model import LedgerStatus, Receipt, Recovery, Snapshot
from tallystick.ledger.opening import Parts, Place, current_name, open_parts, prepare
from tallystick.ledger.options import LedgerOptions
from tallystick.ledger.tiles import TileFiles
from tallystick.merkle.tree import consistency_path, inclusion_path
from tallystick.store.files import Disk, LocalDisk


class Ledger:
    """The only writer of one ledger, and a reader of it. Every method may be called from any thread."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._place = parts.place
        self._state = parts.state
        self._writer = parts.writer
        self._tiles = TileFiles(parts.place.disk, parts.place.layout.ledger)
        self._background = Background(parts.state)
        self._closed = False
        if self._place.options.background:
            self._start()

    @classmethod
    def create(
        cls,
        data: Path,
        state: Path,
        *,
        admission: ProductAdmission,
        origin: str | None = None,
        name: str | None = None,
        predecessor: Mapping[str, Any] | None = None,
        clock: Clock | None = None,
        disk: Disk | None = None,
        options: LedgerOptions | None = None,
    ) -> Self:
        """Return a new ledger with its first events committed; finishes a creation that was interrupted.

        Raises LedgerExistsError when there is one. Without an origin a unique one is made up.
        """
        place = _place(data, state, name, clock, disk, options)
        prepare(place, origin)
        ledger = cls(open_parts(place, may_be_empty=True))
        try:
            ledger._begin(admission, predecessor)
        except BaseException:
            ledger.close()
            raise
        return ledger

    @classmethod
    def open(
        cls,
        data: Path,
        state: Path,
        *,
        admission: ProductAdmission | None = None,
        name: str | None = None,
        clock: Clock | None = None,
        disk: Disk | None = None,
        options: LedgerOptions | None = None,
    ) -> Self:
        """Return the ledger, recovered from whatever interrupted it last.

        With an admission given, an erasure that was interrupted is finished, and a torn end that had to be cut off
        is written down as `ledger.recovered`. Raises
        LedgerLockedError, NoLedgerError, LastSignedMissingError, RolledBackError, PublishedAheadError,
        WalDamagedError, TilesDamagedError, or OSError when the disk does not work; then nothing was changed that
        opening again does not meet.
        """
        place = _place(data, state, name, clock, disk, options)
        ledger = cls(open_parts(place))
        try:
            ledger._finish_interrupted(admission)
        except BaseException:
            ledger.close()
            raise
        return ledger

    @property
    def origin(self) -> str:
        return self._parts.keys.origin

    @property
    def vkeys(self) -> tuple[str, ...]:
        """The verification keys of the keys that sign now, the current one first."""
        return self._parts.keys.vkeys

    @property
    def recovery(self) -> Recovery:
        """What opening had to do."""
        return self._parts.recovery

    def submit(self, batch: Batch, source: int) -> Future[Receipt]:
        """Queue a batch; the future resolves when it is durable.

        The future may raise IdConflictError (this batch alone is refused), StorageFullError or WriteFailedError;
        after the last it is unknown whether the events are stored. Raises UnavailableError kinds and
        StorageFullError at once when nothing is taken. Source 0 is not held back by space or backlog.
        """
        self._state.require_writable()
        if source != PRODUCT_SOURCE:
            self._parts.space.require()
            unsealed = len(self._state.closed_files())
            if unsealed > self._place.options.unsealed_files_max:
                raise UnsealedBacklogError(f"{unsealed} files wait to be sealed", retry_after_s=5)
        answer = self._writer.submit(batch, source)
        if not self._place.options.background:
            self._writer.write_waiting()
        return answer

    def append(self, batch: Batch, source: int) -> Receipt:
        """Return the receipt of a durable batch; raises as `submit` and its future do."""
        return self.submit(batch, source).result()

    def advance(self) -> None:
        """Integrate, witness, seal and merge all that can be, in this thread; for a ledger without threads of its own."""
        while self._parts.integrator.integrate():
            pass
        if self._parts.witnesses is not None and self._parts.witnesses.due():
            self._parts.witnesses.push()
        while self._parts.sealing.seal_next():
            pass
        while self._parts.merging.merge_next():
            pass

    def rotate(self) -> None:
        """Close the current write-ahead log file, so that its events are sealed next."""
        self._writer.rotate()

    def status(self) -> LedgerStatus:
        state = self._state
        waiting_batches, waiting_bytes = self._writer.waiting
        with state.changed:
            return LedgerStatus(
                origin=self.origin,
                now=self._place.clock.now_us(),
                acknowledged=state.acknowledged,
                committed=state.committed,
                witnessed=state.witnessed,
                sealed=state.sealed,
                waiting_batches=waiting_batches,
                waiting_bytes=waiting_bytes,
                unsealed_files=len(state.files),
                unsealed_bytes=sum(file.size_bytes for file in state.files),
                sync_last_us=self._writer.sync_last_us,
                free_bytes=self._parts.space.free_bytes(),
                clock_behind_us=self._writer.clock_behind_us,
                read_only=state.read_only,
                trouble=dict(state.trouble),
            )

    def snapshot(self) -> Snapshot:
        """Return one consistent view of segments, unsealed frames and sizes; costs microseconds."""
        return self._state.snapshot()

    def wait_acknowledged(self, size: int, timeout_s: float) -> bool:
        """Return whether the log has reached `size` before the timeout: how followers wait for news."""
        with self._state.changed:
            return self._state.changed.wait_for(
                lambda: self._closed or self._state.acknowledged.size >= size, timeout_s
            )

    def wait_committed(self, size: int, timeout_s: float) -> None:
        """Return once a published checkpoint covers the first `size` events; raise NotCommittedError otherwise."""
        if not self._place.options.background:
            while self._state.committed.size < size and self._parts.integrator.integrate():
                pass
        with self._state.changed:
            self._state.changed.wait_for(
                lambda: self._state.committed.size >= size or self._state.read_only or self._closed, timeout_s
            )
            if self._state.committed.size < size:
                self._state.require_writable()
                raise NotCommittedError(f"size {size} is not committed yet; {self._state.committed.size} is")

    def checkpoint(self) -> bytes:
        """Return the newest published checkpoint, a signed note."""
        with self._state.changed:
            return self._state.checkpoint

    def witnessed_checkpoint(self) -> bytes | None:
        """Return the newest checkpoint that enough witnesses cosigned, with their lines, or None."""
        with self._state.changed:
            return self._state.witnessed_checkpoint

    def prove_inclusion(self, index: int, size: int) -> list[bytes]:
        """Return the path from the event at `index` to the root of the tree of a committed `size`."""
        return inclusion_path(index, size, self._tiles.at(self._committed(size)))

    def prove_consistency(self, old_size: int, new_size: int) -> list[bytes]:
        """Return the proof that the tree of one committed size begins with the other."""
        return consistency_path(old_size, new_size, self._tiles.at(self._committed(new_size)))

    def find_tile(self, path: str) -> bytes | None:
        """Return a tile or entry bundle by its path below the ledger's prefix, or None; TilePathError if it is none."""
        return self._tiles.find(path)

    def read_entries(self, bundle: int) -> list[bytes]:
        """Return the committed entries of a bundle of 256."""
        return self._tiles.entries(bundle, self._state.committed.size)

    def committed_size(self) -> int:
        """Return the size of the newest published checkpoint."""
        return self._state.committed.size

    def erasure_history(self) -> ErasureHistory:
        """Return what the log says about retention, holds, decisions and erasures so far, read from the log itself."""
        return self._parts.eraser.history()

    def product_events(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield index, time of receipt and facts of the product's own events, in no order."""
        return self._parts.eraser.product_events()

    def erasure_records(self) -> list[ErasureRecord]:
        """Return the erasures that the state directory remembers two people to have decided in a log of this name."""
        return ErasureRecords(self._place.disk, self._place.layout, self.origin).load()

    def erase(self, order: ErasureOrder, admission: ProductAdmission) -> Receipt:
        """Destroy sealed content for good and return the receipt of `content.erased`.

        Raises ErasureRefusedError, with nothing changed, when a verifier would object to the absence. The caller runs
        commands one at a time: no hold is placed meanwhile.
        """
        self._await_decision(order)
        return upkeep.erase(self._parts, self.append, admission, order)

    def rotate_key(self, admission: ProductAdmission, reason: str) -> None:
        """Sign with a new key from now on, and with the old one too until `retire_key`."""
        upkeep.rotate_key(self._parts, self.append, admission, reason)

    def retire_key(self, admission: ProductAdmission) -> None:
        """Write down that the key before the current one ends, stop signing with it, and destroy it."""
        upkeep.retire_key(self._parts, self.append, admission)

    def close(self) -> None:
        """Write what is queued, integrate it, end the threads, release the locks. Doing it twice does nothing."""
        if self._closed:
            return
        self._closed = True
        self._writer.close()
        self._parts.sealing.close()
        self._background.stop()
        with contextlib.suppress(OSError, TallystickError):  # whatever is left undone, the next start does
            self._writer.write_waiting()
            while self._parts.integrator.integrate():
                pass
        self._parts.held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self, admission: ProductAdmission, predecessor: Mapping[str, Any] | None) -> None:
        if self.status().acknowledged.size:
            raise LedgerExistsError(f"{self._place.layout.data} holds a ledger of origin {self.origin}")
        now = self._place.clock.now_us()
        events = genesis_events(self.origin, self.vkeys[0], now, predecessor)
        receipt = self.append(admit_events(admission, events, now), PRODUCT_SOURCE)
        self.wait_committed(receipt.indexes[-1] + 1, 60)

    def _finish_interrupted(self, admission: ProductAdmission | None) -> None:
        order = self._parts.eraser.find_open()
        if admission is None:
            if order is not None:
                self._state.stop_writing("an erasure waits to be finished, and no admission was given to record it")
            return
        if order is not None:
            self._await_decision(order)
            upkeep.carry_out(self._parts, self.append, admission, order)
        if self.recovery.torn_bytes:
            now = self._place.clock.now_us()
            event = recovered_event(self.origin, self._state.acknowledged.size, self.recovery, now)
            self.append(admit_events(admission, [event], now), PRODUCT_SOURCE)

    def _await_decision(self, order: ErasureOrder) -> None:
        """Return once the entries of the decision that an order cites can be read, for the record of it."""
        if order.decision is not None:
            self.wait_committed(max(order.decision.request, *order.decision.approvals) + 1, 60)

    def _committed(self, size: int) -> int:
        committed = self._state.committed.size
        if size > committed:
            raise NotCommittedError(f"size {size} is not committed yet; {committed} is")
        return committed

    def _start(self) -> None:
        state, parts, background = self._state, self._parts, self._background
        background.start("writer", self._write_until_closed)
        background.start(
            "integrator",
            lambda: background.repeat(
                parts.integrator.integrate,
                lambda: state.committed.size < state.acknowledged.size and state.read_only is None,
                self._place.options.integrate_every_s,
            ),
        )
        background.start(
            "sealer",
            lambda: background.repeat(
                lambda: parts.sealing.seal_next() or parts.merging.merge_next(),
                lambda: (
                    state.read_only is None and (parts.sealing.find_ready() is not None or parts.merging.is_ready())
                ),
            ),
        )

        if parts.witnesses is not None:
            follower = parts.witnesses
            background.start(
                "witness",
                lambda: background.repeat(
                    follower.push,
                    lambda: state.read_only is None and follower.due(),
                    self._place.options.witness_every_s,
                ),
            )

    def _write_until_closed(self) -> None:
        writer = self._writer
        while not (writer.closed and not writer.waiting[0]):
            if writer.wait(1.0):
                writer.write_waiting()
            else:
                writer.rotate_if_due()


def _place(
    data: Path, state: Path, name: str | None, clock: Clock | None, disk: Disk | None, options: LedgerOptions | None
) -> Place:
    disk = disk or LocalDisk()
    layout = Layout(data, state, name or current_name(disk, data))
    return Place(disk, layout, clock or SystemClock(), options or LedgerOptions())
