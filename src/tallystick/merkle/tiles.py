"""Tiles of c2sp.org/tlog-tiles: which files a tree consists of, how they are named, and entry bundles.

A tile holds up to 256 joined hashes of one level; level 0 holds leaves, and a hash at level l+1 is the root of a full
tile at level l. A partial tile is the right edge of its level and is never hashed upward as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tallystick.errors import InvalidInputError, VerificationError
from tallystick.merkle.hashing import HASH_BYTES

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
TILE_BYTES = TILE_WIDTH * HASH_BYTES
LEVEL_MAX = 63
ENTRY_BYTES_MAX = 0xFFFF

_PATH = re.compile(
    r"tile/(?P<level>entries|[0-9]|[1-5][0-9]|6[0-3])/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)


class TilePathError(InvalidInputError):
    """A path does not name a tile or an entry bundle."""

    code = "tile-path-invalid"
    advice = "Tiles are named tile/<level>/<index>[.p/<width>], as c2sp.org/tlog-tiles says."


class TileError(VerificationError):
    """The bytes of a tile or an entry bundle are not what its place in the tree calls for."""

    code = "tile-invalid"
    advice = "Compare the file with another copy of the log; `tallystick verify` names every one that differs."


@dataclass(frozen=True, slots=True)
class TileId:
    """The place and width of a tile of hashes."""

    level: int
    index: int
    width: int


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile of hashes with its bytes."""

    level: int
    index: int
    width: int
    hashes: bytes

    @property
    def path(self) -> str:
        return tile_path(self.level, self.index, self.width)


@dataclass(frozen=True, slots=True)
class TilePath:
    """What a path says; `level` is None for an entry bundle."""

    level: int | None
    index: int
    width: int


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """Return the path of a hash tile, such as `tile/0/x001/x234/067.p/5`."""
    if not 0 <= level <= LEVEL_MAX:
        raise TilePathError(f"tile level {level} is not between 0 and {LEVEL_MAX}")
    return f"tile/{level}/{_numbered(index, width)}"


def entries_path(index: int, width: int = TILE_WIDTH) -> str:
    """Return the path of the bundle that holds the entries under the level-0 tile of that index."""
    return f"tile/entries/{_numbered(index, width)}"


def parse_tile_path(path: str) -> TilePath:
    """Return what the path names; raise TilePathError for anything but the one spelling of a tile's path."""
    match = _PATH.fullmatch(path)
    if match is None or path.count("/") > 10:
        raise TilePathError(f"{path[:100]!r} does not name a tile")
    level = None if match["level"] == "entries" else int(match["level"])
    index = int(match["index"].replace("/", "").replace("x", ""))
    width = int(match["width"] or TILE_WIDTH)
    if path != (entries_path(index, width) if level is None else tile_path(level, index, width)):
        raise TilePathError(f"{path[:100]!r} does not name a tile in its one spelling")
    return TilePath(level, index, width)


def tiles_for_size(size: int) -> Iterator[TileId]:
    """Yield every hash tile of a tree, level by level, left to right; the bundles are those of level 0."""
    return new_tiles(0, size)


def new_tiles(old_size: int, new_size: int) -> Iterator[TileId]:
    """Yield the hash tiles that the tree of `new_size` has and the tree of `old_size` has not, lowest level first."""
    assert 0 <= old_size <= new_size, "bad math: a tree only grows"
    level = 0
    while new_size:
        for index in range(old_size >> TILE_HEIGHT, new_size >> TILE_HEIGHT):
            yield TileId(level, index, TILE_WIDTH)
        if new_size > old_size and new_size % TILE_WIDTH:
            yield TileId(level, new_size >> TILE_HEIGHT, new_size % TILE_WIDTH)
        level, old_size, new_size = level + 1, old_size >> TILE_HEIGHT, new_size >> TILE_HEIGHT


def width_at(level: int, index: int, size: int) -> int:
    """Return how many hashes that tile has in the tree of `size`; 0 when the tree does not reach it."""
    hashes = size >> (TILE_HEIGHT * level)
    return max(0, min(TILE_WIDTH, hashes - index * TILE_WIDTH))


def format_entry_bundle(entries: Sequence[bytes]) -> bytes:
    """Return the entries, each behind its length as two big-endian bytes."""
    if not 0 < len(entries) <= TILE_WIDTH:
        raise TileError(f"an entry bundle holds 1 to {TILE_WIDTH} entries, not {len(entries)}")
    if any(len(entry) > ENTRY_BYTES_MAX for entry in entries):
        raise TileError(f"an entry in a bundle has at most {ENTRY_BYTES_MAX} bytes")
    return b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])


def parse_entry_bundle(data: bytes) -> list[bytes]:
    """Return the entries of a bundle; raise TileError unless it holds 1 to 256 whole entries and nothing else."""
    entries: list[bytes] = []
    at = 0
    while at < len(data):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        if start > len(data) or at > len(data):
            raise TileError("the entry bundle ends inside an entry")
        entries.append(data[start:at])
    if not 0 < len(entries) <= TILE_WIDTH:
        raise TileError(f"an entry bundle holds 1 to {TILE_WIDTH} entries, not {len(entries)}")
    return entries


def _numbered(index: int, width: int) -> str:
    if not 0 <= index < 2**63:
        raise TilePathError(f"tile index {index} is not between 0 and 2^63 - 1")
    if not 1 <= width <= TILE_WIDTH:
        raise TilePathError(f"tile width {width} is not between 1 and {TILE_WIDTH}")
    digits = str(index)
    digits = digits.rjust(-len(digits) % 3 + len(digits), "0")
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    name = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return name if width == TILE_WIDTH else f"{name}.p/{width}"
