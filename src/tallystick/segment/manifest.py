"""The list of a ledger's segments: which files hold the content of which indexes.

One file, `manifest.json`, swapped atomically by the ledger. Reading it says nothing about the files themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from tallystick.segment.errors import ManifestError

FORMAT: Final = 1
CONTENT: Final = "content.parquet"
COLUMNS: Final = "columns.parquet"
SUMMARY: Final = "summary"

_NAME: Final = re.compile(r"(0|[1-9]\d*)-([1-9]\d*)\.c(0|[1-9]\d*)\.g(0|[1-9]\d*)")


class SegmentEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One segment: the events of one class among the `size` indexes from `first` on.

    `events` is how many rows it holds: fewer than `size` where other classes lie between or content was erased.
    `path` is the segment's folder, relative to the folder of the manifest. Times are microseconds since 1970; the
    ranges are of the rows held.
    """

    first: int
    size: int
    class_number: int
    generation: int
    events: int
    path: str
    content_sha256: str
    received_from: int
    received_to: int
    occurred_from: int
    occurred_to: int

    @property
    def end(self) -> int:
        """The index after the last one covered."""
        return self.first + self.size


@dataclass(frozen=True, slots=True)
class SegmentName:
    """What the name of a segment's folder says."""

    first: int
    size: int
    class_number: int
    generation: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All segments of a ledger, ordered by (first, class). Every index below `sealed_size` has been sealed.

    `version` grows by one with each swap.
    """

    version: int
    sealed_size: int
    segments: tuple[SegmentEntry, ...] = ()

    def covering(self, index: int) -> Iterator[SegmentEntry]:
        """Yield the segments whose range has `index` in it: one for each class at most, of which one may hold it."""
        return (entry for entry in self.segments if entry.first <= index < entry.end)


def segment_name(first: int, size: int, class_number: int, generation: int) -> str:
    """Return the name of a segment's folder, `<first>-<size>.c<class>.g<generation>`."""
    return f"{first}-{size}.c{class_number}.g{generation}"


def parse_segment_name(name: str) -> SegmentName:
    """Return what a folder's name says, or raise ManifestError."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise ManifestError(f"{name!r} is not the name of a segment")
    return SegmentName(*map(int, match.groups()))


def format_manifest(manifest: Manifest) -> bytes:
    """Return the manifest as JSON, one segment a line, so that a diff of two manifests can be read."""
    _check(manifest)
    encode = msgspec.json.encode
    head = f'{{"format":{FORMAT},"version":{manifest.version},"sealed_size":{manifest.sealed_size},"segments":['
    lines = ",\n".join(encode(entry).decode("ascii") for entry in manifest.segments)
    return f"{head}\n{lines}\n]}}\n".encode("ascii")


def parse_manifest(data: bytes) -> Manifest:
    """Return the manifest in `data`; raises ManifestError unless it is whole, ordered and without overlaps."""
    try:
        fields: dict[str, Any] = msgspec.json.decode(data, type=dict[str, Any])
        if fields.pop("format", None) != FORMAT:
            raise ManifestError(f"the manifest is not of format {FORMAT}")
        manifest = msgspec.convert(fields, Manifest)
    except msgspec.MsgspecError as error:
        raise ManifestError(f"the manifest cannot be read: {error}") from error
    _check(manifest)
    return manifest


def _check(manifest: Manifest) -> None:
    ends: dict[int, int] = {}
    previous = (-1, -1)
    for entry in manifest.segments:
        key = (entry.first, entry.class_number)
        name = parse_segment_name(entry.path.rsplit("/", 1)[-1])
        if name != SegmentName(entry.first, entry.size, entry.class_number, entry.generation):
            raise ManifestError(f"{entry.path} is not the folder of segment {key}")
        if key <= previous or entry.first < ends.get(entry.class_number, 0):
            raise ManifestError(f"segment {entry.path} overlaps or is out of order")
        if entry.end > manifest.sealed_size or not 0 < entry.events <= entry.size:
            raise ManifestError(f"segment {entry.path} does not fit the sealed size {manifest.sealed_size}")
        previous = key
        ends[entry.class_number] = entry.end
