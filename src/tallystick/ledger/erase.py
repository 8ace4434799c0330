"""Destroying content: checked by the rule that verifiers apply, recorded in the log, finished after any crash.

Order: the order is written down, segments without the content replace the old ones, the old ones go, the event
`content.erased` is appended, the order goes. Whatever is open at the next start is done again from the top, which
gives the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tallystick.clock import Clock
from tallystick.event.alike import ENTRY, Indexes, absence_at, group_alike
from tallystick.event.erasure import (
    Decision,
    Erasure,
    ErasureHistory,
    Part,
    format_ground,
    parse_ground,
    parse_ranges,
)
from tallystick.event.spans import Range, Spans
from tallystick.ledger.again import read_again
from tallystick.ledger.decided import ErasureRecords, make_deed, make_record, marks_of
from tallystick.ledger.errors import ErasureRefusedError
from tallystick.ledger.genesis import PRODUCT_SOURCE
from tallystick.ledger.layout import Layout
from tallystick.ledger.recover import save_manifest
from tallystick.ledger.seal import Sealer, drop_unlisted, settle
from tallystick.ledger.state import LedgerState
from tallystick.ledger.tiles import TileFiles
from tallystick.merkle.tiles import TILE_WIDTH
from tallystick.segment.manifest import CONTENT, Manifest, SegmentEntry
from tallystick.store.files import Disk

PRODUCT_CLASS = 1

#: Retention must have passed by this much, so that it still has when a crash lets the event wait for a start on a
#: clock that was set back.
CLOCK_MARGIN_US = 3600 * 1_000_000
JUDGED_TOGETHER = 1 << 20
"""Indexes whose entries are in memory at a time."""


@dataclass(frozen=True, slots=True)
class ErasureOrder:
    """What is to go, and why; `decision` is None where retention has passed.

    `classes` narrows the order to events of these classes (None: all), `spared` leaves out those of some sources;
    `events` is how many events it takes content from, as whoever gives the order counted them.
    """

    ranges: tuple[Range, ...]
    part: Part
    decision: Decision | None = None
    classes: tuple[int, ...] | None = None
    spared: tuple[int, ...] = ()
    events: int | None = None

    def concerns(self, class_number: int) -> bool:
        return self.classes is None or class_number in self.classes

    def metadata(self) -> dict[str, object]:
        """Return the order as it stands in `content.erased`."""
        said: dict[str, object] = {
            "ranges": [list(each) for each in self.ranges],
            "part": self.part.value,
            "ground": format_ground(self.decision),
        }
        if self.classes is not None:
            said["classes"] = list(self.classes)
        if self.spared:
            said["except_sources"] = list(self.spared)
        if self.events is not None:
            said["events"] = self.events
        return said

    @classmethod
    def parse(cls, said: Mapping[str, Any]) -> ErasureOrder:
        """Return the order that `metadata` made."""
        classes = said.get("classes")
        return cls(
            parse_ranges(said["ranges"]),
            Part(said["part"]),
            parse_ground(said["ground"]),
            None if classes is None else tuple(classes),
            tuple(said.get("except_sources", ())),
            said.get("events"),
        )


class Eraser:
    """Carries out one order at a time; the caller sees to it that no hold is placed meanwhile."""

    def __init__(
        self,
        disk: Disk,
        layout: Layout,
        state: LedgerState,
        clock: Clock,
        forget: Callable[[], None],
        records: ErasureRecords | None,
        sealer: Sealer,
    ) -> None:
        """`forget` makes every reader inside the ledger let go of segment files that it keeps open; `records` takes what
        people decided here; `sealer` makes segments anew.
        """
        self._disk = disk
        self._layout = layout
        self._state = state
        self._clock = clock
        self._forget = forget
        self._records = records
        self._sealer = sealer
        self._begun = False  # whether content may have gone under the order that is open

    def find_open(self) -> ErasureOrder | None:
        """Return the order that an interruption left, or None."""
        path = self._layout.erasing
        if not self._disk.exists(path):
            return None
        return ErasureOrder.parse(msgspec.json.decode(self._disk.read(path)))

    def require_allowed(self, order: ErasureOrder) -> None:
        """Return when every event named may lose that part now; raise ErasureRefusedError with the first that may not.

        In classes whose facts are kept for ever, an order for all content means the personal part.
        """
        sealed_size, size = self._state.manifest.sealed_size, self._state.acknowledged.size
        beyond = [first + count for first, count in order.ranges if first + count > sealed_size]
        if beyond:
            raise ErasureRefusedError(
                f"only sealed content can be erased: up to index {sealed_size}, not {max(beyond)}",
                advice="Wait until the events are sealed, or close the file with `tallystick ledger rotate`.",
            )
        history = self.history()
        classes = None if order.classes is None else frozenset(order.classes)
        now = self._clock.now_us() - CLOCK_MARGIN_US
        erasure = Erasure(size, now, order.ranges, order.part, order.decision, classes, frozenset(order.spared))
        for indexes, entries in self._named(order):
            for group in group_alike(indexes, entries, history):
                newest = group[-1]
                part = _part_of(order.part, int(entries["class"][newest]), history)
                absence = absence_at(indexes[newest], entries[newest], part)
                objection = history.objection(absence, erasure)
                if objection is not None:
                    raise ErasureRefusedError(
                        f"index {absence.index} may not be erased: {objection}", index=absence.index
                    )

    def destroy(self, order: ErasureOrder) -> None:
        """Make the content unreadable on this disk, durably. The caller then appends the event and calls `finish`."""
        self._begun = self._disk.exists(self._layout.erasing)  # taken up again at start
        self._disk.replace(self._layout.erasing, msgspec.json.encode(order.metadata()))
        # A crash from here on is met by doing all of this again at the next start, before anything else is written.
        manifest = settle(self._disk, self._layout, self._state, self._clock)
        drop_unlisted(self._disk, self._layout, manifest)
        history = self.history()
        self._remember(order)
        kept = [segment for entry in manifest.segments for segment in self._rewrite(entry, order, history)]
        swapped = Manifest(version=manifest.version + 1, sealed_size=manifest.sealed_size, segments=tuple(kept))
        self._begun = True
        save_manifest(self._disk, self._layout, swapped)
        self._state.swap_manifest(swapped, self._clock.now_us())
        self._forget()
        drop_unlisted(self._disk, self._layout, swapped)

    def finish(self) -> None:
        """Drop the order: its event is durable."""
        self._disk.unlink(self._layout.erasing)
        self._disk.sync_dir(self._layout.erasing.parent)

    def cancel(self, order: ErasureOrder) -> bool:
        """Drop an order that failed before any content went; return False when it must be finished instead."""
        if self._begun or self.find_open() not in (None, order):
            return False
        try:
            self.finish()
        except OSError:
            return False
        return True

    def history(self) -> ErasureHistory:
        """Return what the log says about retention, holds and decisions so far."""
        return read_again(self._history)

    def _history(self) -> ErasureHistory:
        history = ErasureHistory()
        for index, received_at, facts in self.product_events():
            history.apply(index, received_at, msgspec.json.decode(facts))
        return history

    def product_events(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield index, time of receipt and facts of the product's own events."""
        snapshot = self._state.snapshot()
        from tallystick.segment.content import ContentFile

        for entry in snapshot.segments:
            if entry.class_number != PRODUCT_CLASS:
                continue
            for rows in ContentFile(self._folder(entry) / CONTENT).iterate():
                for event in rows:
                    if event.source == PRODUCT_SOURCE and event.facts is not None:
                        yield event.index, event.received_at, event.facts
        for ref in snapshot.frames:
            if ref.source == PRODUCT_SOURCE:
                frame = ref.read()
                for at in range(frame.count):
                    yield ref.first_index + at, ref.received_at, frame.facts_at(at)

    def _remember(self, order: ErasureOrder) -> None:
        """Record outside the data directory what two people decided, so that no backup brings it back for good."""
        if order.decision is None or self._records is None:
            return
        wanted = (order.decision.request, *order.decision.approvals)
        found = {
            index: (at, msgspec.json.decode(facts)) for index, at, facts in self.product_events() if index in wanted
        }
        if len(found) < len(set(wanted)):
            return  # it cites what the log does not hold: no rule allows it, and no verifier accepts it
        if "restated" in found[wanted[0]][1].get("metadata", {}):
            return  # it was repeated from a record, which is there
        tiles, size = TileFiles(self._disk, self._layout.ledger), self._state.committed.size
        deeds = []
        for index in wanted:
            _, entries = self._entries(tiles, size, index, index + 1)
            at, facts = found[index]
            deeds.append(make_deed(index, at, marks_of(entries)[0], facts))
        record = make_record(self._records.origin, order.part, self._named(order), deeds)
        if record.ranges:
            self._records.save(record)

    def _named(self, order: ErasureOrder) -> Iterator[tuple[Indexes, NDArray[Any]]]:
        """Yield the indexes and entries that the order is about, from the log itself, many at a time."""
        tiles, size = TileFiles(self._disk, self._layout.ledger), self._state.committed.size
        spans = Spans(order.ranges)
        end = max((last for _, last in spans), default=0)
        for start in range(0, end, JUDGED_TOGETHER):
            parts = [self._entries(tiles, size, *each) for each in _within(spans, start, start + JUDGED_TOGETHER)]
            if not parts:
                continue
            indexes = np.concatenate([each for each, _ in parts])
            entries = np.concatenate([each for _, each in parts])
            about = ~np.isin(entries["source"], order.spared)
            if order.classes is not None:
                about &= np.isin(entries["class"], order.classes)
            yield indexes[about], entries[about]

    def _entries(self, tiles: TileFiles, size: int, first: int, end: int) -> tuple[Indexes, NDArray[Any]]:
        bundles = range(first // TILE_WIDTH, -(-end // TILE_WIDTH))
        data = b"".join(entry for bundle in bundles for entry in tiles.entries(bundle, size))
        start = bundles.start * TILE_WIDTH
        return np.arange(first, end, dtype=np.uint64), np.frombuffer(data, dtype=ENTRY)[first - start : end - start]

    def _rewrite(self, entry: SegmentEntry, order: ErasureOrder, history: ErasureHistory) -> Sequence[SegmentEntry]:
        """Return the segment as it is without the content: itself where it holds none, nothing where none is left."""
        from tallystick.segment import writer

        spans = Spans(order.ranges)
        overlapping = tuple((first, end - first) for first, end in spans.touching(entry.first, entry.end))
        if not overlapping or not order.concerns(entry.class_number):
            return [entry]
        part = writer.Part(_part_of(order.part, entry.class_number, history).value)
        if part is writer.Part.ALL and not order.spared and spans.cover(entry.first, entry.end):
            return []
        drop = writer.Drop(overlapping, part, order.spared)
        return self._sealer.rewrite(entry, drop, self._layout.segments)

    def _folder(self, entry: SegmentEntry) -> Path:
        return self._layout.segments / entry.path


def _part_of(part: Part, class_number: int, history: ErasureHistory) -> Part:
    return Part.PERSONAL if history.keeps_facts(class_number) else part


def _within(spans: Spans, first: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield what of the ranges lies between two indexes."""
    return ((max(low, first), min(high, end)) for low, high in spans.touching(first, end))
