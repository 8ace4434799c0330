"""Sealing: a full write-ahead log file becomes segments, and only then goes."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from tallystick.clock import Clock
from tallystick.errors import CorruptionError
from tallystick.ledger.errors import SealFailedError
from tallystick.ledger.layout import Layout
from tallystick.ledger.recover import load_manifest, save_manifest
from tallystick.ledger.state import LedgerState
from tallystick.ledger.wal import WalFile
from tallystick.segment.errors import SegmentCorruptError
from tallystick.segment.manifest import Manifest, SegmentEntry, parse_segment_name
from tallystick.store.files import Disk

if TYPE_CHECKING:
    from tallystick.segment.sealer import SealRequest
    from tallystick.segment.writer import Drop


class Sealer(Protocol):
    """Turns one file of the write-ahead log into durable segments, compared byte by byte with what it read."""

    def seal(self, wal_file: Path, segments: Path) -> list[SegmentEntry]:
        """Return the segments made in the folder `segments`; raises OSError, CorruptionError or SealFailedError."""
        ...

    def merge(self, run: Sequence[SegmentEntry], segments: Path) -> SegmentEntry:
        """Return one durable segment with the rows of several neighbours of one class, which stay as they are.

        Raises OSError, SealFailedError, or what `segment.derived.check_segment` raises when one of them is damaged.
        """
        ...

    def rewrite(self, entry: SegmentEntry, drop: Drop, segments: Path) -> list[SegmentEntry]:
        """Return the next generation of a segment without what is dropped, durable; none where no row is left.

        Raises OSError, CorruptionError or SealFailedError; then the segment is as it was.
        """
        ...

    def close(self) -> None:
        """Give up what is under way, whose caller gets SealFailedError, and take nothing more. From any thread."""
        ...


class DirectSealer:
    """Seals in the calling thread."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def seal(self, wal_file: Path, segments: Path) -> list[SegmentEntry]:
        from tallystick.segment.writer import seal_file  # pyarrow is loaded only where something is sealed

        return list(seal_file(wal_file, segments, self._disk))

    def merge(self, run: Sequence[SegmentEntry], segments: Path) -> SegmentEntry:
        from tallystick.segment.writer import merge

        return merge(run, out_dir=segments, disk=self._disk)

    def rewrite(self, entry: SegmentEntry, drop: Drop, segments: Path) -> list[SegmentEntry]:
        from tallystick.segment.writer import rewrite

        made = rewrite(entry, drop, out_dir=segments, disk=self._disk)
        return [] if made is None else [made]

    def close(self) -> None:
        return


class ProcessSealer:
    """Seals in one long-lived process of its own (`segment/sealer.py`), started when first needed.

    The process ends with this one, because its input does. One that died is started again for the next file.
    """

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._asking = threading.Lock()

    def seal(self, wal_file: Path, segments: Path) -> list[SegmentEntry]:
        from tallystick.segment.sealer import SealRequest

        return self._request(SealRequest(str(wal_file)), f"sealing {wal_file.name}", segments)

    def merge(self, run: Sequence[SegmentEntry], segments: Path) -> SegmentEntry:
        from tallystick.segment.sealer import SealRequest

        (made,) = self._request(SealRequest(merge=tuple(run)), f"merging {run[0].path} to {run[-1].path}", segments)
        return made

    def rewrite(self, entry: SegmentEntry, drop: Drop, segments: Path) -> list[SegmentEntry]:
        from tallystick.segment.sealer import SealRequest

        return self._request(SealRequest(rewrite=entry, drop=drop), f"rewriting {entry.path}", segments)

    def close(self) -> None:
        self._closed = True
        child = self._child
        if child is not None:
            child.kill()  # what it was making is not in force, and made again at the next start
        with self._asking:
            self._drop()

    def _request(self, request: SealRequest, doing: str, segments: Path) -> list[SegmentEntry]:
        from tallystick.segment.sealer import SealAnswer

        answer = msgspec.json.decode(self._ask(msgspec.json.encode(request) + b"\n", segments), type=SealAnswer)
        if answer.error is None:
            return list(answer.segments)
        if answer.error.code == SegmentCorruptError.code:
            raise CorruptionError(f"{doing}: {answer.error.message}")
        raise SealFailedError(f"{doing}: {answer.error.message}")

    def _drop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                assert pipe is not None
                with contextlib.suppress(OSError):
                    pipe.close()

    def _ask(self, question: bytes, segments: Path) -> bytes:
        with self._asking:
            if self._closed:
                raise SealFailedError("the ledger is being closed")
            try:
                child = self._child = self._child or _start_child(segments)
                assert child.stdin is not None
                assert child.stdout is not None
                child.stdin.write(question)
                child.stdin.flush()
                line = child.stdout.readline()
            except OSError as error:
                self._drop()
                raise SealFailedError(f"the sealing process cannot be reached: {error}") from error
            if not line.endswith(b"\n"):
                self._drop()
                raise SealFailedError("the sealing process ended before it answered")
            return line


def _start_child(segments: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tallystick.segment.sealer",
            "--out",
            str(segments),
            "--disk",
            "tallystick.store.files:LocalDisk",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the server, which then ends this process in order
    )


class Sealing:
    """Seals the oldest full file whenever a checkpoint covers it. One thread at a time; owns the manifest."""

    def __init__(self, disk: Disk, layout: Layout, state: LedgerState, sealer: Sealer, clock: Clock) -> None:
        self._disk = disk
        self._layout = layout
        self._state = state
        self._sealer = sealer
        self._clock = clock

    def find_ready(self) -> WalFile | None:
        """Return the oldest closed file if everything in it is committed."""
        for file in self._state.closed_files():
            return file if file.end_index <= self._state.committed.size else None
        return None

    def seal_next(self) -> bool:
        """Seal one file if one is ready; return whether there was one. After an error the file is still there."""
        file = self.find_ready()
        if file is None:
            return False
        try:
            with self._state.manifest_turn:
                self._seal(file)
        except CorruptionError as error:
            self._state.stop_writing(f"{error.code}: {error}")
            raise
        except (OSError, SealFailedError) as error:
            self._state.note_trouble("seal", error)
            raise
        return True

    def close(self) -> None:
        self._sealer.close()

    def _seal(self, file: WalFile) -> None:
        manifest = settle(self._disk, self._layout, self._state, self._clock)
        if manifest.sealed_size < file.end_index:
            self._disk.mkdirs(self._layout.segments)
            drop_unlisted(self._disk, self._layout, manifest)
            made = self._sealer.seal(file.path, self._layout.segments)
            _require_whole(file, made)
            # A crash here leaves folders that no manifest names; the next attempt or start removes them.
            manifest = Manifest(
                version=manifest.version + 1,
                sealed_size=file.end_index,
                segments=tuple(sorted((*manifest.segments, *made), key=lambda each: (each.first, each.class_number))),
            )
            save_manifest(self._disk, self._layout, manifest)
        # A crash here leaves a file that is sealed already; the next start removes it.
        take_over(self._disk, self._layout, self._state, self._clock, manifest)


def settle(disk: Disk, layout: Layout, state: LedgerState, clock: Clock) -> Manifest:
    """Return the manifest in force, which readers have from now on too: a swap that failed may have happened.

    The caller has the manifest's turn, and only then may remove what the manifest does not name.
    """
    manifest = load_manifest(disk, layout)
    if manifest.version != state.manifest.version:
        take_over(disk, layout, state, clock, manifest)
    return manifest


def take_over(disk: Disk, layout: Layout, state: LedgerState, clock: Clock, manifest: Manifest) -> None:
    """Give readers a manifest that is in force, and drop the write-ahead files that it makes superfluous."""
    for done in state.swap_manifest(manifest, clock.now_us()):
        disk.unlink(done.path)
    disk.sync_dir(layout.wal)


def drop_unlisted(disk: Disk, layout: Layout, manifest: Manifest) -> int:
    """Remove segment folders that no manifest names: traces of an interrupted seal, merge or erasure. Return how many."""
    listed = {entry.path for entry in manifest.segments} | {layout.manifest.name}
    gone = 0
    for name in disk.names(layout.segments):
        if name not in listed and _is_ours(name):
            disk.remove_tree(layout.segments / name)
            gone += 1
    if gone:
        disk.sync_dir(layout.segments)
    return gone


def _is_ours(name: str) -> bool:
    try:
        parse_segment_name(name.removesuffix(".new"))
    except CorruptionError:
        return False
    return True


def _require_whole(file: WalFile, made: Sequence[SegmentEntry]) -> None:
    events = sum(entry.events for entry in made)
    if events != file.events or any(entry.first < file.first_index or entry.end > file.end_index for entry in made):
        raise SealFailedError(f"{file.path.name} holds {file.events} events, {events} were sealed")
