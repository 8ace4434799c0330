"""Checking inclusion and consistency: RFC 9162 sections 2.1.3.2 and 2.1.4.2, and the same for subtrees.

The shape of a proof follows from index and sizes alone, never from the proof; every hash must be used and every
hash is 32 bytes. Sizes and indexes come from what the caller pinned, not from whoever sent the proof.
"""

from __future__ import annotations

from collections.abc import Sequence

from tallystick.errors import VerificationError
from tallystick.merkle.hashing import EMPTY_ROOT, HASH_BYTES, hash_node

SIZE_MAX = 2**63 - 1


class ProofError(VerificationError):
    """A Merkle proof does not show what it was given for."""

    code = "proof-invalid"
    advice = "Fetch the proof again; if it still fails, keep it: it may show that the log was changed."


def verify_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> None:
    """Return when `leaf` stands at `index` of the tree with that size and root; raise ProofError otherwise."""
    if not 0 <= index < size <= SIZE_MAX:
        raise ProofError(f"index {index} is not inside a tree of size {size}")
    _require_hashes(leaf, *path)
    first, last, node = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ProofError("the inclusion path is longer than the tree is high")
        if first & 1 or first == last:
            node = hash_node(sibling, node)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            node = hash_node(node, sibling)
        first, last = first >> 1, last >> 1
    if last:
        raise ProofError("the inclusion path is shorter than the tree is high")
    if node != root:
        raise ProofError(f"the entry is not at index {index} of the tree of size {size} with this root")


def verify_consistency(old_size: int, new_size: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> None:
    """Return when the tree of `new_size` begins with the tree of `old_size`; raise ProofError otherwise.

    Nothing can be proven from size 0, so it is refused: what an empty start means is the caller's decision.
    """
    if old_size <= 0:
        raise ProofError("a consistency proof begins at a tree with entries")
    verify_subtree_consistency(0, old_size, new_size, subtree_root=old_root, root=new_root, path=path)


def verify_subtree_inclusion(
    index: int, start: int, end: int, *, leaf: bytes, path: Sequence[bytes], subtree_root: bytes
) -> None:
    """Return when `leaf` stands at `index` of the subtree [start, end); raise ProofError otherwise."""
    _require_subtree(start, end, SIZE_MAX)
    if not start <= index < end:
        raise ProofError(f"index {index} is not inside the subtree [{start}, {end})")
    verify_inclusion(index - start, end - start, leaf, path, subtree_root)


def verify_subtree_consistency(
    start: int, end: int, size: int, *, subtree_root: bytes, root: bytes, path: Sequence[bytes]
) -> None:
    """Return when the subtree [start, end) is part of the tree with that size and root; raise ProofError otherwise.

    An empty subtree is part of every tree: then only its own root and the empty path are checked. With an empty path
    roots are compared and nothing is hashed, so their length is then whatever the caller pinned.
    """
    _require_subtree(start, end, size)
    if path:
        _require_hashes(subtree_root, *path)
    if start == end:
        if path or subtree_root != EMPTY_ROOT:
            raise ProofError("an empty subtree has the empty root and an empty proof")
        return
    first, last, tree_last = start, end - 1, size - 1
    to_the_edge = last == tree_last
    while first != last and (to_the_edge or last & 1):
        first, last, tree_last = first >> 1, last >> 1, tree_last >> 1
    # `last` is now the largest node that ends the subtree and stands unchanged in both trees. Where the subtree is
    # that one node, the proof starts from its root; otherwise the proof names the node first.
    rest = list(path)
    if first == last:
        inner = outer = subtree_root
    elif rest:
        inner = outer = rest.pop(0)
    else:
        raise ProofError("the consistency proof is empty")
    for sibling in rest:
        if tree_last == 0:
            raise ProofError("the consistency proof is longer than the tree is high")
        if last & 1 or last == tree_last:
            if first < last:
                inner = hash_node(sibling, inner)
            outer = hash_node(sibling, outer)
            while not last & 1:
                first, last, tree_last = first >> 1, last >> 1, tree_last >> 1
        else:
            outer = hash_node(outer, sibling)
        first, last, tree_last = first >> 1, last >> 1, tree_last >> 1
    if tree_last:
        raise ProofError("the consistency proof is shorter than the tree is high")
    if inner != subtree_root:
        raise ProofError("the consistency proof does not lead to the older root")
    if outer != root:
        raise ProofError("the consistency proof does not lead to the newer root")


def _require_hashes(*hashes: bytes) -> None:
    if any(len(value) != HASH_BYTES for value in hashes):
        raise ProofError("every hash in a proof is 32 bytes")


def _require_subtree(start: int, end: int, size: int) -> None:
    """Refuse ranges that are no subtree: `start` must be a multiple of the power of two that holds the range."""
    if not 0 <= start <= end <= size <= SIZE_MAX:
        raise ProofError(f"[{start}, {end}) does not lie inside a tree of size {size}")
    if end > start and start % (1 << (end - start - 1).bit_length()):
        raise ProofError(f"[{start}, {end}) is not a subtree")
