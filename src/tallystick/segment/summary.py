"""`summary`: what a search needs to know of a segment before it opens the other files; it names no person.

The file is a header of JSON and, after it, Bloom filters as plain bytes, each with a CRC-32 in the header, so that
opening one reads a few kilobytes and a probe reads one filter. `docs/format/segment.md` has the bytes.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tallystick.segment.bloom import bloom_contains
from tallystick.segment.errors import SegmentCorruptError
from tallystick.segment.hashing import hash_key
from tallystick.segment.words import filter_words

MAGIC: Final = b"TSSUM1\r\n"
HEAD: Final = struct.Struct("<8sII")


class Blob(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """A Bloom filter behind the header: where it begins there, its bytes, and their CRC-32."""

    offset: int
    size: int
    crc: int


class FieldSummary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The values of a column: all of them, sorted, or where they are many a filter; `nulls` rows have none."""

    nulls: int
    values: tuple[str, ...] | None
    bloom: Blob | None


class Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """Up to 4096 successive rows: the indexes of the first and the last, and the filter of their words."""

    index_from: int
    index_to: int
    words: Blob


class Counts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Events by `occurred_at` in buckets of `bucket_us`, and by value. The bucket is an hour, a day where that makes more
    than 1024 buckets, or 0: everything in one. A bucket's number is `occurred_at // bucket_us`.

    `by` has for action, outcome, severity and scope: value -> the counts in the order of `buckets`, written as
    [position, count, position, count, ...]. Scopes are cut to `scope_depth` segments, as many as leave at most 256.
    """

    bucket_us: int
    buckets: tuple[int, ...]
    scope_depth: int
    by: Mapping[str, Mapping[str, tuple[int, ...]]]


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The summary without its filters. Ranges are inclusive; times are microseconds since 1970."""

    format: int
    class_number: int
    events: int
    index_from: int
    index_to: int
    received_from: int
    received_to: int
    occurred_from: int
    occurred_to: int
    sources: tuple[int, ...]
    ids: Blob
    fields: Mapping[str, FieldSummary]
    counts: Counts
    blocks: tuple[Block, ...]


class Summary:
    """An open summary; safe to share between threads. Damage raises SegmentCorruptError when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            try:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError as error:
                raise SegmentCorruptError(path, "the summary is empty") from error
        self.header, self._filters_from = self._parse()
        self._checked: set[int] = set()

    def may_contain_id(self, event_id: bytes) -> bool:
        """Return whether an event of that id may be in the segment; never False when it is."""
        return bloom_contains(self._filter(self.header.ids), hash_key(event_id))

    def may_contain(self, field: str, value: str) -> bool:
        """Return whether a row may have `value` in the column; a scope is looked for together with those below it."""
        summary = self.header.fields[field]
        if summary.values is None:
            assert summary.bloom is not None
            return bloom_contains(self._filter(summary.bloom), hash_key(value.encode()))
        if field == "scope":
            return any(held == value or held.startswith(f"{value}/") for held in summary.values)
        return value in summary.values

    def values(self, field: str) -> Sequence[str] | None:
        """Return all values in the column, sorted, or None where there are too many to be listed."""
        return self.header.fields[field].values

    def blocks_with_words(self, text: str) -> list[int]:
        """Return the numbers of the blocks whose free text may hold every word of `text` that filters know of."""
        hashes = [hash_key(word) for word in filter_words(text)]
        found = []
        for number, block in enumerate(self.header.blocks):
            bloom = self._filter(block.words)
            if all(bloom_contains(bloom, key) for key in hashes):
                found.append(number)
        return found

    def _filter(self, blob: Blob) -> memoryview:
        start = self._filters_from + blob.offset
        data = memoryview(self._data)[start : start + blob.size]
        if blob.offset not in self._checked:
            if len(data) != blob.size or zlib.crc32(data) != blob.crc:
                raise SegmentCorruptError(self.path, f"the filter at byte {start} is damaged")
            self._checked.add(blob.offset)
        return data

    def _parse(self) -> tuple[Header, int]:
        if len(self._data) < HEAD.size:
            raise SegmentCorruptError(self.path, "the summary is cut off")
        magic, size, crc = HEAD.unpack_from(self._data)
        data = self._data[HEAD.size : HEAD.size + size]
        if magic != MAGIC or len(data) != size or zlib.crc32(data) != crc:
            raise SegmentCorruptError(self.path, "the header of the summary is damaged")
        try:
            return msgspec.json.decode(data, type=Header), HEAD.size + size
        except msgspec.MsgspecError as error:
            raise SegmentCorruptError(self.path, f"the header of the summary cannot be read ({error})") from error
