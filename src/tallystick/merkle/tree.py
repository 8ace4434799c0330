"""Roots and proofs of a tree that lies in tiles, for any size up to the one the tiles hold.

Only right-edge and sibling tiles are read: a proof in a log of 2^k entries reads at most about k/4 tiles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tallystick.errors import InvalidInputError
from tallystick.merkle.hashing import HASH_BYTES, fold_peaks, fold_perfect
from tallystick.merkle.tiles import TILE_HEIGHT, TILE_WIDTH, TileError, tile_path, width_at


class OutsideTreeError(InvalidInputError):
    """An index or a size lies outside the tree that was asked."""

    code = "outside-tree"
    advice = "Ask for an index below the size, and for a size that the log has reached."


class TileReader(Protocol):
    """Where hashes come from."""

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        """Return the tile's bytes: at least its first `width` hashes. A wider tile may be given in its place.

        Raises TileError, or whatever the storage raises, when there is none.
        """
        ...


class SizedTiles:
    """A TileReader over the files of a log of a known size, in which only the newest partial tiles need exist.

    `read` returns a file's bytes by its path, or None when there is none; where a partial tile was cleaned up after
    its full one was written, the full one serves.
    """

    def __init__(self, size: int, read: Callable[[str], bytes | None]) -> None:
        self.size = size
        self._read = read

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        held = width_at(level, index, self.size)
        if width > held:
            raise OutsideTreeError(f"a log of size {self.size} has no {width} hashes in {tile_path(level, index)}")
        for wide in dict.fromkeys((held, TILE_WIDTH)):
            hashes = self._read(tile_path(level, index, wide))
            if hashes is None:
                continue
            if len(hashes) != wide * HASH_BYTES:
                raise TileError(f"{tile_path(level, index, wide)} has {len(hashes)} bytes, not {wide * HASH_BYTES}")
            return hashes
        raise TileError(f"{tile_path(level, index, held)} is missing")


def root_at(size: int, reader: TileReader) -> bytes:
    """Return the root of the tree over the first `size` leaves."""
    if size < 0:
        raise OutsideTreeError(f"there is no tree of size {size}")
    return _Nodes(reader).root(0, size)


def inclusion_path(index: int, size: int, reader: TileReader) -> list[bytes]:
    """Return the inclusion proof of RFC 6962 section 2.1.1, leaf's sibling first; at most 63 hashes."""
    if not 0 <= index < size:
        raise OutsideTreeError(f"index {index} is not inside a tree of size {size}")
    nodes = _Nodes(reader)
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _left_size(end - start)
        if index < middle:
            path.append(nodes.root(middle, end))
            end = middle
        else:
            path.append(nodes.root(start, middle))
            start = middle
    path.reverse()
    return path


def consistency_path(old_size: int, new_size: int, reader: TileReader) -> list[bytes]:
    """Return the consistency proof of RFC 6962 section 2.1.2; empty when the sizes are equal."""
    if not 0 < old_size <= new_size:
        raise OutsideTreeError(f"there is no consistency proof from size {old_size} to size {new_size}")
    nodes = _Nodes(reader)
    path: list[bytes] = []
    start, end = 0, new_size
    while old_size != end:
        middle = start + _left_size(end - start)
        if old_size <= middle:
            path.append(nodes.root(middle, end))
            end = middle
        else:
            path.append(nodes.root(start, middle))
            start = middle
    if start:
        path.append(nodes.root(start, end))
    path.reverse()
    return path


def _left_size(size: int) -> int:
    """Return the largest power of two below `size`: where RFC 6962 splits a tree."""
    return 1 << ((size - 1).bit_length() - 1)


class _Nodes:
    """Roots of ranges, each tile read once; lives for one call."""

    def __init__(self, reader: TileReader) -> None:
        self._reader = reader
        self._tiles: dict[tuple[int, int], bytes] = {}

    def root(self, start: int, end: int) -> bytes:
        """Return the root over the leaves [start, end); `start` is a multiple of every perfect part's size."""
        peaks: list[bytes] = []
        while start < end:
            height = (end - start).bit_length() - 1
            assert start % (1 << height) == 0, "bad math: ranges of a tree are aligned"
            peaks.append(self._perfect(height, start >> height))
            start += 1 << height
        return fold_peaks(peaks)

    def _perfect(self, height: int, number: int) -> bytes:
        """Return the node that stands over the leaves [number * 2^height, (number + 1) * 2^height)."""
        level, rise = divmod(height, TILE_HEIGHT)
        index, first = divmod(number << rise, TILE_WIDTH)
        width = first + (1 << rise)
        hashes = self._tiles.get((level, index), b"")
        if len(hashes) < width * HASH_BYTES:
            hashes = self._reader.read_tile(level, index, width)
            if len(hashes) < width * HASH_BYTES or len(hashes) % HASH_BYTES:
                raise TileError(f"{tile_path(level, index)} holds {len(hashes)} bytes, {width} hashes are needed")
            self._tiles[level, index] = hashes
        return fold_perfect(hashes[first * HASH_BYTES : width * HASH_BYTES])
