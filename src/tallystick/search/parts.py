"""The parts of a snapshot that are searched one by one: sealed segments, and pieces of the unsealed tail.

A part has rows in order of index, columns to select by, and content to read. Rows are named by position in the part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tallystick.event.disclosure import Disclosure
from tallystick.search.cache import PartCache
from tallystick.search.coded import BarColumn, Column, NumberColumn, bar_column, count_all, load_column
from tallystick.search.needles import Needles, rows_with
from tallystick.search.words import WordFilters
from tallystick.segment.columns import ColumnsFile
from tallystick.segment.content import ROW_GROUP_ROWS, ContentFile
from tallystick.segment.manifest import COLUMNS, CONTENT, SUMMARY, SegmentEntry
from tallystick.segment.summary import Summary

Positions = NDArray[np.intp]
_REST = ("index", "id", "received_at", "source")
_TEXTS = ("facts", "personal")


class Part(Protocol):
    """Some rows of the log, all below one size and above another."""

    key: str
    first: int
    end: int

    @property
    def rows(self) -> int: ...
    @property
    def summary(self) -> Summary | None:
        """What is known without opening anything, for a sealed segment."""
        ...

    @property
    def class_number(self) -> int | None:
        """The class of all rows, or None where it differs by row."""
        ...

    def occurred(self) -> tuple[int, int]:
        """Return the earliest and the latest `occurred_at`, in microseconds."""
        ...

    def column(self, name: str) -> Column:
        """Return a column in its searched form; raises SegmentCorruptError."""
        ...

    def totals(self, name: str) -> NDArray[np.int64]:
        """Return how many rows have each value of a coded column, the missing last."""
        ...

    def bars(self, step_us: int) -> BarColumn:
        """Return `occurred_at` in steps."""
        ...

    def indexes(self, positions: Positions | None = None) -> NDArray[np.int64]:
        """Return the index of each row, or of those at the positions; indexes ascend with positions."""
        ...

    def having_id(self, event_id: bytes) -> Positions:
        """Return the positions of the rows with that id."""
        ...

    def personal_words(self) -> WordFilters | None:
        """Return the word filters over the personal part, or None where all rows have to be read."""
        ...

    def read(
        self, positions: Positions, needles: Needles | None, *, personal: bool
    ) -> Iterator[tuple[int, Disclosure]]:
        """Yield position and content, without salts, of the rows that may hold a needle; `personal` says whether the
        needle may stand in the personal part.
        """
        ...

    def disclosures(self, positions: Sequence[int]) -> list[Disclosure]:
        """Return the whole content of the rows, in the order asked."""
        ...


@dataclass(frozen=True, slots=True)
class SegmentFiles:
    """The open files of a segment."""

    summary: Summary
    content: ContentFile
    columns: ColumnsFile

    @classmethod
    def open(cls, folder: Path) -> SegmentFiles:
        return cls(Summary(folder / SUMMARY), ContentFile(folder / CONTENT), ColumnsFile(folder / COLUMNS))


class SegmentPart:
    """A sealed segment; files and columns are opened when first needed and kept by the cache."""

    def __init__(self, entry: SegmentEntry, root: Path, cache: PartCache) -> None:
        self.entry = entry
        self.key = entry.path
        self.first, self.end = entry.first, entry.end
        self.folder = root / entry.path
        self._cache = cache

    @property
    def rows(self) -> int:
        return self.entry.events

    @property
    def class_number(self) -> int:
        return self.entry.class_number

    def occurred(self) -> tuple[int, int]:
        return self.entry.occurred_from, self.entry.occurred_to

    @property
    def files(self) -> SegmentFiles:
        return self._cache.files(self.key, lambda: SegmentFiles.open(self.folder))

    @property
    def summary(self) -> Summary:
        return self.files.summary

    def column(self, name: str) -> Column:
        return self._cache.column(self.key, name, lambda: self._load(name))

    def totals(self, name: str) -> NDArray[np.int64]:
        return self._cache.array(self.key, f" totals {name}", lambda: count_all(self.column(name)))

    def bars(self, step_us: int) -> BarColumn:
        return self._cache.column(self.key, f" bars {step_us}", lambda: bar_column(self._times(), step_us))

    def indexes(self, positions: Positions | None = None) -> NDArray[np.int64]:
        column = self.column("index")
        assert isinstance(column, NumberColumn)
        return column.at(positions)

    def having_id(self, event_id: bytes) -> Positions:
        if not self.summary.may_contain_id(event_id):
            return np.zeros(0, dtype=np.intp)
        joined = self._cache.array(self.key, " ids", self._load_ids)
        return np.flatnonzero(joined == np.frombuffer(event_id, dtype="V16")[0])

    def personal_words(self) -> WordFilters:
        return self._cache.words(self.key, self._load_words)

    def read(
        self, positions: Positions, needles: Needles | None, *, personal: bool
    ) -> Iterator[tuple[int, Disclosure]]:
        groups = positions // ROW_GROUP_ROWS
        for group in np.unique(groups).tolist():
            wanted = positions[groups == group]
            at = wanted % ROW_GROUP_ROWS
            texts = self.files.content.read([group], _TEXTS).combine_chunks()
            if needles is not None:
                likely = rows_with(texts.column("facts").chunk(0), needles)
                if personal:
                    likely |= rows_with(texts.column("personal").chunk(0), needles)
                wanted, at = wanted[likely[at]], at[likely[at]]
                if not len(at):
                    continue
            rest = self.files.content.read([group], _REST)
            columns = [column.to_pylist() for table in (rest, texts) for column in table.take(at).columns]
            for position, index, event_id, received_at, source, facts, own in zip(
                wanted.tolist(), *columns, strict=True
            ):
                known = Disclosure(
                    index, event_id, received_at, source, self.class_number, None, facts, None, own, None
                )
                yield position, known

    def disclosures(self, positions: Sequence[int]) -> list[Disclosure]:
        return self.files.content.rows(self.indexes(np.asarray(positions, dtype=np.intp)).tolist())

    def _load(self, name: str) -> Column:
        return load_column(name, self.files.columns.read, self._cache.vocabulary(name))

    def _times(self) -> NumberColumn:
        column = self.column("occurred_at")
        assert isinstance(column, NumberColumn)
        return column

    def _load_ids(self) -> NDArray[np.void]:
        arrays = [table.column("id").combine_chunks() for table in self.files.content.tables(["id"])]
        return np.concatenate(
            [
                np.frombuffer(array.buffers()[1], dtype="V16")[array.offset : array.offset + len(array)]
                for array in arrays
            ]
        )

    def _load_words(self) -> WordFilters:
        tables = self.files.content.tables(["personal"])
        return WordFilters.build(table.column("personal").to_pylist() for table in tables)
