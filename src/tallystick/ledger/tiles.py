"""The tree on disk: static tlog-tiles files below the ledger's directory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from tallystick.merkle.tiles import (
    TILE_WIDTH,
    Tile,
    TileError,
    entries_path,
    format_entry_bundle,
    new_tiles,
    parse_entry_bundle,
    parse_tile_path,
    tile_path,
)
from tallystick.merkle.tree import SizedTiles
from tallystick.store.files import Disk


class TileFiles:
    """Reads and writes the tiles and entry bundles of one ledger; reading is safe from any thread."""

    def __init__(self, disk: Disk, root: Path) -> None:
        self._disk = disk
        self._root = root

    def find(self, path: str) -> bytes | None:
        """Return the file that a tile path names, or None; raises TilePathError for any other path."""
        parse_tile_path(path)
        return self._read(path)

    def at(self, size: int) -> SizedTiles:
        """Return a reader over the tree of that size."""
        return SizedTiles(size, self._read)

    def entries(self, bundle: int, size: int) -> list[bytes]:
        """Return the entries of a bundle as the tree of `size` has them; none where it does not reach."""
        width = min(TILE_WIDTH, size - bundle * TILE_WIDTH)
        if width <= 0:
            return []
        for wide in dict.fromkeys((width, TILE_WIDTH)):
            data = self._read(entries_path(bundle, wide))
            if data is not None:
                return parse_entry_bundle(data)[:width]
        raise TileError(f"{entries_path(bundle, width)} is missing")

    def put(self, tiles: Iterable[Tile], first_entry: int, entries: Sequence[bytes]) -> None:
        """Return when the tiles and the bundles of `entries` are durable; `first_entry` begins a bundle.

        No checkpoint covers these files yet. One that is there already was left by an attempt that failed.
        """
        files = [(self._root / tile.path, tile.hashes) for tile in tiles]
        for start in range(0, len(entries), TILE_WIDTH):
            part = entries[start : start + TILE_WIDTH]
            path = entries_path((first_entry + start) // TILE_WIDTH, len(part))
            files.append((self._root / path, format_entry_bundle(part)))
        self._disk.put_all(files)

    def drop_partial(self, old_size: int, new_size: int) -> None:
        """Remove the partial tiles that became full between two sizes; readers fall back to the full ones.

        Called after the checkpoint of `new_size` was published. What a crash leaves behind costs only space.
        """
        for tile in new_tiles(old_size, new_size):
            if tile.width != TILE_WIDTH or old_size >> (8 * tile.level) <= tile.index * TILE_WIDTH:
                continue
            self._drop(tile_path(tile.level, tile.index))
            if tile.level == 0:
                self._drop(entries_path(tile.index))

    def _drop(self, full_path: str) -> None:
        path = self._root / PurePosixPath(full_path)
        self._disk.remove_tree(path.with_name(path.name + ".p"))

    def _read(self, path: str) -> bytes | None:
        try:
            return self._disk.read(self._root / path)
        except (FileNotFoundError, NotADirectoryError):
            return None
