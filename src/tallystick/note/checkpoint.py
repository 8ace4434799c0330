"""Checkpoints of c2sp.org/tlog-checkpoint: origin, size and root, in three lines and no more.

Extension lines are refused: whatever could stand in them stands in the log's entries instead, where it is proven.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tallystick.note.ed25519 import Ed25519Verifier
from tallystick.note.keys import NoteKeyError, check_key_name
from tallystick.note.note import NoteError, OpenedNote, Signer, Verifier, format_note, open_note
from tallystick.note.text import SpellingError, format_base64, parse_decimal, parse_hash


class CheckpointError(NoteError):
    """The text of a note is not a checkpoint, or not one of the log that was asked for."""

    code = "checkpoint-invalid"
    advice = "Check that the address and the verification key belong to the same log."


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log commits to: its first `size` entries have this root."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint that its log signed, with the note that carries it."""

    checkpoint: Checkpoint
    note: OpenedNote


def format_checkpoint(checkpoint: Checkpoint) -> bytes:
    """Return the note text: three lines."""
    text = b"%b\n%d\n%b\n" % (checkpoint.origin.encode(), checkpoint.size, format_base64(checkpoint.root))
    assert parse_checkpoint(text) == checkpoint, "a checkpoint made here is one that everybody can read"
    return text


def parse_checkpoint(text: bytes) -> Checkpoint:
    """Return what the note text commits to; raise CheckpointError for anything but three exact lines."""
    lines = text.split(b"\n")
    if len(lines) != 4 or lines[3]:
        raise CheckpointError("a checkpoint has three lines: origin, size and root")
    try:
        origin = lines[0].decode()
        check_key_name(origin)
        return Checkpoint(origin, parse_decimal(lines[1]), parse_hash(lines[2]))
    except UnicodeDecodeError as error:
        raise CheckpointError("the origin of a checkpoint is UTF-8") from error
    except (NoteKeyError, SpellingError) as error:
        raise CheckpointError(f"not a checkpoint: {error.message}") from error


def sign_checkpoint(checkpoint: Checkpoint, *signers: Signer) -> bytes:
    """Return the signed note; every signer's name is the origin."""
    if any(signer.name != checkpoint.origin for signer in signers):
        raise CheckpointError("a log signs with a key that is named as its origin")
    text = format_checkpoint(checkpoint)
    return format_note(text, [signer.sign(text) for signer in signers])


def open_checkpoint(
    data: bytes, logs: Ed25519Verifier | Iterable[Ed25519Verifier], witnesses: Iterable[Verifier] = ()
) -> SignedCheckpoint:
    """Return the checkpoint when one of the log's keys signed it and its origin is that key's name.

    Signatures of the given witnesses are checked too and stand in the opened note; they cannot replace the log's.
    Raises NoteError or one of its kinds otherwise.
    """
    known = (logs,) if isinstance(logs, Ed25519Verifier) else tuple(logs)
    note = open_note(data, [*known, *witnesses])
    checkpoint = parse_checkpoint(note.text)
    if not any(key in known and key.name == checkpoint.origin for key, _ in note.signed):
        raise CheckpointError(f"no trusted key of {checkpoint.origin} signed the checkpoint")
    return SignedCheckpoint(checkpoint, note)
