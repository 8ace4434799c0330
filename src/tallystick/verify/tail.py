"""The write-ahead log behind the segments: frames in an unbroken chain, their content compared with the entries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from tallystick.event.commitment import content_digest, facts_digest, personal_digest
from tallystick.event.entry import format_entries
from tallystick.event.frame import BadFrameError, Frame, TornFrameError, parse_frame
from tallystick.merkle import hash_leaves
from tallystick.segment.blocks import BLOCK_ROWS
from tallystick.segment.content import SCHEMA
from tallystick.verify.blocks import BlockCheck, ContentFacts
from tallystick.verify.codes import Code
from tallystick.verify.files import read_plain
from tallystick.verify.model import Findings
from tallystick.verify.tree import EntryLog

_NAME: Final = re.compile(r"([0-9]{16})\.wal", re.ASCII)


@dataclass(frozen=True, slots=True)
class TailFile:
    """A file of the write-ahead log as it was when it was opened: it stays readable when it is sealed meanwhile."""

    name: str
    first_index: int
    data: bytes


def read_tail(folder: Path, place: str, findings: Findings) -> list[TailFile]:
    """Return the files of the write-ahead log in order of index."""
    files = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        match = _NAME.fullmatch(path.name)
        if match is not None:
            files.append(TailFile(path.name, int(match[1]), read_plain(path)))
        elif not path.name.endswith(".new"):  # a file being put in place
            findings.add(Code.FILE_UNEXPECTED, "it is no file of the write-ahead log", f"{place}/{path.name}")
    return files


class TailCheck:
    """Checks the events from `sealed_size` on. `uncommitted` counts those that no checkpoint covers yet."""

    def __init__(self, place: str, sealed_size: int, log: EntryLog, findings: Findings) -> None:
        self._place = place
        self._size = log.size
        self._next = sealed_size
        self._sealed_size = sealed_size
        self._findings = findings
        self._last: Frame | None = None
        self._blocks = BlockCheck(place, log, findings, log.size)
        self.uncommitted = 0
        self.remarks: list[str] = []

    def check(self, files: Sequence[TailFile]) -> ContentFacts:
        """Return what the committed part of the log's tail holds."""
        for file in files:
            self._blocks.facts.place = f"{self._place}/{file.name}"
            waiting: list[Frame] = []
            for frame in self._frames(file, is_last=file is files[-1]):
                waiting.append(frame)
                if sum(each.count for each in waiting) >= BLOCK_ROWS:
                    self._take(waiting)
                    waiting = []
            self._take(waiting)
        return self._blocks.facts.conclude(self._findings)

    def _frames(self, file: TailFile, *, is_last: bool) -> Iterator[Frame]:
        """Yield the frames behind the segments as long as each follows on from the one before."""
        place, offset, nonce, at = self._blocks.facts.place, 0, b"", file.first_index
        while offset < len(file.data):
            try:
                frame = parse_frame(file.data, offset)
                frame.check()
            except (TornFrameError, BadFrameError) as error:
                self._broken(error, place, at, is_last=is_last)
                return
            last = self._last
            follows = last is None or frame.previous == last.header_hash
            if frame.first_index != at or not follows or frame.nonce != (nonce or frame.nonce) or not frame.count:
                message = f"the frame at byte {offset} does not follow on from the one before"
                self._findings.add(Code.FRAME_DAMAGED, message, place, at)
                return
            if last is not None and frame.received_at < last.received_at:
                self._findings.add(Code.TIME_DECREASES, "time decreases from frame to frame", place, at)
            self._last, nonce, at = frame, frame.nonce, at + frame.count
            offset += frame.size_bytes
            if frame.first_index < self._sealed_size:
                continue  # sealed already; the file is removed at the next start
            if frame.first_index != self._next:
                message = f"index {self._next} should be the next one"
                self._findings.add(Code.FRAME_DAMAGED, message, place, frame.first_index)
                return
            self._next = at
            yield frame

    def _broken(self, error: BadFrameError | TornFrameError, place: str, index: int, *, is_last: bool) -> None:
        if index >= self._size and is_last:
            self.remarks.append(f"{place} ends in a frame that was not finished; nobody was answered for it")
        else:
            self._findings.add(Code.FRAME_DAMAGED, error.message, place, index)

    def _take(self, frames: Sequence[Frame]) -> None:
        """Compare committed rows with their entries, and the others with the leaves that were answered for them."""
        if not frames:
            return
        first, rows = frames[0].first_index, sum(frame.count for frame in frames)
        committed = max(0, min(rows, self._size - first))
        if committed:
            classes = np.array([number for frame in frames for number in frame.classes], dtype=np.uint16)
            self._blocks.check(_table(frames).slice(0, committed), classes[:committed])
        self.uncommitted += rows - committed
        for frame in frames:
            if frame.first_index + frame.count <= self._size:
                continue
            made = _leaves(frame)
            for at in range(frame.count):
                index = frame.first_index + at
                if index >= self._size and made[at * 32 : at * 32 + 32] != frame.leaves[at * 32 : at * 32 + 32]:
                    message = "the event is not the one that was answered for"
                    self._findings.add(Code.FRAME_DAMAGED, message, self._blocks.facts.place, index)


def _leaves(frame: Frame) -> bytes:
    parts = (frame.disclosure(at) for at in range(frame.count))
    contents = b"".join(
        content_digest(each.id, facts_digest(each.salt1, each.facts), personal_digest(each.salt2, each.personal))
        for each in parts
        if each.salt1 is not None and each.facts is not None and each.salt2 is not None and each.personal is not None
    )
    return hash_leaves(format_entries(frame.classes, frame.source, frame.received_at, contents))


def _table(frames: Sequence[Frame]) -> pa.Table:
    rows = [frame.disclosure(at) for frame in frames for at in range(frame.count)]
    return pa.Table.from_arrays(
        [pa.array([getattr(row, name) for row in rows], SCHEMA.field(name).type) for name in SCHEMA.names],
        schema=SCHEMA,
    )
