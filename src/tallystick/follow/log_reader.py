"""Reads the log upwards from an index, sealed or not, in bounded memory.

Segments of several classes share a range of indexes: their rows are merged. Content that was destroyed is passed over;
content that cannot be read now stops the reader, since what it hides may be due.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator
from operator import attrgetter
from pathlib import Path
from typing import Final

from tallystick.errors import CorruptionError
from tallystick.event.disclosure import Disclosure
from tallystick.ledger.model import Snapshot
from tallystick.segment.content import ContentFile
from tallystick.segment.manifest import CONTENT, SegmentEntry

CHUNK_EVENTS: Final = 512
"""Of sealed events that are yielded together."""


class ContentSetAsideError(CorruptionError):
    """A part of the log cannot be read now, so what follows it waits: no event that may be due is passed over."""

    code = "log-content-set-aside"
    advice = "The page of the log names the segment; once it is mended, `tallystick rebuild` takes it back."


class LogReader:
    """Reads one log; may be used from any thread. `set_aside` names segments that nothing may be read from."""

    def __init__(
        self, snapshot: Callable[[], Snapshot], segments: Path, set_aside: Callable[[], Collection[str]]
    ) -> None:
        self._snapshot = snapshot
        self._segments = segments
        self._set_aside = set_aside

    @property
    def size(self) -> int:
        """The acknowledged size of the log."""
        return self._snapshot().size

    def received_at(self, index: int) -> int | None:
        """Return about when the event of an index was received: of a sealed one, its segment's earliest time."""
        snapshot = self._snapshot()
        frame = snapshot.frames.holding(index)
        if frame is not None:
            return frame.received_at
        return min(
            (entry.received_from for entry in snapshot.segments if entry.first <= index < entry.end), default=None
        )

    def chunks(self, first: int, end: int | None) -> Iterator[tuple[list[Disclosure], int]]:
        """Yield events from `first` up to `end` (None: the end of the log), and the index up to which that is all.

        Raises ContentSetAsideError, CorruptionError, and FileNotFoundError when a segment was replaced meanwhile: then
        ask again.
        """
        snapshot = self._snapshot()
        limit = snapshot.size if end is None else min(end, snapshot.size)
        if first < min(limit, snapshot.sealed_size):
            yield from self._sealed(snapshot, first, min(limit, snapshot.sealed_size))
        yield from _tail(snapshot, max(first, snapshot.sealed_size), limit)

    def _sealed(self, snapshot: Snapshot, first: int, end: int) -> Iterator[tuple[list[Disclosure], int]]:
        entries = sorted((entry for entry in snapshot.segments if entry.end > first), key=lambda entry: entry.first)
        at = 0
        while at < len(entries) and entries[at].first < end:
            group, group_end = [entries[at]], entries[at].end
            at += 1
            while at < len(entries) and entries[at].first < group_end:
                group_end = max(group_end, entries[at].end)
                group.append(entries[at])
                at += 1
            yield from self._group(group, first, min(group_end, end))
        yield [], end

    def _group(self, group: list[SegmentEntry], first: int, end: int) -> Iterator[tuple[list[Disclosure], int]]:
        aside = [entry.path for entry in group if entry.path in self._set_aside()]
        if aside:
            raise ContentSetAsideError(f"the segment {aside[0]} is set aside; what it holds may be due")
        rows = heapq.merge(*(self._rows(entry, first) for entry in group), key=attrgetter("index"))
        chunk: list[Disclosure] = []
        for row in rows:
            if row.index >= end:
                break
            chunk.append(row)
            if len(chunk) >= CHUNK_EVENTS:
                yield chunk, row.index + 1
                chunk = []
        yield chunk, end

    def _rows(self, entry: SegmentEntry, first: int) -> Iterator[Disclosure]:
        content = ContentFile(self._segments / entry.path / CONTENT)
        for number in range(content.block_of(first), content.blocks):
            for row in content.disclosures(number):
                if row.index >= first:
                    yield row


def _tail(snapshot: Snapshot, first: int, end: int) -> Iterator[tuple[list[Disclosure], int]]:
    frames = snapshot.frames
    place = max(0, bisect_left(frames, first, key=lambda ref: ref.end_index))
    for at in range(place, len(frames)):
        reference = frames[at]
        if reference.first_index >= end:
            break
        if reference.end_index <= first:
            continue
        frame = reference.read()
        stop = min(frame.count, end - frame.first_index)
        for start in range(max(0, first - frame.first_index), stop, CHUNK_EVENTS):
            upto = min(start + CHUNK_EVENTS, stop)
            yield [frame.disclosure(position) for position in range(start, upto)], frame.first_index + upto
