"""Making the proof of one event: its disclosure, its path, and a checkpoint that covers it."""

from __future__ import annotations

from typing import Final, Protocol

from tallystick.event.disclosure import Disclosure, format_disclosure
from tallystick.note.checkpoint import parse_checkpoint
from tallystick.note.note import parse_note
from tallystick.note.proof import Proof, format_proof

COMMIT_S_MAX: Final = 10.0


class Log(Protocol):
    """The part of a ledger that proofs are made from."""

    def wait_committed(self, size: int, timeout_s: float) -> None: ...
    def checkpoint(self) -> bytes: ...
    def witnessed_checkpoint(self) -> bytes | None: ...
    def prove_inclusion(self, index: int, size: int) -> list[bytes]: ...


def prove_event(log: Log, disclosure: Disclosure) -> bytes:
    """Return the C2SP tlog-proof of an event; its `extra` holds the disclosure.

    The checkpoint is the newest that witnesses cosigned, where it covers the event, else the newest. Raises
    NotCommittedError when no checkpoint covers the event within ten seconds.
    """
    log.wait_committed(disclosure.index + 1, COMMIT_S_MAX)
    note = log.witnessed_checkpoint()
    if note is None or size_of(note) <= disclosure.index:
        note = log.checkpoint()
    path = log.prove_inclusion(disclosure.index, size_of(note))
    return format_proof(Proof(disclosure.index, tuple(path), note, format_disclosure(disclosure)))


def size_of(note: bytes) -> int:
    """Return the size of the tree that a checkpoint of our own speaks of."""
    return parse_checkpoint(parse_note(note).text).size
