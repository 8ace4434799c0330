"""Witnessing: every few seconds the newest checkpoint goes to outsiders who refuse to sign a second history.

What they sign is published beside the checkpoint, and the last of each minute is kept. A witness that shows our own
signature on something we do not have means that this copy is not the newest, or that the key is used elsewhere: the
ledger takes no more events. A witness that conflicts without our signature is at fault, and only reported.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from tallystick.clock import Clock
from tallystick.errors import TallystickError, VerificationError
from tallystick.ledger.errors import ForkedError
from tallystick.ledger.integrate import Integrator
from tallystick.ledger.layout import Layout
from tallystick.ledger.model import Progress
from tallystick.ledger.options import LedgerOptions
from tallystick.ledger.state import LedgerState
from tallystick.ledger.tiles import TileFiles
from tallystick.merkle.tree import consistency_path
from tallystick.note.checkpoint import open_checkpoint
from tallystick.note.cosignature import cosigned_at
from tallystick.note.vkey import parse_witness_vkey
from tallystick.store.files import Disk
from tallystick.witness.client import Cosigned, WitnessClient, WitnessConflictError

TIMEOUT_S = 5.0


@dataclass(slots=True)
class _Witness:
    """One witness, with the size that it had when last heard of."""

    client: WitnessClient
    size: int = 0


class WitnessFollower:
    """Pushes checkpoints and keeps what comes back. One round at a time."""

    def __init__(
        self,
        disk: Disk,
        layout: Layout,
        state: LedgerState,
        integrator: Integrator,
        clock: Clock,
        options: LedgerOptions,
    ) -> None:
        self._disk = disk
        self._layout = layout
        self._state = state
        self._integrator = integrator
        self._clock = clock
        self._options = options
        self._tiles = TileFiles(disk, layout.ledger)
        self._witnesses = [
            _Witness(
                WitnessClient(
                    each.url,
                    parse_witness_vkey(each.vkey),
                    monitoring_url=each.monitoring_url,
                    timeout_s=TIMEOUT_S,
                    clock=clock,
                )
            )
            for each in options.witnesses
        ]
        self._pool = ThreadPoolExecutor(max(1, len(self._witnesses)), thread_name_prefix="ledger-witness")
        self._turn = threading.Lock()
        self._pushed = b""
        self._pushed_at = float("-inf")

    def resume(self) -> None:
        """Take up the witnessed checkpoint that was published last, if it still verifies."""
        if not self._disk.exists(self._layout.witnessed):
            return
        note = self._disk.read(self._layout.witnessed)
        keys = [witness.client.key for witness in self._witnesses]
        try:
            opened = open_checkpoint(note, self._integrator.verifiers, keys)
        except VerificationError as error:
            self._state.note_trouble("witness", error)
            return
        times = [cosigned_at(line.value, key.name) for key, line in opened.note.signed if key in keys]
        if times and opened.checkpoint.size <= self._state.committed.size:
            self._state.witness(note, Progress(opened.checkpoint.size, max(times) * 1_000_000))

    def due(self) -> bool:
        """Whether there is a checkpoint to push, or the last push is old enough to renew its time."""
        idle_s = self._clock.monotonic_s() - self._pushed_at
        return self._state.checkpoint != self._pushed or idle_s >= self._options.recosign_every_s

    def push(self) -> None:
        """Offer the newest checkpoint to every witness and publish it with their cosignatures if enough came.

        Raises ForkedError, having stopped the ledger, when a witness shows our signature on another history;
        otherwise the error of a witness that gave nothing, after all were asked.
        """
        with self._turn:
            with self._state.changed:
                note, size = self._state.checkpoint, self._state.committed.size
            answers = list(self._pool.map(lambda witness: self._ask(witness, note), self._witnesses))
            cosigned = [answer for answer in answers if isinstance(answer, Cosigned)]
            errors = [answer for answer in answers if isinstance(answer, TallystickError)]
            if len(cosigned) >= (self._options.witness_quorum or len(self._witnesses)):
                self._publish(note, size, cosigned)
            for error in errors:
                if isinstance(error, WitnessConflictError) and error.published is not None:
                    raise self._forked(error)
            if errors:
                self._state.note_trouble("witness", errors[0])
                raise errors[0]
            self._state.note_trouble("witness", None)
            self._pushed, self._pushed_at = note, self._clock.monotonic_s()

    def close(self) -> None:
        self._pool.shutdown()
        for witness in self._witnesses:
            witness.client.close()

    def _ask(self, witness: _Witness, note: bytes) -> Cosigned | TallystickError:
        verifiers = self._integrator.verifiers
        size = open_checkpoint(note, verifiers).checkpoint.size
        tiles = self._tiles.at(size)
        try:
            answer = witness.client.push_checkpoint(
                note, verifiers, lambda old_size: consistency_path(old_size, size, tiles), known_size=witness.size
            )
        except TallystickError as error:
            return error
        witness.size = size
        return answer

    def _publish(self, note: bytes, size: int, cosigned: Sequence[Cosigned]) -> None:
        witnessed = note + b"".join(answer.line for answer in cosigned)
        now = datetime.fromtimestamp(self._clock.now_us() / 1_000_000, UTC)
        day = self._layout.cosigned / now.strftime("%Y-%m-%d")
        self._disk.mkdirs(day)
        self._disk.replace(day / now.strftime("%H%M"), witnessed)
        self._disk.replace(self._layout.witnessed, witnessed)
        self._state.witness(witnessed, Progress(size, min(answer.time_s for answer in cosigned) * 1_000_000))

    def _forked(self, conflict: WitnessConflictError) -> ForkedError:
        assert conflict.published is not None
        error = ForkedError(
            f"{conflict}; it shows our signature for size {conflict.published.checkpoint.size}",
            size=conflict.published.checkpoint.size,
        )
        self._state.stop_writing(f"{error.code}: {error}")
        return error
