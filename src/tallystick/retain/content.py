"""The sealed content as retention sees it: where in the log a time begins, which stretches there are, how much would go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from tallystick.event.alike import ENTRY, absence_at, group_alike
from tallystick.event.erasure import ErasureHistory, Part
from tallystick.event.spans import Spans
from tallystick.ledger.again import read_again
from tallystick.ledger.model import Snapshot
from tallystick.merkle.tiles import TILE_WIDTH
from tallystick.retain.model import Tally
from tallystick.retain.plan import Ground, Slice
from tallystick.segment.content import ContentFile
from tallystick.segment.manifest import CONTENT, SegmentEntry

_LOOKED_AT: Final = ("index", "received_at", "source")
_PERSONAL: Final = ("personal", "salt2")


class Log(Protocol):
    """The part of a ledger that is read."""

    def snapshot(self) -> Snapshot: ...
    def erasure_history(self) -> ErasureHistory: ...
    def read_entries(self, bundle: int) -> list[bytes]: ...
    def committed_size(self) -> int: ...


class Content:
    """Reads one log and its segments; may be used from any thread."""

    def __init__(self, log: Log, segments: Path) -> None:
        self._log = log
        self._segments = segments

    def ground(self, history: ErasureHistory | None = None) -> Ground:
        """Return what planning looks at now, with another history where one is given."""
        snapshot = self._log.snapshot()
        stretches = tuple((each.class_number, each.first, each.end) for each in snapshot.segments)
        return Ground(history or self._log.erasure_history(), snapshot.size, stretches, self.index_at)

    def index_at(self, at_us: int) -> int:
        """Return the first index of a committed event received at a time or after it; the size where there is none."""
        size = self._log.committed_size()
        low, high = 0, -(-size // TILE_WIDTH)
        while low < high:  # the first bundle whose last entry is not before the time
            middle = (low + high) // 2
            if int(self._entries(middle)["received_at"][-1]) < at_us:
                low = middle + 1
            else:
                high = middle
        if low * TILE_WIDTH >= size:
            return size
        times = self._entries(low)["received_at"].astype(np.uint64)
        return low * TILE_WIDTH + int(np.searchsorted(times, np.uint64(max(0, at_us))))

    def tally(self, piece: Slice) -> Tally:
        """Return how many events lose a part under a slice, and how many bytes that frees, about."""
        return read_again(partial(self._tally, piece))

    def _tally(self, piece: Slice) -> Tally:
        tally = Tally(piece.class_number, piece.part.value)
        for entry, gone, received in self._touched(piece):
            count = int(gone.sum())
            tally.events += count
            tally.bytes += self._bytes(entry, piece.part) * count // entry.events
            months = received[gone].astype("datetime64[us]").astype("datetime64[M]")
            for month, events in zip(*np.unique(months, return_counts=True), strict=True):
                tally.months[str(month)] = tally.months.get(str(month), 0) + int(events)
        return tally

    def cut(self, piece: Slice, events_max: int, ranges_max: int) -> tuple[Spans, int]:
        """Return the beginning of a slice that holds about so many events at most, in at most so many ranges, and how
        many events it holds.
        """
        return read_again(partial(self._cut, piece, events_max, ranges_max))

    def _cut(self, piece: Slice, events_max: int, ranges_max: int) -> tuple[Spans, int]:
        taken: list[tuple[int, int]] = []
        for first, end in piece.spans:
            taken.append((first, end))
            if len(taken) == ranges_max:
                break
        spans = Spans.between(taken)
        total, upto = 0, 0
        for entry, gone, _ in self._touched(Slice(piece.class_number, piece.part, spans, piece.spared)):
            if total and total + int(gone.sum()) > events_max:
                return spans & Spans([(0, upto)]), total
            total, upto = total + int(gone.sum()), entry.end
        return spans, total

    def held(self, spans: Spans, ground: Ground) -> dict[str | None, int]:
        """Return how many of the committed events at these indexes each hold keeps, None those that none does; an event
        under several counts for the first.
        """
        found: dict[str | None, int] = {}
        size = self._log.committed_size()
        for first, last in spans:
            end = min(last, size)
            bundles = range(first // TILE_WIDTH, -(-end // TILE_WIDTH))
            if first >= end:
                continue
            start = bundles.start * TILE_WIDTH
            entries = np.concatenate([self._entries(bundle) for bundle in bundles])[first - start : end - start]
            indexes = np.arange(first, end, dtype=np.uint64)
            for group in group_alike(indexes, entries, ground.history):
                absence = absence_at(indexes[group[-1]], entries[group[-1]], Part.PERSONAL)
                hold = ground.history.hold_on(absence, ground.size)
                found[hold] = found.get(hold, 0) + len(group)
        return found

    def texts(self, spans: Spans, class_number: int) -> set[str]:
        """Return every text of the personal parts that the sealed events of a class have at these indexes."""
        return read_again(partial(self._texts, spans, class_number))

    def _texts(self, spans: Spans, class_number: int) -> set[str]:
        found: set[str] = set()
        for entry in self._log.snapshot().segments:
            if entry.class_number != class_number or not any(spans.touching(entry.first, entry.end)):
                continue
            for table in ContentFile(self._segments / entry.path / CONTENT).tables(("index", "personal")):
                columns = (table.column(name).to_pylist() for name in ("index", "personal"))
                for index, personal in zip(*columns, strict=True):
                    if personal is not None and index in spans:
                        found.update(_texts(json.loads(personal)))
        return found

    def received_at(self, index: int) -> int:
        """Return when the committed event at an index was received."""
        return int(self._entries(index // TILE_WIDTH)["received_at"][index % TILE_WIDTH])

    def received_before(self, at_us: int) -> int | None:
        """Return when the last committed event before a time was received; None where there is none."""
        index = self.index_at(at_us)
        return self.received_at(index - 1) if index else None

    def oldest(self, class_number: int) -> int | None:
        """Return when the oldest sealed event of a class was received, None where there is none."""
        entries = self._log.snapshot().segments
        return min((each.received_from for each in entries if each.class_number == class_number), default=None)

    def disk(self) -> dict[int, tuple[int, int]]:
        """Return for each class how many events its sealed content has, and its bytes on disk."""
        found: dict[int, tuple[int, int]] = {}
        for entry in self._log.snapshot().segments:
            events, size = found.get(entry.class_number, (0, 0))
            found[entry.class_number] = (events + entry.events, size + self._bytes(entry, Part.ALL))
        return found

    def _touched(self, piece: Slice) -> Iterator[tuple[SegmentEntry, NDArray[np.bool_], NDArray[np.int64]]]:
        """Yield the segments that the slice takes rows from, which rows, and when each was received."""
        for entry in self._log.snapshot().segments:
            if entry.class_number != piece.class_number or not any(piece.spans.touching(entry.first, entry.end)):
                continue
            file = ContentFile(self._segments / entry.path / CONTENT)
            columns = [table.select(list(_LOOKED_AT)) for table in file.tables(_LOOKED_AT)]
            index, received, source = (
                np.concatenate([table.column(name).to_numpy() for table in columns]) for name in _LOOKED_AT
            )
            gone = ~np.isin(source, sorted(piece.spared))
            inside = np.zeros(len(index), dtype=np.bool_)
            for first, end in piece.spans.touching(entry.first, entry.end):
                low, high = np.searchsorted(index, np.array((first, end), dtype=index.dtype))
                inside[low:high] = True
            gone &= inside
            if gone.any():
                yield entry, gone, received

    def _bytes(self, entry: SegmentEntry, part: Part) -> int:
        folder = self._segments / entry.path
        try:
            if part is Part.ALL:
                return sum(path.stat().st_size for path in folder.iterdir())
            return ContentFile(folder / CONTENT).stored_bytes(_PERSONAL)
        except FileNotFoundError:
            return 0  # merged meanwhile

    def _entries(self, bundle: int) -> NDArray[Any]:
        return np.frombuffer(b"".join(self._log.read_entries(bundle)), dtype=ENTRY)


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in a value, keys of objects left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
