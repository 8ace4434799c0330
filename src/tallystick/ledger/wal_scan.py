"""Reading write-ahead log files back: what is intact, what a power cut tore, what nothing innocent explains."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tallystick.event.frame import MAGIC, BadFrameError, Frame, TornFrameError, parse_frame
from tallystick.ledger.errors import WalDamagedError
from tallystick.ledger.wal import FrameRef, WalFile, made_ids
from tallystick.store.files import Disk

NO_FRAME = bytes(32)  # stands for the hash of the frame before the first one


@dataclass(frozen=True, slots=True)
class Scan:
    """One file's intact frames and what follows from them."""

    file: WalFile
    nonce: bytes  # of the file; empty when it holds no frame
    last_hash: bytes | None  # hash of the last frame's header; None when the file holds no frame
    torn_bytes: int


def scan_file(disk: Disk, path: Path, first_index: int, previous: bytes | None) -> Scan:
    """Return the intact frames of a file; raise WalDamagedError for anything a crash cannot have left.

    `previous` is the hash of the frame before the file's first one, None when that was sealed and dropped. Times
    never decrease and indexes follow on; each frame names the hash of the header before it.
    """
    reader = disk.open_read(path)
    size = reader.size_bytes()
    data = memoryview(reader.read_at(0, size))
    if len(data) != size:
        raise WalDamagedError(f"{path} could not be read whole", path=str(path))
    file = WalFile(path, first_index, reader)
    nonce, received_at, offset = b"", 0, 0
    while offset < size:
        try:
            frame = parse_frame(data, offset)
        except (BadFrameError, TornFrameError) as error:
            _require_torn(data, offset, nonce, file.end_index, path, str(error))
            break
        if (
            frame.first_index != file.end_index
            or (nonce and frame.nonce != nonce)
            or (previous is not None and frame.previous != previous)
            or frame.received_at < received_at
            or not frame.count
        ):
            raise WalDamagedError(
                f"the frame at byte {offset} of {path} does not follow on from the one before", path=str(path)
            )
        made = made_ids(bytes(frame.ids), bytes(frame.given[: frame.count]))
        file.add(_reference(frame, file, offset), given_ids(frame), made)
        nonce, previous, received_at = frame.nonce, frame.header_hash, frame.received_at
        offset += frame.size_bytes
    return Scan(file, nonce, previous if file.frames else None, size - offset)


def given_ids(frame: Frame) -> dict[tuple[int, bytes], int]:
    """Return (source, id) -> index of the frame's events whose id a sender may repeat."""
    if not any(frame.given):
        return {}
    ids, source, first = bytes(frame.ids), frame.source, frame.first_index
    return {
        (source, ids[at * 16 : at * 16 + 16]): first + at
        for at, given in enumerate(frame.given[: frame.count])
        if given
    }


def _reference(frame: Frame, file: WalFile, offset: int) -> FrameRef:
    return FrameRef(
        file.reader, offset, frame.size_bytes, frame.first_index, frame.count, frame.source, frame.received_at
    )


def _require_torn(data: memoryview, offset: int, nonce: bytes, index: int, path: Path, why: str) -> None:
    """Return when the broken rest may be what a power cut left of the last write group; raise otherwise.

    The disk may keep the later part of a group and lose the earlier, so an intact frame behind the broken one is
    innocent if its group began no later than the broken frame; otherwise the broken one had been synced.
    """
    rest = bytes(data[offset:])
    at = rest.find(MAGIC, 1)
    while at >= 0:
        try:
            frame = parse_frame(rest, at)
        except (BadFrameError, TornFrameError):
            frame = None
        if frame is not None:
            group_index = frame.first_index - frame.behind
            if frame.nonce == (nonce or frame.nonce) and group_index > index:
                raise WalDamagedError(
                    f"the frame of index {index} in {path} is broken ({why}), though one behind it is intact",
                    path=str(path),
                    index=index,
                )
        at = rest.find(MAGIC, at + 1)
