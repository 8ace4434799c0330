"""Filters of the words in the personal parts of a segment's events.

Summaries hold filters over facts only and name nobody; these are built when a search with the right to personal data
first needs them, and live in memory only, so that nothing is left of personal data once its segment is replaced.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.query.fold import fold
from tallystick.segment.blocks import BLOCK_ROWS
from tallystick.segment.bloom import bloom_contains, build_bloom
from tallystick.segment.hashing import hash_key
from tallystick.segment.words import hash_words


@dataclass(frozen=True, slots=True)
class WordFilters:
    """One filter for each block of 4096 rows."""

    blocks: tuple[bytes, ...]

    @classmethod
    def build(cls, blocks: Iterable[list[bytes | None]]) -> WordFilters:
        """Return the filters over the personal parts, given by block; about 1 us a row."""
        filters = []
        for rows in blocks:
            text = b" ".join(row for row in rows if row is not None)
            if not text.isascii():
                text = fold(text.decode()).encode()
            filters.append(build_bloom(hash_words(text)))
        return cls(tuple(filters))

    @property
    def size_bytes(self) -> int:
        return sum(map(len, self.blocks))

    def blocks_with(self, words: Iterable[bytes]) -> list[int]:
        """Return the numbers of the blocks that may hold all the words."""
        keys = [hash_key(word) for word in words]
        return [number for number, bloom in enumerate(self.blocks) if all(bloom_contains(bloom, key) for key in keys)]


def block_rows(blocks: Iterable[int], rows: int) -> NDArray[np.bool_]:
    """Return a mask of the rows that stand in the blocks."""
    mask = np.zeros(rows, dtype=np.bool_)
    for number in blocks:
        mask[number * BLOCK_ROWS : (number + 1) * BLOCK_ROWS] = True
    return mask
