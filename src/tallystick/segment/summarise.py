"""Builds a summary out of the rows of a segment, one block of 4096 at a time; the same rows give the same bytes."""

from __future__ import annotations

import zlib
from collections import Counter
from itertools import groupby
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tallystick.segment.bloom import build_bloom
from tallystick.segment.hashing import Hashes, hash_keys, hash_slices
from tallystick.segment.summary import HEAD, MAGIC, Blob, Block, Counts, FieldSummary, Header
from tallystick.segment.words import free_text, hash_words

HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US
BUCKETS_MAX: Final = 1024
COUNTED_SCOPES_MAX: Final = 256
LISTED_VALUES_MAX: Final = 256
LISTED_CHARS_MAX: Final = 16_384
FORMAT: Final = 1

SUMMARISED: Final = (
    "action",
    "actor_id",
    "actor_key",
    "actor_type",
    "on_behalf_of_id",
    "on_behalf_of_key",
    "on_behalf_of_type",
    "target_id",
    "target_key",
    "target_type",
    "scope",
    "outcome",
    "severity",
    "changed",
)
COUNTED: Final = ("action", "outcome", "severity", "scope")


class SummaryBuilder:
    """Gathers what a summary says; holds the distinct values, 16 bytes an event, and the counts."""

    def __init__(self, class_number: int) -> None:
        self._class_number = class_number
        self._events = 0
        self._ids: list[Hashes] = []
        self._ranges: dict[str, tuple[int, int]] = {}
        self._sources: set[int] = set()
        self._values: dict[str, set[str]] = {field: set() for field in SUMMARISED}
        self._nulls: Counter[str] = Counter()
        self._counts: dict[str, Counter[tuple[int, str]]] = {field: Counter() for field in COUNTED}
        self._blocks: list[tuple[int, int, bytes]] = []

    def add(self, content: pa.Table, columns: pa.Table) -> None:
        """Take one block: 4096 rows, fewer only in the last."""
        self._events += content.num_rows
        self._ids.append(_hash_ids(content.column("id")))
        self._sources.update(pc.unique(content.column("source")).to_pylist())
        for name in ("index", "received_at", "occurred_at"):
            self._widen(name, columns.column(name))
        for field in SUMMARISED:
            self._gather(field, columns.column(field))
        hours = pa.array(columns.column("occurred_at").to_numpy() // HOUR_US)
        for fields in (("action", "outcome", "severity"), ("scope",)):
            self._count(pa.table([hours, *map(columns.column, fields)], names=["hour", *fields]), fields)
        index = columns.column("index")
        words = hash_words(free_text(content.column("facts").to_pylist()))
        self._blocks.append((index[0].as_py(), index[-1].as_py(), build_bloom(words)))

    @property
    def occurred(self) -> tuple[int, int]:
        """The earliest and the latest `occurred_at`, in microseconds."""
        return self._ranges["occurred_at"]

    @property
    def received(self) -> tuple[int, int]:
        """The earliest and the latest `received_at`, in microseconds."""
        return self._ranges["received_at"]

    def finish(self) -> bytes:
        """Return the whole file."""
        filters = _Filters()
        ids = filters.add(build_bloom(np.concatenate(self._ids)))
        fields = {field: self._field(field, filters) for field in SUMMARISED}
        blocks = tuple(Block(first, last, filters.add(words)) for first, last, words in self._blocks)
        (index_from, index_to), (received_from, received_to) = self._ranges["index"], self.received
        occurred_from, occurred_to = self.occurred
        header = Header(
            format=FORMAT,
            class_number=self._class_number,
            events=self._events,
            index_from=index_from,
            index_to=index_to,
            received_from=received_from,
            received_to=received_to,
            occurred_from=occurred_from,
            occurred_to=occurred_to,
            sources=tuple(sorted(self._sources)),
            ids=ids,
            fields=fields,
            counts=_count(self._counts),
            blocks=blocks,
        )
        data = msgspec.json.encode(header, order="deterministic")
        return b"".join([HEAD.pack(MAGIC, len(data), zlib.crc32(data)), data, *filters.parts])

    def _widen(self, name: str, column: pa.ChunkedArray) -> None:
        values = column.to_numpy()
        low, high = int(values.min()), int(values.max())
        old_low, old_high = self._ranges.get(name, (low, high))
        self._ranges[name] = (min(low, old_low), max(high, old_high))

    def _count(self, table: pa.Table, fields: tuple[str, ...]) -> None:
        grouped = table.group_by(table.column_names, use_threads=False).aggregate([([], "count_all")])
        for hour, *values, count in zip(*(column.to_pylist() for column in grouped.columns), strict=True):
            for field, value in zip(fields, values, strict=True):
                self._counts[field][hour, value] += count

    def _gather(self, field: str, column: pa.ChunkedArray) -> None:
        self._nulls[field] += column.null_count
        if pa.types.is_list(column.type):
            column = pc.list_flatten(column)
        self._values[field].update(pc.unique(column.drop_null()).to_pylist())

    def _field(self, field: str, filters: _Filters) -> FieldSummary:
        values = self._values[field]
        if len(values) <= LISTED_VALUES_MAX and sum(map(len, values)) <= LISTED_CHARS_MAX:
            return FieldSummary(self._nulls[field], tuple(sorted(values)), None)
        keys = with_parents(values) if field == "scope" else values
        return FieldSummary(
            self._nulls[field], None, filters.add(build_bloom(hash_keys([key.encode() for key in keys])))
        )


class _Filters:
    """The filters behind the header, in the order in which they were added."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self._size = 0

    def add(self, bloom: bytes) -> Blob:
        blob = Blob(self._size, len(bloom), zlib.crc32(bloom))
        self.parts.append(bloom)
        self._size += len(bloom)
        return blob


def _hash_ids(column: pa.ChunkedArray) -> Hashes:
    """Return the hashes of the ids, taken straight from their buffers: they all have 16 bytes."""
    width = column.type.byte_width
    joined = b"".join(
        [bytes(chunk.buffers()[1])[chunk.offset * width :][: len(chunk) * width] for chunk in column.chunks]
    )
    starts = np.arange(0, len(joined), width)
    return hash_slices(joined, starts, starts + width)


def with_parents(scopes: set[str]) -> set[str]:
    """Return the scopes and all scopes above them."""
    return {
        scope[:end] for scope in scopes for end in [*(at for at, char in enumerate(scope) if char == "/"), len(scope)]
    }


def _count(hourly: dict[str, Counter[tuple[int, str]]]) -> Counts:
    hours = {hour for hour, _ in hourly["outcome"]}
    bucket_us = next(
        (us for us in (HOUR_US, DAY_US) if len({hour * HOUR_US // us for hour in hours}) <= BUCKETS_MAX), 0
    )
    per_bucket = max(bucket_us // HOUR_US, 1)
    number = {hour: hour // per_bucket if bucket_us else 0 for hour in hours}
    buckets = sorted(set(number.values()))
    position = {bucket: at for at, bucket in enumerate(buckets)}
    depth = _scope_depth({scope for _, scope in hourly["scope"]})
    by: dict[str, dict[str, tuple[int, ...]]] = {}
    for field, counter in hourly.items():
        summed: Counter[tuple[str, int]] = Counter()
        for (hour, value), count in counter.items():
            kept = "/".join(value.split("/")[:depth]) if field == "scope" else value
            summed[kept, position[number[hour]]] += count
        ordered = groupby(sorted(summed.items()), key=lambda item: item[0][0])
        by[field] = {
            value: tuple(number for (_, at), count in items for number in (at, count)) for value, items in ordered
        }
    return Counts(bucket_us, tuple(buckets), depth, by)


def _scope_depth(scopes: set[str]) -> int:
    """Return how many segments of scopes can be told apart with at most 256 different beginnings."""
    split = [scope.split("/") for scope in scopes]
    deepest = max(map(len, split))
    depth = 0
    while depth < deepest and len({tuple(parts[: depth + 1]) for parts in split}) <= COUNTED_SCOPES_MAX:
        depth += 1
    return depth
