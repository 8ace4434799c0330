"""One consistent look at a data directory that a running server may be changing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tallystick.errors import CorruptionError
from tallystick.segment.manifest import Manifest, parse_manifest, parse_segment_name
from tallystick.verify.anchors import Anchor
from tallystick.verify.codes import Code
from tallystick.verify.files import read_plain
from tallystick.verify.model import CouldNotCheckError, Findings
from tallystick.verify.tail import TailFile, read_tail

FIRST_NAME: Final = "main"
LOOKS_MAX: Final = 20
SMALL_FILE_BYTES_MAX: Final = 256 << 20
"""Of a checkpoint or a manifest."""
FIRST_WAL_NAME: Final = f"{0:016d}.wal"
_LEDGER_FILES: Final = frozenset({"checkpoint", "checkpoint.witnessed", "erasing.json", "lock"})
_LEDGER_FOLDERS: Final = frozenset({"cosigned", "tile", "wal"})


@dataclass(frozen=True, slots=True)
class Home:
    """Where the files of the ledger called `name` lie (`docs/format/ledger.md`)."""

    data: Path
    name: str

    @property
    def ledger(self) -> Path:
        return self.data / "ledger" / self.name

    @property
    def segments(self) -> Path:
        return self.data / "segments" / self.name

    def named(self, path: Path) -> str:
        """Return a path as findings name it."""
        return path.relative_to(self.data).as_posix()


def find_home(data: Path, name: str | None = None) -> Home:
    """Return the ledger of that name, or the one that the directory writes to; CouldNotCheckError without one."""
    try:
        if name is None:
            current = data / "ledger" / "current"
            name = current.read_text("utf-8").strip() if current.exists() else FIRST_NAME
        home = Home(data, name)
        if "/" in name or not home.ledger.is_dir():
            raise CouldNotCheckError(f"{data} holds no ledger {name}")
    except (OSError, UnicodeDecodeError) as error:
        raise CouldNotCheckError(f"{data} cannot be read: {error}") from error
    return home


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the directory said at one moment: everything below the checkpoint's size is in segments or tail."""

    kept: tuple[Anchor, ...]
    manifest_bytes: bytes | None
    manifest: Manifest
    checkpoint: bytes | None
    tail: tuple[TailFile, ...]


def take_snapshot(home: Home, findings: Findings) -> Snapshot:
    """Return a snapshot in which nothing fell between the files: looked at again until the manifest held still.

    Cosigned checkpoints come first, so that none is newer than the checkpoint; then manifest, checkpoint and log.
    """
    for _ in range(LOOKS_MAX):
        noted = Findings()
        kept = tuple(_kept_checkpoints(home))
        manifest_bytes = read_file(home.segments / "manifest.json")
        checkpoint = read_file(home.ledger / "checkpoint")
        try:
            tail = tuple(read_tail(home.ledger / "wal", home.named(home.ledger / "wal"), noted))
        except FileNotFoundError:
            continue  # sealed and removed between listing and opening
        if read_file(home.segments / "manifest.json") == manifest_bytes:
            findings.take(*noted.kept)
            manifest = _parse_manifest(home, manifest_bytes, findings)
            return Snapshot(kept, manifest_bytes, manifest, checkpoint, tail)
    raise CouldNotCheckError(f"{home.data} changes faster than it can be read")


def read_file(path: Path) -> bytes | None:
    """Return a file's bytes, None where there is none; CouldNotCheckError when it cannot be read."""
    try:
        return read_plain(path, SMALL_FILE_BYTES_MAX)
    except (FileNotFoundError, NotADirectoryError):
        return None


def check_strays(home: Home, snapshot: Snapshot, findings: Findings, remarks: list[str]) -> None:
    """Find what nobody but an intruder put beside the log's files."""
    for path in sorted(home.ledger.iterdir()):
        known = _LEDGER_FOLDERS if path.is_dir() else _LEDGER_FILES
        if path.name not in known and not path.name.endswith(".new"):
            findings.add(Code.FILE_UNEXPECTED, "the log has no such file", home.named(path))
    if (home.ledger / "erasing.json").exists():
        remarks.append("an erasure is under way; until it is finished, what it destroyed counts as missing")
    others = sorted(path.name for path in home.ledger.parent.iterdir() if path.is_dir() and path != home.ledger)
    remarks.extend(f"the log {name} lies here too and was not checked; --ledger {name} does" for name in others)
    listed = {entry.path for entry in snapshot.manifest.segments} | {"manifest.json"}
    for path in sorted(home.segments.iterdir()) if home.segments.is_dir() else ():
        if path.name in listed or path.name.endswith(".new"):
            continue
        try:
            parse_segment_name(path.name)
            remarks.append(f"{home.named(path)} is not in force: being made, or removed at the next start")
        except CorruptionError:
            findings.add(Code.FILE_UNEXPECTED, "it is no segment", home.named(path))


def _kept_checkpoints(home: Home) -> list[Anchor]:
    paths = [home.ledger / "checkpoint.witnessed", *sorted((home.ledger / "cosigned").glob("*/*"))]
    found = ((path, read_file(path)) for path in paths if not path.name.endswith(".new"))
    return [Anchor(home.named(path), note, outside=False) for path, note in found if note is not None]


def _parse_manifest(home: Home, data: bytes | None, findings: Findings) -> Manifest:
    place = home.named(home.segments / "manifest.json")
    try:
        if data is not None:
            return parse_manifest(data)
        # A crash while the first segment is made leaves its folder and the whole write-ahead log, and no manifest yet.
        was_sealed = not (home.ledger / "wal" / FIRST_WAL_NAME).exists()
        if was_sealed and home.segments.is_dir() and any(path.is_dir() for path in home.segments.iterdir()):
            findings.add(Code.MANIFEST_WRONG, "the manifest is missing", place)
    except CorruptionError as error:
        findings.add(Code.MANIFEST_WRONG, error.message, place)
    return Manifest(version=0, sealed_size=0)
