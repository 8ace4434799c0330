"""The write-ahead log: files of frames, appended and synced in groups (`docs/format/ledger.md`).

One file is open at a time. Making a new file, going on after a failed write and going on after a restart are the same
step: write what survives to a file beside, sync it, rename it into place, sync the directory, append there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tallystick.event.frame import NONCE_BYTES, Frame, parse_frame
from tallystick.ledger.layout import Layout
from tallystick.store.files import AppendFile, Buffer, Disk, ReadFile

MILLISECOND_BYTES = 6
"""Of a UUIDv7: when it was made, the same for all that were made for one batch."""


@dataclass(frozen=True, slots=True)
class FrameRef:
    """Where one acknowledged frame lies; `read` works as long as somebody holds this, also after sealing."""

    file: ReadFile
    offset: int
    size_bytes: int
    first_index: int
    count: int
    source: int
    received_at: int

    @property
    def end_index(self) -> int:
        return self.first_index + self.count

    def read(self) -> Frame:
        """Return the frame as it lies on disk, its checksums verified."""
        return parse_frame(self.file.read_at(self.offset, self.size_bytes), 0)


def made_ids(ids: bytes, given: bytes) -> bytes:
    """Return how the ids in a frame begin that no sender gave: all of them with one millisecond. Empty without any."""
    at = given.find(0)
    return ids[at * 16 : at * 16 + MILLISECOND_BYTES] if at >= 0 else b""


class WalFile:
    """One file of frames: what the tail keeps of it. Grown by the writer only, read by anyone."""

    def __init__(self, path: Path, first_index: int, reader: ReadFile) -> None:
        self.path = path
        self.first_index = first_index
        self.reader = reader
        self.frames: list[FrameRef] = []
        self.given: dict[tuple[int, bytes], int] = {}  # (source, id) -> index, for ids that a sender may repeat
        self.made: dict[tuple[int, bytes], list[FrameRef]] = {}  # (source, how ids made here begin) -> frames with such
        self.size_bytes = 0
        self.closed = False

    @property
    def end_index(self) -> int:
        return self.frames[-1].end_index if self.frames else self.first_index

    @property
    def events(self) -> int:
        return self.end_index - self.first_index

    @property
    def started_at(self) -> int | None:
        """Microseconds when its first event was received; None while it is empty."""
        return self.frames[0].received_at if self.frames else None

    def add(self, ref: FrameRef, given: dict[tuple[int, bytes], int], made: bytes) -> None:
        """Take in a frame, the ids in it that senders gave, and how those that were made for them begin (`made_ids`)."""
        self.given.update(given)
        if made:
            self.made.setdefault((ref.source, made), []).append(ref)
        self.size_bytes = ref.offset + ref.size_bytes
        self.frames.append(ref)


@dataclass(frozen=True, slots=True)
class PreparedFrame:
    """A frame that is ready to be written."""

    buffers: Sequence[Buffer]
    first_index: int
    count: int
    source: int
    received_at: int
    given: dict[tuple[int, bytes], int]
    made: bytes = b""


class WriteAheadLog:
    """Appends frames durably. Owned by the writer's thread.

    After any call raised OSError nothing of that call counts, and the next call begins by putting what was synced
    before into a fresh file; the descriptor that failed is not used again.
    """

    def __init__(self, disk: Disk, layout: Layout, entropy: Callable[[int], bytes]) -> None:
        self._disk = disk
        self._layout = layout
        self._entropy = entropy
        self._current: WalFile | None = None
        self._handle: AppendFile | None = None
        self._nonce = b""

    @property
    def current(self) -> WalFile | None:
        return self._current

    def nonce_for(self, group_index: int) -> bytes:
        """Return the nonce of the file that the next group goes to, opening one if none is open."""
        if self._current is None:
            self._nonce = self._entropy(NONCE_BYTES)
            self._current = self._start(group_index, b"")
        return self._nonce

    def resume(self, file: WalFile, nonce: bytes) -> None:
        """Go on appending to a file found at start-up, whose frames are intact up to `file.size_bytes`.

        The file is copied even when nothing is torn: its last frames may never have been synced, and a sync that
        failed before a restart is not repeated by a later one that succeeds.
        """
        self._current, self._nonce, self._handle = file, nonce, None
        self._renew()

    def append(self, group: Sequence[PreparedFrame]) -> list[FrameRef]:
        """Return where the frames lie once one sync has made all of them durable; add them to the current file."""
        file = self._current
        assert file is not None, "nonce_for opens the file"
        assert not file.closed, "a closed file may be sealed and removed at any moment"
        if self._handle is None:
            self._renew()
        handle = self._handle
        assert handle is not None
        # From here until the sync returned, a crash may leave any part of the group on disk; whole frames of it
        # are then kept by recovery although nobody was told, a torn rest is cut off.
        self._handle = None
        try:
            handle.write_all([buffer for frame in group for buffer in frame.buffers])
            handle.sync()
        except BaseException:
            handle.close()
            raise
        self._handle = handle
        offset = file.size_bytes
        refs = []
        for frame in group:
            size = sum(map(len, frame.buffers))
            refs.append(
                FrameRef(file.reader, offset, size, frame.first_index, frame.count, frame.source, frame.received_at)
            )
            offset += size
        for ref, frame in zip(refs, group, strict=True):
            file.add(ref, frame.given, frame.made)
        return refs

    def rotate(self) -> None:
        """Close the current file; the next group opens another. It holds what was synced and nothing else.

        After a failed write the file is made afresh first: its unsynced rest must not stand before a newer file.
        """
        if self._current is None:
            return
        if self._handle is None:
            self._renew()
        self.close()
        self._current.closed = True
        self._current = None

    def close(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None

    def _renew(self) -> None:
        """Put what survives of the current file into a fresh one under the same name."""
        file = self._current
        assert file is not None
        fresh = self._start(file.first_index, file.reader.read_at(0, file.size_bytes))
        file.reader = fresh.reader  # frames written before keep the old descriptor, whose synced bytes are the same

    def _start(self, first_index: int, surviving: bytes) -> WalFile:
        path = self._layout.wal_file(first_index)
        beside = path.with_name(path.name + ".new")
        self._disk.unlink(beside)
        handle = self._disk.open_append(beside)
        try:
            if surviving:
                handle.write_all([surviving])
            handle.sync()
            # A crash before the rename leaves the old file as it was, and one beside it that recovery removes.
            self._disk.rename(beside, path)
            self._disk.sync_dir(path.parent)
            reader = self._disk.open_read(path)
        except BaseException:
            handle.close()
            raise
        self._handle = handle
        return WalFile(path, first_index, reader)
