"""Every file below `tile/`, also those that no checkpoint needs any more, held against the tree."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tallystick.errors import InvalidInputError, VerificationError
from tallystick.merkle import HASH_BYTES, TilePath, format_entry_bundle, parse_entry_bundle, parse_tile_path
from tallystick.merkle.tiles import width_at
from tallystick.verify.codes import Code
from tallystick.verify.model import CouldNotCheckError, Findings
from tallystick.verify.tree import EntryLog, Read, first_difference, read_tile

TILE_FILE_BYTES_MAX: Final = 32 << 20
"""No bundle of 256 entries is as large."""


def read_plain(path: Path, bytes_max: int | None = None) -> bytes:
    """Return the bytes of a file; CouldNotCheckError for what cannot be read, is no plain file or is larger.

    A pipe would keep the verifier waiting, and a device would never end. FileNotFoundError and NotADirectoryError, where
    there is no such file, are the caller's.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                raise CouldNotCheckError(f"{path} is no plain file")
            if bytes_max is not None and status.st_size > bytes_max:
                raise CouldNotCheckError(f"{path} has {status.st_size} bytes; at most {bytes_max} are expected")
            with os.fdopen(file, "rb", closefd=False) as content:
                return content.read()
        finally:
            os.close(file)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise CouldNotCheckError(f"{path} cannot be read: {error.strerror}") from error


def read_below(root: Path) -> Read:
    """Return a reader of the files of a log below a folder.

    A running log replaces its partial tiles by wider ones: where one is gone, the beginning of a wider one serves, which
    must be the same bytes.
    """

    def read(path: str) -> bytes | None:
        try:
            return read_plain(root / path, TILE_FILE_BYTES_MAX)
        except (FileNotFoundError, NotADirectoryError):
            return _read_wider(root / path, path)

    return read


def _read_wider(file: Path, path: str) -> bytes | None:
    if not file.parent.name.endswith(".p") or not file.parent.is_dir():
        return None
    width = int(file.name)
    wider = sorted(int(each.name) for each in file.parent.iterdir() if each.name.isdecimal() and int(each.name) > width)
    for found in wider:
        try:
            data = read_plain(file.parent / str(found), TILE_FILE_BYTES_MAX)
            if path.startswith("tile/entries/"):
                entries = parse_entry_bundle(data)
                if len(entries) >= width:
                    return format_entry_bundle(entries[:width])
            elif len(data) >= width * HASH_BYTES:
                return data[: width * HASH_BYTES]
        except (FileNotFoundError, VerificationError):
            continue
    return None


def check_other_files(root: Path, size: int, findings: Findings, remarks: list[str]) -> None:
    """Check each file that the tree of `size` does not consist of: partial tiles that were superseded must begin what
    followed them; anything that is no tile is a finding.

    Tiles beyond the checkpoint are remarked on and not judged: they are being written, or an attempt that failed left
    them, and whatever publishes them puts them right first.
    """
    read, ahead = read_below(root), 0
    log = EntryLog(size, read)
    for name in _names(root, "tile"):
        try:
            path = parse_tile_path(name)
        except InvalidInputError:
            if not name.endswith(".new"):  # a file being put in place
                findings.add(Code.FILE_UNEXPECTED, "it is not a tile", name)
            continue
        held = width_at(path.level or 0, path.index, size)
        if path.width < held:
            _check_beginning(root / name, name, path, log, read, findings)
        ahead += path.width > held
    if ahead:
        remarks.append(f"{ahead} files of the tree lie beyond the checkpoint; a later one will cover them")


def _check_beginning(file: Path, name: str, path: TilePath, log: EntryLog, read: Read, findings: Findings) -> None:
    """Compare a superseded partial file with the beginning of the one that followed it."""
    try:
        data = read_plain(file, TILE_FILE_BYTES_MAX)
        if path.level is None:
            expected = log.bundle(path.index)
            if expected is not None and parse_entry_bundle(data) != expected[: path.width]:
                findings.add(Code.BUNDLE_DIFFERS, "it is not the beginning of the bundle that followed it", name)
            return
    except FileNotFoundError:
        return  # superseded and removed while this ran
    except VerificationError as error:
        findings.add(Code.BUNDLE_DIFFERS, error.message, name)
        return
    held = read_tile(read, path.level, path.index, width_at(path.level, path.index, log.size))
    if held is not None and data != held[: path.width * HASH_BYTES]:
        at = first_difference(data, held) // HASH_BYTES
        findings.add(Code.TILE_DIFFERS, f"hash {at} is not that of the tile that followed it", name)


def _names(root: Path, below: str) -> Iterator[str]:
    """Yield the paths of all files below a folder, relative to `root`, in order."""
    for directory, folders, files in os.walk(root / below):
        folders.sort()
        prefix = Path(directory).relative_to(root).as_posix()
        yield from (f"{prefix}/{name}" for name in sorted(files))
