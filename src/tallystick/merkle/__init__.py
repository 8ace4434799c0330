"""The Merkle log: RFC 6962 hashes, proofs and their checks, and the tiles of c2sp.org/tlog-tiles.

Pure functions over bytes, standard library only: nothing here opens a file, reads a clock or keeps state. Verifying
functions return None or raise; what they check against is always given by the caller, never taken from the proof.
"""

from __future__ import annotations

from tallystick.merkle.frontier import Frontier
from tallystick.merkle.hashing import EMPTY_ROOT, HASH_BYTES, hash_leaf, hash_leaves, hash_node
from tallystick.merkle.proof import (
    SIZE_MAX,
    ProofError,
    verify_consistency,
    verify_inclusion,
    verify_subtree_consistency,
    verify_subtree_inclusion,
)
from tallystick.merkle.tiles import (
    TILE_BYTES,
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    TileError,
    TileId,
    TilePath,
    TilePathError,
    entries_path,
    format_entry_bundle,
    new_tiles,
    parse_entry_bundle,
    parse_tile_path,
    tile_path,
    tiles_for_size,
)
from tallystick.merkle.tree import (
    OutsideTreeError,
    SizedTiles,
    TileReader,
    consistency_path,
    inclusion_path,
    root_at,
)

__all__ = [
    "EMPTY_ROOT",
    "HASH_BYTES",
    "SIZE_MAX",
    "TILE_BYTES",
    "TILE_HEIGHT",
    "TILE_WIDTH",
    "Frontier",
    "OutsideTreeError",
    "ProofError",
    "SizedTiles",
    "Tile",
    "TileError",
    "TileId",
    "TilePath",
    "TilePathError",
    "TileReader",
    "consistency_path",
    "entries_path",
    "format_entry_bundle",
    "hash_leaf",
    "hash_leaves",
    "hash_node",
    "inclusion_path",
    "new_tiles",
    "parse_entry_bundle",
    "parse_tile_path",
    "root_at",
    "tile_path",
    "tiles_for_size",
    "verify_consistency",
    "verify_inclusion",
    "verify_subtree_consistency",
    "verify_subtree_inclusion",
]
