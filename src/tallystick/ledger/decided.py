"""What two people had destroyed, remembered in the state directory: a backup that is restored does not know it.

One file for each erasure that rests on a decision, durable before anything goes and never changed. It names events by
index and by a mark of their entry, so that it can only ever be about those very events, and people by id.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from numpy.typing import NDArray

from tallystick.event.alike import ENTRY, Indexes
from tallystick.event.erasure import Part
from tallystick.event.spans import Spans
from tallystick.ledger.errors import ErasureRecordError
from tallystick.ledger.layout import Layout
from tallystick.store.files import Disk

FORMAT: Final = 1
MARK_BYTES: Final = 8
_SUFFIX: Final = ".json"
_MODE: Final = 0o600


class Deed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request or an approval: where it stood in the log, with the mark of its entry, when, by whom (type and id or
    pseudonym), for which proposal.
    """

    index: int
    mark: str
    at: int
    type: str
    person: str
    change: str | None = None
    digest: str | None = None


class ErasureRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An erasure that people decided; `marks` are those of all events in `ranges`, in order, in base64."""

    format: int
    origin: str
    part: Part
    ranges: tuple[tuple[int, int], ...]
    marks: str
    request: Deed
    approvals: tuple[Deed, ...]

    @property
    def name(self) -> str:
        """What it is cited by: a digest of all that it says."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:32]

    @property
    def deeds(self) -> tuple[Deed, ...]:
        return (self.request, *self.approvals)

    def same(self, indexes: Indexes, marks: Iterable[bytes]) -> Spans:
        """Return which of the events named are these, given by their indexes in order, all in its ranges."""
        said, own = b64decode(self.marks), self._places()
        return Spans(
            (index, 1)
            for index, mark in zip(indexes.tolist(), marks, strict=True)
            if said[own[index] : own[index] + MARK_BYTES] == mark
        )

    def _places(self) -> dict[int, int]:
        indexes = (index for first, size in self.ranges for index in range(first, first + size))
        return {index: at * MARK_BYTES for at, index in enumerate(indexes)}


class ErasureRecords:
    """The records of one origin."""

    def __init__(self, disk: Disk, layout: Layout, origin: str) -> None:
        self._disk = disk
        self._origin = origin
        self._folder = layout.erasures(origin)

    @property
    def origin(self) -> str:
        return self._origin

    def save(self, record: ErasureRecord) -> None:
        """Keep a record, durably; one that is there already stays."""
        path = self._folder / f"{record.request.index:016d}-{record.name}{_SUFFIX}"
        if self._disk.exists(path):
            self._disk.sync_dir(self._folder)
            return
        self._disk.mkdirs(self._folder, mode=0o700)
        self._disk.replace(path, msgspec.json.encode(record), mode=_MODE)

    def load(self) -> list[ErasureRecord]:
        """Return all, in the order in which they were asked for; raises ErasureRecordError for one that is damaged."""
        return [self._load(name) for name in self._disk.names(self._folder) if name.endswith(_SUFFIX)]

    def _load(self, name: str) -> ErasureRecord:
        path = self._folder / name
        try:
            record = msgspec.json.decode(self._disk.read(path), type=ErasureRecord)
        except msgspec.MsgspecError as error:
            raise ErasureRecordError(f"{path} is not the record of an erasure: {error}") from error
        if record.format != FORMAT or record.origin != self._origin or record.name not in name:
            raise ErasureRecordError(f"{path} is not what was recorded for {self._origin}")
        return record


def marks_of(entries: NDArray[Any]) -> list[bytes]:
    """Return the mark of each entry: the beginning of its SHA-256."""
    width, data = ENTRY.itemsize, entries.astype(ENTRY).tobytes()  # joined arrays have this machine's byte order
    return [hashlib.sha256(data[at : at + width]).digest()[:MARK_BYTES] for at in range(0, len(data), width)]


def make_deed(index: int, at: int, mark: bytes, facts: Mapping[str, Any]) -> Deed:
    """Return what is kept of a request or approval as it stands in the log."""
    metadata, actor = facts.get("metadata", {}), facts["actor"]
    person = actor.get("id") or actor["key"]
    return Deed(index, mark.hex(), at, actor["type"], person, metadata.get("change"), metadata.get("digest"))


def make_record(
    origin: str, part: Part, named: Iterable[tuple[Indexes, NDArray[Any]]], deeds: list[Deed]
) -> ErasureRecord:
    """Return the record of an erasure of these events; the first deed is the request."""
    indexes: list[int] = []
    marks: list[bytes] = []
    for some, entries in named:
        indexes += some.tolist()
        marks += marks_of(entries)
    ranges = Spans((index, 1) for index in indexes).ranges()
    return ErasureRecord(FORMAT, origin, part, ranges, b64encode(b"".join(marks)).decode(), deeds[0], tuple(deeds[1:]))
