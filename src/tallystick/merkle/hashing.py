"""The two hashes of RFC 6962 section 2.1 and how rows of them fold into roots."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

HASH_BYTES = 32

#: The root of the tree without entries: SHA-256 of nothing.
EMPTY_ROOT = sha256(b"").digest()


def hash_leaf(data: bytes) -> bytes:
    """Return SHA-256(0x00 || data), the leaf that stands for one entry."""
    return sha256(b"\x00" + data).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right), the parent of two nodes."""
    return sha256(b"\x01" + left + right).digest()


def hash_leaves(entries: Iterable[bytes]) -> bytes:
    """Return the leaf hashes of the entries, joined, 32 bytes each."""
    return b"".join([sha256(b"\x00" + entry).digest() for entry in entries])


def fold_perfect(row: bytes) -> bytes:
    """Return the root over a row of 2^k joined hashes; one comprehension per height, about 0.4 us a hash."""
    count = len(row) // HASH_BYTES
    assert len(row) % HASH_BYTES == 0, "bad math: a row is whole hashes"
    assert count.bit_count() == 1, "bad math: only 2^k hashes fold into a perfect tree"
    nodes = [row[at : at + HASH_BYTES] for at in range(0, len(row), HASH_BYTES)]
    while len(nodes) > 1:
        nodes = [sha256(b"\x01" + left + right).digest() for left, right in zip(nodes[::2], nodes[1::2], strict=True)]
    return nodes[0]


def fold_peaks(peaks: list[bytes]) -> bytes:
    """Return the root over perfect subtrees of falling size, left to right; EMPTY_ROOT when there are none."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = hash_node(peak, root)
    return root


def perfect_runs(row: bytes) -> list[bytes]:
    """Return the roots of the largest perfect subtrees that a row of joined hashes falls into, left to right."""
    peaks: list[bytes] = []
    at, left = 0, len(row) // HASH_BYTES
    while left:
        run = 1 << (left.bit_length() - 1)
        peaks.append(fold_perfect(row[at : at + run * HASH_BYTES]))
        at += run * HASH_BYTES
        left -= run
    return peaks
