"""A witness: one key, the logs it follows, and the record of what it cosigned."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from tallystick.clock import Clock, SystemClock
from tallystick.note import Checkpoint, CosignatureSigner, Ed25519Verifier, format_note, format_signature
from tallystick.witness.record import WitnessRecord, open_directory
from tallystick.witness.rules import InconsistentCheckpointError, check_progress, logs_by_origin, read_submission

_telemetry = logging.getLogger("tallystick.witness")


class Witness:
    """Cosigns checkpoints that continue what it cosigned before. Safe for many threads."""

    def __init__(
        self, signer: CosignatureSigner, record: WitnessRecord, logs: Iterable[Ed25519Verifier], clock: Clock
    ) -> None:
        self._signer = signer
        self._record = record
        self._logs = logs_by_origin(logs)
        self._clock = clock

    @property
    def vkey(self) -> str:
        """The verification key, to be pinned by those who trust this witness."""
        return self._signer.vkey

    @property
    def origins(self) -> tuple[str, ...]:
        return tuple(self._logs)

    def add_checkpoint(self, body: bytes) -> bytes:
        """Return our signature line for the checkpoint in the request, recorded on disk before this returns.

        Raises one of `rules.REFUSALS` when the rules refuse it, WitnessStorageError when it cannot be recorded.
        """
        submission = read_submission(body, self._logs)
        lines: list[bytes] = []

        def decide(recorded: Checkpoint | None) -> tuple[Checkpoint, bytes]:
            check_progress(submission, recorded)
            signature = self._signer.cosign(submission.note.text, self._clock.now_us() // 1_000_000)
            lines.append(format_signature(signature))
            signed = [theirs for _, theirs in submission.note.signed]
            return submission.checkpoint, format_note(submission.note.text, [*signed, signature])

        try:
            self._record.replace(submission.checkpoint.origin, decide)
        except InconsistentCheckpointError as error:
            # The log's own signature is on it: where it is a fork, these bytes are the proof, so they are kept.
            level = logging.ERROR if error.fork else logging.WARNING
            _telemetry.log(level, "refused a signed checkpoint: %s: %r", error.message, body)
            raise
        return lines[0]

    def find_checkpoint(self, origin_hash: str) -> bytes | None:
        """Return the last checkpoint cosigned for the origin with that hexadecimal SHA-256, with both signatures."""
        return self._record.find_note(origin_hash)

    def close(self) -> None:
        self._record.close()


def open_witness(
    data_dir: Path, name: str | None, logs: Iterable[Ed25519Verifier], clock: Clock | None = None
) -> Witness:
    """Return the witness that lives in the directory, made there on first use under `name`."""
    signer, record = open_directory(data_dir, name)
    return Witness(signer, record, logs, clock or SystemClock())
