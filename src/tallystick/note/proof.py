"""Proofs of c2sp.org/tlog-proof: one entry's place in a log, in a file that stands alone.

A proof holds the index, the path from the entry to the root, the checkpoint as the log and its witnesses signed it,
and extra bytes that nothing vouches for: here the disclosure from which the reader rebuilds the entry.
"""

from __future__ import annotations

from dataclasses import dataclass

from tallystick.errors import VerificationError
from tallystick.note.checkpoint import parse_checkpoint
from tallystick.note.note import NoteError, parse_note
from tallystick.note.text import SpellingError, format_base64, parse_base64, parse_decimal, parse_hash

PROOF_BYTES_MAX = 4 * 1024 * 1024
PATH_MAX = 63

_FIRST_LINE = b"c2sp.org/tlog-proof@v1"


class ProofFormatError(VerificationError):
    """Bytes are not a proof of c2sp.org/tlog-proof."""

    code = "proof-format-invalid"
    advice = "A proof is a text file of the kind .tlog-proof; download it again."


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof as it was read: nothing in it is verified. `extra` is empty when the proof has none."""

    index: int
    path: tuple[bytes, ...]
    checkpoint_note: bytes
    extra: bytes = b""


def format_proof(proof: Proof) -> bytes:
    """Return the bytes of the proof file; raise ProofFormatError when they could not be read back."""
    lines = [_FIRST_LINE]
    if proof.extra:
        lines.append(b"extra " + format_base64(proof.extra))
    lines.append(b"index %d" % proof.index)
    lines += [format_base64(sibling) for sibling in proof.path]
    data = b"\n".join(lines) + b"\n\n" + proof.checkpoint_note
    if parse_proof(data) != proof:
        raise ProofFormatError("the proof cannot be written as a file")
    return data


def parse_proof(data: bytes) -> Proof:
    """Return what the file says; raise ProofFormatError unless every line is in its place and exact."""
    if len(data) > PROOF_BYTES_MAX:
        raise ProofFormatError(f"a proof has at most {PROOF_BYTES_MAX} bytes, not {len(data)}")
    head, blank, checkpoint_note = data.partition(b"\n\n")
    lines = head.split(b"\n")
    if not blank or lines.pop(0) != _FIRST_LINE:
        raise ProofFormatError(f"a proof begins with {_FIRST_LINE.decode()} and holds a checkpoint")
    try:
        extra = parse_base64(lines.pop(0).removeprefix(b"extra ")) if lines[:1] and lines[0][:6] == b"extra " else None
        if extra == b"":
            raise ProofFormatError("a proof without extra data has no extra line")
        if not lines or not lines[0].startswith(b"index "):
            raise ProofFormatError("a proof names the index of its entry")
        index = parse_decimal(lines.pop(0).removeprefix(b"index "))
        if len(lines) > PATH_MAX:
            raise ProofFormatError(f"a path has at most {PATH_MAX} hashes, not {len(lines)}")
        path = tuple(parse_hash(line) for line in lines)
        checkpoint = parse_checkpoint(parse_note(checkpoint_note).text)
    except (SpellingError, NoteError) as error:
        raise ProofFormatError(f"not a proof: {error.message}") from error
    if index >= checkpoint.size:
        raise ProofFormatError(f"index {index} is not inside the checkpoint's size {checkpoint.size}")
    return Proof(index, path, checkpoint_note, extra or b"")
