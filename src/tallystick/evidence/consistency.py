"""Whether the log of one size begins with the log of another: the proof, made and checked."""

from __future__ import annotations

from typing import Protocol

import msgspec

from tallystick.errors import InvalidInputError
from tallystick.ledger.model import LedgerStatus
from tallystick.merkle.proof import verify_consistency
from tallystick.merkle.tree import SizedTiles, root_at


class SizesInvalidError(InvalidInputError):
    """Two sizes between which nothing can be proven."""

    code = "sizes-invalid"
    advice = "Give an earlier size of at least 1, and a later one that the log has committed."


class Log(Protocol):
    """The part of a ledger that proofs are made from."""

    def status(self) -> LedgerStatus: ...
    def find_tile(self, path: str) -> bytes | None: ...
    def prove_consistency(self, old_size: int, new_size: int) -> list[bytes]: ...


class Consistency(msgspec.Struct, frozen=True, kw_only=True):
    """The roots of both sizes and the hashes that lead from one to the other; all hexadecimal."""

    old_size: int
    new_size: int
    old_root: str
    new_root: str
    path: tuple[str, ...]


def prove_consistency(log: Log, old_size: int, new_size: int) -> Consistency:
    """Return the proof between two committed sizes, checked here as a reader elsewhere would check it.

    Raises SizesInvalidError; ProofError when the log's own tiles contradict each other.
    """
    committed = log.status().committed.size
    if not 0 < old_size <= new_size <= committed:
        raise SizesInvalidError(f"there is no proof from size {old_size} to {new_size}; {committed} is committed")
    tiles = SizedTiles(committed, log.find_tile)
    old_root, new_root = root_at(old_size, tiles), root_at(new_size, tiles)
    path = log.prove_consistency(old_size, new_size)
    verify_consistency(old_size, new_size, old_root, new_root, path)
    return Consistency(
        old_size=old_size,
        new_size=new_size,
        old_root=old_root.hex(),
        new_root=new_root.hex(),
        path=tuple(each.hex() for each in path),
    )
