"""The one 64-bit hash that every filter in a summary uses, for one key at a time and for whole arrays of keys.

It reads the first eight bytes, the last eight bytes and the length, so two long keys may share it; filters answer
"perhaps" anyway. Nothing here protects against a forger.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

_MASK: Final = (1 << 64) - 1
_K1: Final = 0x9E3779B97F4A7C15
_K2: Final = 0xBF58476D1CE4E5B9
_K3: Final = 0x94D049BB133111EB
_EDGE_BYTES: Final = 8
_LOW_BYTES: Final = np.array([(1 << (8 * n)) - 1 for n in range(_EDGE_BYTES + 1)], dtype=np.uint64)


def hash_key(key: bytes) -> int:
    """Return the hash of one key."""
    first = int.from_bytes(key[:_EDGE_BYTES], "little")
    last = int.from_bytes(key[-_EDGE_BYTES:], "little")
    mixed = ((first ^ (len(key) * _K1 & _MASK)) * _K2) & _MASK
    mixed ^= mixed >> 32
    mixed = ((mixed ^ last) * _K3) & _MASK
    mixed ^= mixed >> 29
    mixed = (mixed * _K1) & _MASK
    return mixed ^ (mixed >> 32)


def hash_slices(buffer: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Hashes:
    """Return the hashes of `buffer[start:end]` for each pair; no slice is empty."""
    padded = bytes(_EDGE_BYTES) + buffer + bytes(_EDGE_BYTES)
    at = np.ndarray((len(padded) - _EDGE_BYTES + 1,), dtype="<u8", buffer=padded, strides=(1,))
    sizes = (ends - starts).astype(np.uint64)
    low = _LOW_BYTES[np.minimum(sizes, np.uint64(_EDGE_BYTES))]
    first = at[starts + _EDGE_BYTES] & low
    short = sizes < _EDGE_BYTES
    last = np.where(short, first, at[ends])
    mixed = (first ^ (sizes * np.uint64(_K1))) * np.uint64(_K2)
    mixed ^= mixed >> np.uint64(32)
    mixed = (mixed ^ last) * np.uint64(_K3)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(_K1)
    return mixed ^ (mixed >> np.uint64(32))


def hash_keys(keys: list[bytes]) -> Hashes:
    """Return the hashes of many keys of any lengths above zero."""
    sizes = np.fromiter(map(len, keys), dtype=np.int64, count=len(keys))
    ends = np.cumsum(sizes)
    return hash_slices(b"".join(keys), ends - sizes, ends)
