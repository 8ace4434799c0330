"""Reads the log upwards from an index, sealed or not, in bounded memory.

Segments of several classes share a range of indexes: their rows are merged. Content that was destroyed is passed over;
content that cannot be read now stops the reader, since what it hides may be due.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import accumulate, repeat
from operator import attrgetter
from pathlib import Path
from typing import Final, Generic, TypeVar

from tallystick.errors import CorruptionError
from tallystick.event.disclosure import Disclosure
from tallystick.event.frame import Frame
from tallystick.ledger.model import Snapshot
from tallystick.segment.content import ContentFile
from tallystick.segment.manifest import CONTENT, SegmentEntry

CHUNK_EVENTS: Final = 512
"""Of sealed events that are yielded together."""
_TOLD: Final = ("index", "received_at", "source", "facts", "personal")
Row = TypeVar("Row", bound="Disclosure | Told")


@dataclass(slots=True)
class Told:
    """What an event says and where it stands, without what only a proof needs; `facts` None once it was erased."""

    index: int
    received_at: int
    source: int
    class_number: int
    facts: bytes | None
    personal: bytes | None


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
        return self._chunks(first, end, _DISCLOSURES)

    def told(self, first: int, end: int | None) -> Iterator[tuple[list[Told], int]]:
        """Yield what `chunks` would, for a reader that proves nothing: it costs less than half."""
        return self._chunks(first, end, _TELLINGS)

    def _chunks(self, first: int, end: int | None, rows: _Rows[Row]) -> Iterator[tuple[list[Row], int]]:
        snapshot = self._snapshot()
        limit = snapshot.size if end is None else min(end, snapshot.size)
        if first < min(limit, snapshot.sealed_size):
            yield from self._sealed(snapshot, first, min(limit, snapshot.sealed_size), rows)
        yield from _tail(snapshot, max(first, snapshot.sealed_size), limit, rows)

    def _sealed(self, snapshot: Snapshot, first: int, end: int, rows: _Rows[Row]) -> Iterator[tuple[list[Row], int]]:
        entries = sorted((entry for entry in snapshot.segments if entry.end > first), key=lambda entry: entry.first)
        at = 0
        while at < len(entries) and entries[at].first < end:
            group, group_end = [entries[at]], entries[at].end
            at += 1
            while at < len(entries) and entries[at].first < group_end:
                group_end = max(group_end, entries[at].end)
                group.append(entries[at])
                at += 1
            yield from self._group(group, first, min(group_end, end), rows)
        yield [], end

    def _group(
        self, group: list[SegmentEntry], first: int, end: int, rows: _Rows[Row]
    ) -> Iterator[tuple[list[Row], int]]:
        aside = [entry.path for entry in group if entry.path in self._set_aside()]
        if aside:
            raise ContentSetAsideError(f"the segment {aside[0]} is set aside; what it holds may be due")
        each = [self._rows(entry, first, rows) for entry in group]
        merged = heapq.merge(*each, key=attrgetter("index")) if len(each) > 1 else each[0]
        chunk: list[Row] = []
        for row in merged:
            if row.index >= end:
                break
            chunk.append(row)
            if len(chunk) >= CHUNK_EVENTS:
                yield chunk, row.index + 1
                chunk = []
        yield chunk, end

    def _rows(self, entry: SegmentEntry, first: int, rows: _Rows[Row]) -> Iterator[Row]:
        content = ContentFile(self._segments / entry.path / CONTENT)
        for number in range(content.block_of(first), content.blocks):
            for row in rows.sealed(content, number):
                if row.index >= first:
                    yield row


@dataclass(frozen=True)
class _Rows(Generic[Row]):
    """How rows are made of a block of a sealed segment, and of some positions of a frame."""

    sealed: Callable[[ContentFile, int], list[Row]]
    open: Callable[[Frame, range], list[Row]]


def _told_sealed(content: ContentFile, number: int) -> list[Told]:
    table = content.block(number, _TOLD)
    indexes, times, sources, facts, personal = (table.column(name).to_pylist() for name in _TOLD)
    return list(map(Told, indexes, times, sources, repeat(content.class_number), facts, personal))


def _told_open(frame: Frame, positions: range) -> list[Told]:
    facts, personal = bytes(frame.facts), bytes(frame.personal)
    facts_ends, personal_ends = [0, *accumulate(frame.facts_lengths)], [0, *accumulate(frame.personal_lengths)]
    return [
        Told(
            frame.first_index + at,
            frame.received_at,
            frame.source,
            frame.classes[at],
            facts[facts_ends[at] : facts_ends[at + 1]],
            personal[personal_ends[at] : personal_ends[at + 1]],
        )
        for at in positions
    ]


_DISCLOSURES: Final = _Rows(
    ContentFile.disclosures, lambda frame, positions: [frame.disclosure(at) for at in positions]
)
_TELLINGS: Final = _Rows(_told_sealed, _told_open)


def _tail(snapshot: Snapshot, first: int, end: int, rows: _Rows[Row]) -> Iterator[tuple[list[Row], int]]:
    for reference in snapshot.frames.since(first):
        if reference.first_index >= end:
            break
        frame = reference.read()
        stop = min(frame.count, end - frame.first_index)
        for start in range(max(0, first - frame.first_index), stop, CHUNK_EVENTS):
            upto = min(start + CHUNK_EVENTS, stop)
            yield rows.open(frame, range(start, upto)), frame.first_index + upto
