"""Somebody with root on the server and the signing key: everything a careful forger can do to a data directory.

Forgeries are made as well as they can be made: derived files, manifest, tiles and signature are redone wherever the
attack would otherwise be noticed for a lesser reason. Nothing here is used outside tests.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from tallystick.event.disclosure import Disclosure
from tallystick.event.entry import format_entry, parse_entry
from tallystick.event.frame import Frame, parse_frame
from tallystick.merkle import TILE_WIDTH, Frontier, entries_path, format_entry_bundle, hash_leaves, parse_entry_bundle
from tallystick.note import Checkpoint, Ed25519Signer, parse_checkpoint, parse_note, sign_checkpoint
from tallystick.segment.build import SegmentBuilder
from tallystick.segment.content import SCHEMA, ContentFile
from tallystick.segment.manifest import CONTENT, Manifest, SegmentEntry, format_manifest, parse_manifest
from tallystick.store.files import LocalDisk


@dataclass(frozen=True)
class Record:
    """One place in the log: its entry, and its content where there is any."""

    entry: bytes
    content: Disclosure | None


class Attacker:
    """Works on one data directory, while nothing else does."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.ledger = data / "ledger" / "main"
        self.segments = data / "segments" / "main"
        self.signer = Ed25519Signer.from_secret((data / "keys" / "main.signing-key").read_text().strip())

    # -- reading ----------------------------------------------------------------------------------------------------

    @property
    def manifest(self) -> Manifest:
        return parse_manifest((self.segments / "manifest.json").read_bytes())

    @property
    def checkpoint(self) -> Checkpoint:
        return parse_checkpoint(parse_note((self.ledger / "checkpoint").read_bytes()).text)

    def rows(self, entry: SegmentEntry) -> list[Disclosure]:
        return [row for rows in ContentFile(self.segments / entry.path / CONTENT).iterate() for row in rows]

    def segment_of(self, index: int) -> SegmentEntry:
        return next(entry for entry in self.manifest.covering(index) if any(r.index == index for r in self.rows(entry)))

    def wal_files(self) -> list[Path]:
        return sorted((self.ledger / "wal").glob("*.wal"))

    def frames(self) -> Iterator[Frame]:
        for path in self.wal_files():
            data, offset = path.read_bytes(), 0
            while offset < len(data):
                frame = parse_frame(data, offset)
                yield frame
                offset += frame.size_bytes

    def records(self) -> list[Record]:
        """Return the committed log in order."""
        size = self.checkpoint.size
        held = {row.index: row for entry in self.manifest.segments for row in self.rows(entry)}
        held |= {frame.first_index + at: frame.disclosure(at) for frame in self.frames() for at in range(frame.count)}
        entries = [
            entry
            for number in range(-(-size // TILE_WIDTH))
            for entry in parse_entry_bundle(self.bundle(number).read_bytes())
        ]
        return [Record(entry, held.get(index)) for index, entry in enumerate(entries)]

    def bundle(self, number: int) -> Path:
        return self.ledger / entries_path(number, min(TILE_WIDTH, self.checkpoint.size - number * TILE_WIDTH))

    # -- content ----------------------------------------------------------------------------------------------------

    def save_manifest(self, segments: Iterable[SegmentEntry], sealed_size: int | None = None) -> None:
        old = self.manifest
        ordered = tuple(sorted(segments, key=lambda each: (each.first, each.class_number)))
        made = Manifest(
            version=old.version + 1,
            sealed_size=old.sealed_size if sealed_size is None else sealed_size,
            segments=ordered,
        )
        (self.segments / "manifest.json").write_bytes(format_manifest(made))

    def put_segment(self, old: SegmentEntry, rows: Sequence[Disclosure]) -> SegmentEntry:
        """Replace a segment by one with these rows, with columns, summary and manifest that agree with them."""
        made = self.make_segment(rows, old.first, old.size, old.class_number, old.generation)
        self.save_manifest([made if each.path == old.path else each for each in self.manifest.segments])
        return made

    def make_segment(
        self, rows: Sequence[Disclosure], first: int, size: int, class_number: int, generation: int
    ) -> SegmentEntry:
        builder = SegmentBuilder(class_number)
        columns = {name: [getattr(row, name) for row in rows] for name in SCHEMA.names}
        builder.add(pa.table(columns, schema=SCHEMA))
        return builder.write(self.segments, first, size, generation, LocalDisk())

    def change_row(self, index: int, change: Callable[[Disclosure], Disclosure | None]) -> None:
        """Change one event's content, or take it out where `change` returns None; everything derived follows."""
        entry = self.segment_of(index)
        changed = ((change(row) if row.index == index else row) for row in self.rows(entry))
        self.put_segment(entry, [row for row in changed if row is not None])

    # -- the tree ---------------------------------------------------------------------------------------------------

    def sign(self, size: int, root: bytes, signer: Ed25519Signer | None = None) -> bytes:
        """Publish a checkpoint, signed with the stolen key unless another is given."""
        signer = signer or self.signer
        note = sign_checkpoint(Checkpoint(signer.name, size, root), signer)
        (self.ledger / "checkpoint").write_bytes(note)
        return note

    def build_tree(self, entries: Sequence[bytes], *, sign: bool = True) -> None:
        """Replace all tiles by those of these entries, and sign them."""
        shutil.rmtree(self.ledger / "tile")
        frontier, tiles = Frontier().grow(hash_leaves(entries))
        files = {tile.path: tile.hashes for tile in tiles}
        for start in range(0, len(entries), TILE_WIDTH):
            part = entries[start : start + TILE_WIDTH]
            files[entries_path(start // TILE_WIDTH, len(part))] = format_entry_bundle(part)
        for name, data in files.items():
            (self.ledger / name).parent.mkdir(parents=True, exist_ok=True)
            (self.ledger / name).write_bytes(data)
        if sign:
            self.sign(len(entries), frontier.root)

    def drop_cosigned(self) -> None:
        """Remove what witnesses signed from the directory: it would contradict a forgery."""
        shutil.rmtree(self.ledger / "cosigned", ignore_errors=True)
        (self.ledger / "checkpoint.witnessed").unlink(missing_ok=True)

    def forge(self, records: Sequence[Record]) -> None:
        """Make this the whole log: segments, manifest, tiles and checkpoint all agree, and nothing else is left."""
        for path in (*self.wal_files(), *(self.segments / entry.path for entry in self.manifest.segments)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        made = []
        contents = [record.content for record in records if record.content is not None]
        for number in sorted({row.class_number for row in contents}):
            rows = [row for row in contents if row.class_number == number]
            made.append(self.make_segment(rows, 0, len(records), number, 0))
        self.save_manifest(made, len(records))
        self.build_tree([record.entry for record in records])
        self.drop_cosigned()

    # -- small tools ------------------------------------------------------------------------------------------------

    def edit(self, path: Path, at: int, new: bytes) -> None:
        """Overwrite bytes of a file, from the end where `at` is negative."""
        data = bytearray(path.read_bytes())
        at = at % len(data)
        data[at : at + len(new)] = new
        path.write_bytes(data)

    def flip(self, path: Path, at: int) -> None:
        """Invert one byte of a file."""
        self.edit(path, at, bytes([path.read_bytes()[at] ^ 0xFF]))

    def superseded(self, below: str) -> Path:
        """Return a partial tile or bundle that a wider one followed."""
        folders = [Path(folder) for folder, _, _ in os.walk(self.ledger / "tile" / below) if folder.endswith(".p")]
        files = sorted((path for folder in folders for path in folder.iterdir()), key=lambda path: int(path.name))
        assert len(files) > 1, f"nothing was superseded in {below}"
        return files[0]


def recommit(record: Record, **changes: Any) -> Record:
    """Return the place with changed content or stamps and the entry that the change makes."""
    assert record.content is not None
    content = replace(record.content, **changes)
    return Record(format_entry(content.entry()), content)


def renumber(records: Iterable[Record]) -> list[Record]:
    """Return the places in the order given, with their contents at the new indexes."""
    return [
        Record(record.entry, None if record.content is None else replace(record.content, index=index))
        for index, record in enumerate(records)
    ]


def at_time(record: Record, received_at: int) -> Record:
    """Return the place with another time of receipt, in its entry and its content."""
    if record.content is not None:
        return recommit(record, received_at=received_at)
    return Record(format_entry(replace(parse_entry(record.entry), received_at=received_at)), None)
