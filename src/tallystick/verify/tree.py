"""From entries to the root: every bundle hashed, every tile of the tree compared, the root computed.

Pure Python over whatever reads files by their tile path, so that a directory and a server are checked alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tallystick.errors import VerificationError
from tallystick.event.entry import ENTRY_BYTES, parse_entry
from tallystick.merkle import (
    HASH_BYTES,
    TILE_WIDTH,
    Frontier,
    SizedTiles,
    Tile,
    entries_path,
    hash_leaves,
    parse_entry_bundle,
    root_at,
    tile_path,
)
from tallystick.merkle.hashing import fold_perfect
from tallystick.merkle.tiles import width_at
from tallystick.note import Checkpoint
from tallystick.verify.codes import Code
from tallystick.verify.model import Findings

Read = Callable[[str], bytes | None]
"""Returns a file of the log by its path below the log's prefix, None where there is none."""

STEP_ENTRIES: Final = 64 * 1024
MISSING_MAX: Final = 1000
"""Tiles or bundles of leaves that may be missing before the rest is not looked for: a checkpoint can name any size."""
_HEAD_BYTES: Final = 16


@dataclass(slots=True)
class TreeFacts:
    """What the tree says: its root, and the first index of each class and source number in its entries.

    `given_up` says that too much of it is missing for anything to be said about the rest.
    """

    root: bytes = b""
    given_up: bool = False
    classes: dict[int, int] = field(default_factory=dict)
    sources: dict[int, int] = field(default_factory=dict)


class EntryLog:
    """The entries of a log of a known size, by bundle; keeps the newest bundle read."""

    def __init__(self, size: int, read: Read) -> None:
        self.size = size
        self._read = read
        self._last: tuple[int, list[bytes]] = (-1, [])

    def bundle(self, number: int) -> list[bytes] | None:
        """Return the entries of a bundle as the log of this size has them, None where no file holds them.

        Raises TileError when the file is not a bundle; entries of a wider bundle are cut off.
        """
        if self._last[0] == number:
            return self._last[1]
        width = width_at(0, number, self.size)
        for wide in dict.fromkeys((width, TILE_WIDTH)):
            data = self._read(entries_path(number, wide))
            if data is not None:
                entries = parse_entry_bundle(data)[:width]
                self._last = (number, entries)
                return entries
        return None

    def entry(self, index: int) -> bytes | None:
        """Return the entry at an index, None where it cannot be read."""
        try:
            entries = self.bundle(index // TILE_WIDTH)
        except VerificationError:
            return None
        at = index % TILE_WIDTH
        return entries[at] if entries is not None and at < len(entries) else None

    def received_at(self, index: int) -> int | None:
        """Return when the event at an index was received, in microseconds; None where it cannot be read."""
        data = self.entry(index)
        try:
            return None if data is None else parse_entry(data).received_at
        except VerificationError:
            return None


def check_tree(
    checkpoint: Checkpoint, read: Read, findings: Findings, *, entries: bool, advance: Callable[[int], None]
) -> TreeFacts:
    """Return what the tree of the checkpoint's size is, having compared every tile that it has with what its leaves make.

    Without `entries` (a reader who may not have them) the leaf hashes in the tiles are taken as they are. The caller
    compares the root.
    """
    check = _Check(checkpoint, read, findings, entries=entries)
    size, frontier = checkpoint.size, Frontier()
    for start in range(0, size, STEP_ENTRIES):
        numbers = range(start // TILE_WIDTH, -(-min(start + STEP_ENTRIES, size) // TILE_WIDTH))
        leaves = b"".join([check.leaves(number) for number in numbers])
        frontier, tiles = frontier.grow(leaves)
        for tile in tiles:
            if tile.level and tile.width == width_at(tile.level, tile.index, size):
                check.compare(tile)
        advance(len(leaves) // HASH_BYTES)
        if check.missing > MISSING_MAX:
            check.facts.given_up = True
            break
    check.facts.root = frontier.root
    return check.facts


class _Check:
    """One pass over the tree; remembers the entry before, so that times are compared and equal heads parsed once."""

    def __init__(self, checkpoint: Checkpoint, read: Read, findings: Findings, *, entries: bool) -> None:
        self.facts = TreeFacts()
        self.missing = 0
        self._checkpoint = checkpoint
        self._size = checkpoint.size
        self._read = read
        self._findings = findings
        self._entries = entries
        self._log = EntryLog(checkpoint.size, read)
        self._head = b""
        self._received_at = 0

    def leaves(self, number: int) -> bytes:
        """Return the joined leaf hashes of a bundle that most likely make the root, having noted what is wrong."""
        first, width = number * TILE_WIDTH, width_at(0, number, self._size)
        made = self._made(number, width) if self._entries else None
        tile, place = read_tile(self._read, 0, number, width), tile_path(0, number, width)
        if tile is None:
            self.missing += 1
            self._findings.add(Code.TILE_MISSING, "the tile is missing", place, first)
        elif len(tile) != width * HASH_BYTES:
            self._findings.add(Code.TILE_DIFFERS, f"it has {len(tile)} bytes, not {width * HASH_BYTES}", place, first)
        elif made is None or tile == made:
            return tile
        elif self._is_in_tree(Tile(0, number, width, tile)):
            index = first + first_difference(tile, made) // HASH_BYTES
            message = "the entry is not the one that the tree was made from"
            self._findings.add(Code.BUNDLE_DIFFERS, message, entries_path(number, width), index)
            return tile
        else:
            self._differs(Tile(0, number, width, made), tile)
        return made if made is not None else bytes(width * HASH_BYTES)

    def compare(self, tile: Tile) -> None:
        """Note where the file of a tile is not what the level below makes."""
        found = read_tile(self._read, tile.level, tile.index, tile.width)
        if found is None:
            self._findings.add(Code.TILE_MISSING, "the tile is missing", tile.path)
        elif found != tile.hashes:
            self._differs(tile, found)

    def _differs(self, expected: Tile, found: bytes) -> None:
        at = first_difference(found, expected.hashes) // HASH_BYTES
        under = (expected.index * TILE_WIDTH + at) << (8 * expected.level)
        message = f"hash {at} of the tile is not what the level below makes"
        self._findings.add(Code.TILE_DIFFERS, message, expected.path, under)

    def _is_in_tree(self, tile: Tile) -> bool:
        """Return whether a tile fits what the files above it and the checkpoint say."""
        try:
            if tile.width == TILE_WIDTH:
                above, at = divmod(tile.index, TILE_WIDTH)
                parents = read_tile(self._read, tile.level + 1, above, width_at(tile.level + 1, above, self._size))
                return (parents or b"")[at * HASH_BYTES :][:HASH_BYTES] == fold_perfect(tile.hashes)
            return root_at(self._size, SizedTiles(self._size, self._read)) == self._checkpoint.root
        except VerificationError:
            return False

    def _made(self, number: int, width: int) -> bytes | None:
        """Return the leaf hashes that the entries of a bundle make, None where they cannot be read."""
        first, place = number * TILE_WIDTH, entries_path(number, width)
        try:
            found = self._log.bundle(number)
        except VerificationError as error:
            self._findings.add(Code.BUNDLE_DIFFERS, error.message, place, first)
            return None
        if found is None:
            self._findings.add(Code.BUNDLE_MISSING, "the entry bundle is missing", place, first)
            return None
        if len(found) < width:
            message = f"it holds {len(found)} entries, not {width}"
            self._findings.add(Code.BUNDLE_DIFFERS, message, place, first + len(found))
            return None
        self._check_entries(found, first, place)
        return hash_leaves(found)

    def _check_entries(self, entries: list[bytes], first: int, place: str) -> None:
        for index, data in enumerate(entries, first):
            head = data[:_HEAD_BYTES]
            if head == self._head and len(data) == ENTRY_BYTES:
                continue
            try:
                entry = parse_entry(data)
            except VerificationError as error:
                self._findings.add(Code.ENTRY_INVALID, error.message, place, index)
                continue
            if entry.received_at < self._received_at:
                early = self._received_at - entry.received_at
                message = f"its time of receipt is {early} microseconds before that of an earlier entry"
                self._findings.add(Code.TIME_DECREASES, message, place, index)
            self._head, self._received_at = head, max(entry.received_at, self._received_at)
            self.facts.classes.setdefault(entry.class_number, index)
            self.facts.sources.setdefault(entry.source, index)


def read_tile(read: Read, level: int, index: int, width: int) -> bytes | None:
    """Return the first `width` hashes of a tile, from the file of that width or the full one; None without either."""
    for wide in dict.fromkeys((width, TILE_WIDTH)):
        data = read(tile_path(level, index, wide))
        if data is not None and len(data) == wide * HASH_BYTES:
            return data[: width * HASH_BYTES]
        if data is not None:
            return data  # of a wrong size: it differs from whatever is expected
    return None


def first_difference(one: bytes, other: bytes) -> int:
    """Return the first place at which two byte strings differ."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
