"""What the ledger's threads share: how far each stage got, the unsealed tail, and why writing stopped, if it did."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Sequence

from tallystick.ledger.errors import ReadOnlyError
from tallystick.ledger.model import Frames, Progress, Snapshot
from tallystick.ledger.wal import FrameRef, WalFile
from tallystick.segment.manifest import Manifest


class LedgerState:
    """Shared between threads; every field is read and written under `changed`, which is notified of each change.

    The writer alone adds files and frames and moves `acknowledged`; the integrator moves `committed`; the sealer
    swaps the manifest and drops files; the witness follower moves `witnessed`.
    """

    def __init__(self, manifest: Manifest, files: Sequence[WalFile], acknowledged: Progress, now: int) -> None:
        self.changed = threading.Condition()
        self.manifest_turn = threading.RLock()  # held by whoever makes, lists or removes segments
        self.manifest = manifest
        self.files = list(files)
        self.acknowledged = acknowledged
        self.committed = Progress(0, now)
        self.witnessed = Progress(0, 0)
        self.sealed = Progress(manifest.sealed_size, now)
        self.checkpoint = b""
        self.witnessed_checkpoint: bytes | None = None
        self.read_only: str | None = None
        self.trouble: dict[str, str] = {}

    def snapshot(self) -> Snapshot:
        with self.changed:
            parts = [(file.frames, len(file.frames)) for file in self.files]
            # The writer adds a frame to its file a moment before it says that it is acknowledged.
            if parts and parts[-1][1] and parts[-1][0][-1].end_index > self.acknowledged.size:
                frames, count = parts[-1]
                size = self.acknowledged.size
                parts[-1] = (frames, bisect_right(frames, size, hi=count, key=lambda ref: ref.end_index))
            return Snapshot(self.manifest, self.acknowledged.size, self.committed.size, Frames(parts))

    def acknowledge(self, file: WalFile, progress: Progress) -> None:
        """Make the frames just synced into `file` visible."""
        with self.changed:
            if not self.files or self.files[-1] is not file:
                self.files.append(file)
            self.acknowledged = progress
            self.changed.notify_all()

    def commit(self, checkpoint: bytes, progress: Progress) -> None:
        with self.changed:
            self.checkpoint, self.committed = checkpoint, progress
            self.trouble.pop("integrate", None)
            self.changed.notify_all()

    def witness(self, checkpoint: bytes, progress: Progress) -> None:
        with self.changed:
            self.witnessed_checkpoint, self.witnessed = checkpoint, progress
            self.changed.notify_all()

    def swap_manifest(self, manifest: Manifest, now: int) -> list[WalFile]:
        """Take over a manifest that is durable; return the files that it makes superfluous."""
        with self.changed:
            self.manifest = manifest
            self.sealed = Progress(manifest.sealed_size, now)
            done = [file for file in self.files if file.closed and file.end_index <= manifest.sealed_size]
            self.files = [file for file in self.files if file not in done]
            self.trouble.pop("seal", None)
            self.changed.notify_all()
            return done

    def unintegrated(self, events_max: int) -> list[FrameRef]:
        """Return acknowledged frames that no checkpoint covers, in order, about `events_max` events of them."""
        with self.changed:
            committed, size = self.committed.size, self.acknowledged.size
            files = [file for file in self.files if file.end_index > committed]
        found: list[FrameRef] = []
        for file in files:
            start = bisect_right(file.frames, committed, key=lambda ref: ref.end_index)
            for ref in file.frames[start:]:
                if ref.end_index > size or (found and ref.end_index - found[0].first_index > events_max):
                    return found
                found.append(ref)
        return found

    def closed_files(self) -> list[WalFile]:
        """Return the files that get no more frames, oldest first."""
        with self.changed:
            return [file for file in self.files if file.closed]

    def stop_writing(self, reason: str) -> None:
        """Take no events from now on: a person must look first. The first reason is kept."""
        with self.changed:
            self.read_only = self.read_only or reason
            self.changed.notify_all()

    def require_writable(self) -> None:
        """Raise ReadOnlyError once something was found that must not be repaired."""
        if self.read_only is not None:
            raise ReadOnlyError(f"the ledger takes no events: {self.read_only}", reason=self.read_only)

    def note_trouble(self, stage: str, error: BaseException | None) -> None:
        """Remember what a stage is retrying, or that it is well again."""
        with self.changed:
            if error is None:
                self.trouble.pop(stage, None)
            else:
                self.trouble[stage] = f"{type(error).__name__}: {error}"
            self.changed.notify_all()
