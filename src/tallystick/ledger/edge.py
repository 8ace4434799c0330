"""The right edge of the signed tree, read back and checked: where integrating starts, after any interruption."""

from __future__ import annotations

from dataclasses import dataclass

from tallystick.errors import VerificationError
from tallystick.ledger.errors import (
    LastSignedMissingError,
    PublishedAheadError,
    RolledBackError,
    TilesDamagedError,
)
from tallystick.ledger.keys import LedgerKeys
from tallystick.ledger.last_signed import LastSigned
from tallystick.ledger.layout import Layout
from tallystick.ledger.tiles import TileFiles
from tallystick.merkle.frontier import Frontier
from tallystick.merkle.hashing import hash_leaves
from tallystick.merkle.tiles import TILE_WIDTH
from tallystick.merkle.tree import root_at
from tallystick.note.checkpoint import Checkpoint
from tallystick.store.files import Disk


@dataclass(frozen=True, slots=True)
class Edge:
    """The signed tree: its checkpoint, its growing edge, and the entries under the last, partial bundle."""

    note: bytes
    frontier: Frontier
    entries: list[bytes]


def load_edge(disk: Disk, layout: Layout, keys: LedgerKeys, signed: LastSigned) -> Edge:
    """Return the edge that the last-signed record commits to, hashed again from the files.

    Raises LastSignedMissingError without a record, RolledBackError when the files are older than it,
    PublishedAheadError when a checkpoint was published that it does not know, TilesDamagedError otherwise.
    """
    note = signed.find()
    if note is None:
        raise LastSignedMissingError(f"there is no last-signed record of {keys.origin} in {layout.state}")
    checkpoint = keys.open_checkpoint(note)
    published = read_published(disk, layout, keys)
    if published is not None and published.size > checkpoint.size:
        raise PublishedAheadError(
            f"a checkpoint of size {published.size} is published, the last signed one has size {checkpoint.size}"
        )
    return check_edge(disk, layout, note, checkpoint, published)


def read_published(disk: Disk, layout: Layout, keys: LedgerKeys) -> Checkpoint | None:
    """Return the published checkpoint, whose signature must be ours; None when nothing was published yet."""
    if not disk.exists(layout.checkpoint):
        return None
    try:
        return keys.open_checkpoint(disk.read(layout.checkpoint))
    except VerificationError as error:
        raise PublishedAheadError(f"the published checkpoint is not one that this ledger signed: {error}") from error


def check_edge(disk: Disk, layout: Layout, note: bytes, checkpoint: Checkpoint, published: Checkpoint | None) -> Edge:
    """Return the edge of the tree in the files when it has the checkpoint's root and begins with the published one."""
    tiles = TileFiles(disk, layout.ledger)
    size = checkpoint.size
    try:
        frontier = Frontier.load(size, tiles.at(size))
        if frontier.root != checkpoint.root:
            raise TilesDamagedError(f"the tiles do not hash to the root that was signed for size {size}")
        if published is not None and root_at(published.size, tiles.at(size)) != published.root:
            raise PublishedAheadError(f"the checkpoint published for size {published.size} is not of this tree")
        entries = _last_entries(tiles, frontier)
    except VerificationError as error:
        if published is None or published.size < size:
            raise RolledBackError(
                f"a checkpoint of size {size} was signed, but the data directory does not reach it: {error}",
                signed=size,
                published=published.size if published else 0,
            ) from error
        raise TilesDamagedError(f"the tree of size {size} cannot be read back: {error}") from error
    return Edge(note, frontier, entries)


def _last_entries(tiles: TileFiles, frontier: Frontier) -> list[bytes]:
    """Return the entries under the partial bundle; the last bundles must hash to the tiles beside them."""
    bundle, width = divmod(frontier.size, TILE_WIDTH)
    if bundle:
        reader = tiles.at(frontier.size)
        if hash_leaves(tiles.entries(bundle - 1, frontier.size)) != reader.read_tile(0, bundle - 1, TILE_WIDTH):
            raise TilesDamagedError(f"entry bundle {bundle - 1} does not hash to its tile")
    entries = tiles.entries(bundle, frontier.size)
    if hash_leaves(entries) != (frontier.edge[0] if width else b""):
        raise TilesDamagedError(f"entry bundle {bundle} does not hash to its tile")
    return entries
