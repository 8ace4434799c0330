"""Repeated ids: the same event sent again gets its first answer, another event under the same id is refused.

Only ids that a sender gives are looked up (`Batch.given`), among all that were taken: also those that were made for
events without one, which the receipt told the sender. The window ends seven days after the first was received and
survives restarts, because it is read from the log itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tallystick.event.batch import Batch
from tallystick.event.disclosure import Disclosure
from tallystick.event.entry import Entry, format_entry
from tallystick.event.frame import Frame
from tallystick.ledger.errors import IdConflictError
from tallystick.ledger.state import LedgerState
from tallystick.ledger.wal import MILLISECOND_BYTES, FrameRef, WalFile
from tallystick.merkle.hashing import hash_leaf
from tallystick.segment.manifest import SegmentEntry

WINDOW_S = 7 * 86_400
_ID = 16


class SealedIds(Protocol):
    """Finds events in segments by id."""

    def find(self, segments: Sequence[SegmentEntry], source: int, ids: Sequence[bytes]) -> Mapping[bytes, Disclosure]:
        """Return the newest event of that source for each of the ids that these segments hold."""
        ...


@dataclass(frozen=True, slots=True)
class Repeat:
    """Where the first event with an id stands, and its leaf."""

    index: int
    leaf: bytes


@dataclass(frozen=True, slots=True)
class _Known:
    """An event that took an id: enough to compare it and to answer with it."""

    index: int
    facts: bytes | None
    personal: bytes | None
    entry: Entry


class Duplicates:
    """Looks ids up in the unsealed tail and in sealed segments. Owned by the writer's thread."""

    def __init__(self, state: LedgerState, sealed: SealedIds, window_s: int = WINDOW_S) -> None:
        self._state = state
        self._sealed = sealed
        self._window_us = window_s * 1_000_000

    def begin(self, received_at: int) -> GroupIds:
        """Return the ids as known before a write group that is stamped with that time."""
        since = received_at - self._window_us

        def recent() -> list[SegmentEntry]:
            with self._state.changed:
                segments = self._state.manifest.segments
            return [segment for segment in segments if segment.received_to >= since]

        with self._state.changed:  # one moment for both: a file sealed in between would be in neither
            return GroupIds(list(self._state.files), recent, self._sealed, received_at, since)


class GroupIds:
    """The ids taken so far, seen from inside one write group; thrown away with it."""

    def __init__(
        self,
        files: Sequence[WalFile],
        recent: Callable[[], Sequence[SegmentEntry]],
        sealed: SealedIds,
        received_at: int,
        since: int,
    ) -> None:
        """`recent` returns the segments in force that reach into the window."""
        self._files = files[::-1]
        self._recent = recent
        self._segments = recent()
        self._sealed = sealed
        self._received_at = received_at
        self._since = since
        self._taken: dict[tuple[int, bytes], _Known] = {}
        self._frames: dict[int, Frame] = {}
        self._places: dict[int, dict[bytes, int]] = {}

    def check(self, batch: Batch, source: int, first_index: int) -> dict[int, Repeat]:
        """Return the positions of the batch that repeat an earlier event; take the ids of the others.

        Raises IdConflictError, and takes nothing, when an id is used again with other fields.
        """
        if 1 not in batch.given:
            return {}
        ids = batch.ids
        wanted = {at: ids[at * _ID : at * _ID + _ID] for at, given in enumerate(batch.given) if given}
        earlier = self._earlier(source, wanted)
        repeats: dict[int, Repeat] = {}
        mine: dict[tuple[int, bytes], _Known] = {}
        conflicts: list[tuple[int, int]] = []
        for at, event_id in wanted.items():
            known = mine.get((source, event_id)) or earlier.get(event_id)
            if known is None:
                content = batch.contents[at * 32 : at * 32 + 32]
                entry = Entry(batch.classes[at], source, self._received_at, content)
                index = first_index + at - len(repeats)
                mine[source, event_id] = _Known(index, batch.facts[at], batch.personal[at], entry)
            elif known.facts == batch.facts[at] and known.personal == batch.personal[at]:
                repeats[at] = Repeat(known.index, hash_leaf(format_entry(known.entry)))
            else:
                conflicts.append((batch.item(at), known.index))
        if conflicts:
            first, *others = conflicts
            raise _conflict(*first, [_conflict(*each) for each in others])
        self._taken |= mine
        return repeats

    def given_of(self, batch: Batch, source: int, first_index: int) -> dict[tuple[int, bytes], int]:
        """Return what the tail must remember of a batch once it is durable."""
        if 1 not in batch.given:
            return {}
        ids = batch.ids
        return {
            (source, ids[at * _ID : at * _ID + _ID]): first_index + at for at, given in enumerate(batch.given) if given
        }

    def _earlier(self, source: int, wanted: Mapping[int, bytes]) -> dict[bytes, _Known]:
        """Return what took each id before this batch: this group, the unsealed tail, then the segments."""
        found: dict[bytes, _Known] = {}
        missing: list[bytes] = []
        for event_id in wanted.values():
            known = self._taken.get((source, event_id)) or self._in_tail(source, event_id)
            if known is None:
                missing.append(event_id)
            else:
                found[event_id] = known
        if missing and self._segments:
            for event_id, event in self._in_segments(source, missing).items():
                if event.received_at >= self._since:
                    found[event_id] = _Known(event.index, event.facts, event.personal, event.entry())
        return found

    def _in_segments(self, source: int, ids: Sequence[bytes]) -> Mapping[bytes, Disclosure]:
        """Look again with newer segments when a merge or an erasure took one away; otherwise a missing file is damage."""
        while True:
            try:
                return self._sealed.find(self._segments, source, ids)
            except FileNotFoundError:
                newer = self._recent()
                if newer == self._segments:
                    raise
                self._segments = newer

    def _in_tail(self, source: int, event_id: bytes) -> _Known | None:
        for file in self._files:
            index = file.given.get((source, event_id))
            if index is not None:
                at = bisect_right(file.frames, index, key=lambda each: each.first_index) - 1
                return self._read(file.frames[at], index)
            for ref in file.made.get((source, event_id[:MILLISECOND_BYTES]), ()):
                place = self._places_in(ref).get(event_id)
                if place is not None:
                    return self._read(ref, ref.first_index + place)
        return None

    def _places_in(self, ref: FrameRef) -> dict[bytes, int]:
        places = self._places.get(ref.first_index)
        if places is None:
            ids = bytes(self._frame(ref).ids)
            places = self._places[ref.first_index] = {ids[at * _ID : at * _ID + _ID]: at for at in range(ref.count)}
        return places

    def _frame(self, ref: FrameRef) -> Frame:
        frame = self._frames.get(ref.first_index)
        if frame is None:
            frame = self._frames[ref.first_index] = ref.read()
        return frame

    def _read(self, ref: FrameRef, index: int) -> _Known:
        frame = self._frame(ref)
        at = index - ref.first_index
        entry = Entry(frame.classes[at], frame.source, frame.received_at, bytes(frame.contents[at * 32 : at * 32 + 32]))
        return _Known(index, frame.facts_at(at), frame.personal_at(at), entry)


def _conflict(item: int, index: int, others: Sequence[IdConflictError] = ()) -> IdConflictError:
    message = f"the id of item {item} was used before, at index {index}, with other fields"
    return IdConflictError(message, item=item, index=index, others=others)
