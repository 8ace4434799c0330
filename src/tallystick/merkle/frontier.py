"""The growing edge of a tree: all that must be known to add leaves and to write the tiles that they complete."""

from __future__ import annotations

from dataclasses import dataclass

from tallystick.merkle.hashing import HASH_BYTES, fold_peaks, fold_perfect, perfect_runs
from tallystick.merkle.tiles import TILE_BYTES, TILE_HEIGHT, TILE_WIDTH, Tile, TileError, tile_path
from tallystick.merkle.tree import TileReader


@dataclass(frozen=True, slots=True)
class Frontier:
    """A tree of `size` leaves by its right edge: `edge[l]` joins the hashes of level l that fill no tile yet.

    A value: growing gives a new one and leaves this one as it was, so whoever fails to write the tiles simply keeps
    the old frontier. The same leaves give the same tiles whatever the steps, so a tile that a crashed run already
    wrote must hold exactly the bytes given here again.
    """

    size: int = 0
    edge: tuple[bytes, ...] = ()

    @property
    def root(self) -> bytes:
        """The root of the tree; EMPTY_ROOT at size 0."""
        return fold_peaks([peak for row in reversed(self.edge) for peak in perfect_runs(row)])

    def grow(self, leaves: bytes) -> tuple[Frontier, list[Tile]]:
        """Return the frontier after joined leaf hashes, and the tiles that the larger tree has and this one has not.

        Tiles come lowest level first, left to right, partial ones only for the new size: what `new_tiles` names.
        About 0.5 us a leaf; one large call costs no more than many small ones save for the partial tiles.
        """
        if len(leaves) % HASH_BYTES:
            raise ValueError("leaf hashes are 32 bytes each")
        tiles: list[Tile] = []
        edge = list(self.edge)
        level, row = 0, leaves
        while row:
            if level == len(edge):
                edge.append(b"")
            row = edge[level] + row
            index = self.size >> (TILE_HEIGHT * (level + 1))
            whole = len(row) - len(row) % TILE_BYTES
            full = [row[at : at + TILE_BYTES] for at in range(0, whole, TILE_BYTES)]
            edge[level] = row[whole:]
            tiles += [Tile(level, index + at, TILE_WIDTH, hashes) for at, hashes in enumerate(full)]
            if edge[level]:
                tiles.append(Tile(level, index + len(full), len(edge[level]) // HASH_BYTES, edge[level]))
            row = b"".join([fold_perfect(hashes) for hashes in full])
            level += 1
        return Frontier(self.size + len(leaves) // HASH_BYTES, tuple(edge)), tiles

    @classmethod
    def load(cls, size: int, reader: TileReader) -> Frontier:
        """Return the frontier of a tree that lies in tiles; raise TileError when its right edge contradicts itself.

        On every level the last full tile is hashed and compared with its parent. The caller compares `root` with the
        checkpoint it trusts, which covers the rest of what was read.
        """
        edge: list[bytes] = []
        full: list[int] = []
        hashes = size
        while hashes:
            count, width = divmod(hashes, TILE_WIDTH)
            edge.append(_exactly(reader, len(edge), count, width) if width else b"")
            full.append(count)
            hashes = count
        above = b""  # the last full tile one level up
        for level in reversed(range(len(edge))):
            if not full[level]:
                continue
            tile = _exactly(reader, level, full[level] - 1, TILE_WIDTH)
            parents = edge[level + 1] or above
            if fold_perfect(tile) != parents[-HASH_BYTES:]:
                raise TileError(f"{tile_path(level, full[level] - 1)} does not hash to its place one level up")
            above = tile
        return cls(size, tuple(edge))


def _exactly(reader: TileReader, level: int, index: int, width: int) -> bytes:
    hashes = reader.read_tile(level, index, width)[: width * HASH_BYTES]
    if len(hashes) != width * HASH_BYTES:
        raise TileError(f"{tile_path(level, index, width)} holds {len(hashes)} bytes, not {width * HASH_BYTES}")
    return hashes
