"""Opening a ledger: read back what is on disk, refuse what no crash explains, and hand over to the normal path."""

from __future__ import annotations

from dataclasses import dataclass, field

from tallystick.event.entry import parse_entry
from tallystick.ledger.edge import Edge
from tallystick.ledger.errors import RolledBackError, WalDamagedError
from tallystick.ledger.layout import Layout, parse_wal_name
from tallystick.ledger.model import Progress
from tallystick.ledger.tiles import TileFiles
from tallystick.ledger.wal import WalFile
from tallystick.ledger.wal_scan import NO_FRAME, Scan, scan_file
from tallystick.merkle.hashing import HASH_BYTES
from tallystick.merkle.tiles import TILE_WIDTH
from tallystick.segment.manifest import Manifest, format_manifest, parse_manifest
from tallystick.store.files import Disk


@dataclass(slots=True)
class FoundLog:
    """The unsealed tail as it lies on disk; `nonce` and `previous` let the last file go on."""

    manifest: Manifest
    files: list[WalFile] = field(default_factory=list)
    nonce: bytes = b""
    previous: bytes = NO_FRAME
    torn_bytes: int = 0
    files_removed: int = 0

    @property
    def size(self) -> int:
        return self.files[-1].end_index if self.files else self.manifest.sealed_size


def load_manifest(disk: Disk, layout: Layout) -> Manifest:
    """Return the manifest in force, durable; an empty one before the first file was sealed."""
    if disk.exists(layout.segments):
        disk.sync_dir(layout.segments)  # a swap that reported failure may have happened
    if not disk.exists(layout.manifest):
        return Manifest(version=0, sealed_size=0)
    return parse_manifest(disk.read(layout.manifest))


def save_manifest(disk: Disk, layout: Layout, manifest: Manifest) -> None:
    """Put a manifest in force, durably. After an OSError either is in force; `load_manifest` says which."""
    disk.replace(layout.manifest, format_manifest(manifest))


def find_log(disk: Disk, layout: Layout) -> FoundLog:
    """Return the write-ahead log behind the sealed part; raise WalDamagedError for gaps and damage.

    Removes what an interrupted step left: files being made, files sealed already, a last file without a frame.
    """
    found = FoundLog(load_manifest(disk, layout))
    firsts: list[int] = []
    for name in disk.names(layout.wal):
        first = parse_wal_name(name)
        if first is not None:
            firsts.append(first)
        elif name.endswith(".new"):
            disk.unlink(layout.wal / name)
    previous: bytes | None = None
    for first in sorted(firsts):
        scan = scan_file(disk, layout.wal_file(first), first, previous)
        previous = scan.last_hash or previous
        _take(disk, found, scan, is_last=first == max(firsts))
    for file in found.files[:-1]:
        file.closed = True
    if found.files_removed:
        disk.sync_dir(layout.wal)
    found.previous = previous or NO_FRAME
    return found


def _take(disk: Disk, found: FoundLog, scan: Scan, *, is_last: bool) -> None:
    file, sealed = scan.file, found.manifest.sealed_size
    if scan.torn_bytes and not is_last:
        raise WalDamagedError(f"{file.path} is broken at byte {file.size_bytes}, though a newer file exists")
    if file.first_index < sealed:
        if file.end_index > sealed:
            raise WalDamagedError(f"{file.path} ends at index {file.end_index}, inside what is sealed: {sealed}")
        # Sealed and swapped in; the crash came before the file was dropped.
        disk.unlink(file.path)
        found.files_removed += 1
        return
    if file.first_index != found.size:
        raise WalDamagedError(f"indexes {found.size} to {file.first_index} are in no file of the write-ahead log")
    found.torn_bytes += scan.torn_bytes
    if file.frames:
        found.files.append(file)
        found.nonce = scan.nonce
    elif is_last:
        disk.unlink(file.path)
        found.files_removed += 1
    else:
        raise WalDamagedError(f"{file.path} holds no frame, though a newer file exists")


def check_against_tree(disk: Disk, layout: Layout, found: FoundLog, edge: Edge, published_size: int | None) -> None:
    """Raise unless the log reaches the signed size and its frames have the leaves that were signed."""
    size = edge.frontier.size
    if found.size < size:
        message = f"size {size} was signed, but the data directory holds events only up to index {found.size}"
        if published_size is None or published_size < size:
            raise RolledBackError(message, signed=size)
        raise WalDamagedError(message, signed=size)
    if found.manifest.sealed_size > size:
        raise RolledBackError(f"indexes up to {found.manifest.sealed_size} are sealed, but only {size} were signed")
    reader = TileFiles(disk, layout.ledger).at(size)
    tile, tile_index = b"", -1
    for ref in (ref for file in found.files for ref in file.frames if ref.first_index < size):
        leaves = ref.read().leaves
        index, end = ref.first_index, min(ref.end_index, size)
        while index < end:
            if index // TILE_WIDTH != tile_index:
                tile_index = index // TILE_WIDTH
                tile = reader.read_tile(0, tile_index, min(TILE_WIDTH, size - tile_index * TILE_WIDTH))
            stop = min(end, (tile_index + 1) * TILE_WIDTH)
            at, mine = index % TILE_WIDTH * HASH_BYTES, (index - ref.first_index) * HASH_BYTES
            row = (stop - index) * HASH_BYTES
            if tile[at : at + row] != leaves[mine : mine + row]:
                raise WalDamagedError(f"the events from index {index} to {stop} are not those that were signed")
            index = stop


def last_received(disk: Disk, layout: Layout, found: FoundLog, edge: Edge) -> Progress:
    """Return the acknowledged size and the last stamp: times go on from there."""
    if found.files:
        return Progress(found.size, found.files[-1].frames[-1].received_at)
    size = edge.frontier.size
    if not size:
        return Progress(0, 0)
    entries = TileFiles(disk, layout.ledger).entries((size - 1) // TILE_WIDTH, size)
    return Progress(size, parse_entry(entries[-1]).received_at)
