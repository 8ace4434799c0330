"""What a witness answers to an add-checkpoint request: the rules of c2sp.org/tlog-witness, over bytes alone.

A request is judged in two steps. `read_submission` needs nothing but the configured logs; `check_progress` compares
with the recorded checkpoint and belongs inside the transaction that replaces it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from tallystick.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, VerificationError
from tallystick.merkle import EMPTY_ROOT, ProofError, verify_consistency
from tallystick.note import (
    Checkpoint,
    Ed25519Verifier,
    NoteError,
    OpenedNote,
    SpellingError,
    open_note,
    parse_checkpoint,
    parse_note,
)
from tallystick.note.text import format_base64, parse_decimal, parse_hash

PATH_MAX = 63
REQUEST_BYTES_MAX = 256 * 1024

Logs = Mapping[str, Sequence[Ed25519Verifier]]


class MalformedRequestError(InvalidInputError):
    """The request is not what the protocol calls for."""

    code = "witness-request-malformed"
    advice = "Send `old SIZE`, the consistency proof, a blank line and the checkpoint, as c2sp.org/tlog-witness says."
    status: ClassVar[int] = 400


class UnknownLogError(NotFoundError):
    """The witness does not follow a log of that origin."""

    code = "witness-log-unknown"
    advice = "Ask the witness's operator to add the log's verification key."
    status: ClassVar[int] = 404


class UntrustedCheckpointError(ForbiddenError):
    """No key that the witness trusts for the origin signed the checkpoint, or such a signature does not verify."""

    code = "witness-checkpoint-untrusted"
    advice = "Check that the witness was given the log's present verification key."
    status: ClassVar[int] = 403


class StaleSizeError(ConflictError):
    """The request starts from another size than the one the witness recorded; `size` is the recorded one."""

    code = "witness-size-stale"
    advice = "Send the request again with a proof from the size in the answer."
    status: ClassVar[int] = 409

    def __init__(self, size: int) -> None:
        super().__init__(f"the last checkpoint recorded here has size {size}", size=size)
        self.size = size


class InconsistentCheckpointError(VerificationError):
    """The checkpoint is not shown to continue the recorded one; `fork` when it has the same size and another root."""

    code = "witness-checkpoint-inconsistent"
    advice = "If the log made this request itself, it holds another history than it showed before: stop and compare."
    status: ClassVar[int] = 422

    def __init__(self, message: str, *, fork: bool = False) -> None:
        super().__init__(message)
        self.fork = fork


REFUSALS = (
    MalformedRequestError,
    UnknownLogError,
    UntrustedCheckpointError,
    StaleSizeError,
    InconsistentCheckpointError,
)


@dataclass(frozen=True, slots=True)
class Submission:
    """A checkpoint that its log signed, offered with a proof from `old_size`."""

    old_size: int
    path: tuple[bytes, ...]
    checkpoint: Checkpoint
    note: OpenedNote


def logs_by_origin(keys: Iterable[Ed25519Verifier]) -> Logs:
    """Return the keys under the origin that each is named as; a log may have several while it changes its key."""
    logs: dict[str, list[Ed25519Verifier]] = {}
    for key in keys:
        logs.setdefault(key.name, []).append(key)
    return logs


def format_request(old_size: int, path: Sequence[bytes], note: bytes) -> bytes:
    """Return the body of an add-checkpoint request."""
    lines = [b"old %d\n" % old_size, *(format_base64(sibling) + b"\n" for sibling in path)]
    return b"".join(lines) + b"\n" + note


def read_submission(body: bytes, logs: Logs) -> Submission:
    """Return the request when a known log signed it; raise MalformedRequestError, UnknownLogError or
    UntrustedCheckpointError otherwise.
    """
    head, blank, note = body.partition(b"\n\n")
    lines = head.split(b"\n")
    if not blank or not lines[0].startswith(b"old ") or len(lines) > 1 + PATH_MAX:
        raise MalformedRequestError(f"a request has an old size, at most {PATH_MAX} hashes, a blank line and a note")
    try:
        old_size = parse_decimal(lines[0].removeprefix(b"old "))
        path = tuple(parse_hash(line) for line in lines[1:])
        checkpoint = parse_checkpoint(parse_note(note).text)
    except (SpellingError, NoteError) as error:
        raise MalformedRequestError(f"not a request: {error.message}") from error
    keys = logs.get(checkpoint.origin)
    if keys is None:
        raise UnknownLogError("no log of this origin is followed here")
    try:
        opened = open_note(note, keys)
    except NoteError as error:
        raise UntrustedCheckpointError(error.message) from error
    if old_size > checkpoint.size:
        raise MalformedRequestError(f"the old size {old_size} lies beyond the checkpoint's size {checkpoint.size}")
    return Submission(old_size, path, checkpoint, opened)


def check_progress(submission: Submission, recorded: Checkpoint | None) -> None:
    """Return when the submission continues what was recorded for its origin (None: nothing yet).

    Raises StaleSizeError or InconsistentCheckpointError otherwise. The same checkpoint again is accepted: it renews
    the time of the cosignature.
    """
    new = submission.checkpoint
    old = recorded or Checkpoint(new.origin, 0, EMPTY_ROOT)
    assert old.origin == new.origin, "a checkpoint is compared with one of its own log"
    if submission.old_size != old.size:
        raise StaleSizeError(old.size)
    if new.size == old.size and new.root != old.root:
        raise InconsistentCheckpointError(f"size {old.size} has another root", fork=recorded is not None)
    if old.size == 0:
        if submission.path:
            raise InconsistentCheckpointError("a consistency proof from size 0 is empty")
        return
    try:
        verify_consistency(old.size, new.size, old.root, new.root, submission.path)
    except ProofError as error:
        raise InconsistentCheckpointError(error.message) from error
