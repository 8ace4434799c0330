"""The 48 bytes that stand in the Merkle log for one event (format 1, `docs/format/entry.md`)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tallystick.errors import VerificationError

ENTRY_BYTES: Final = 48
SUITE: Final = 1

_CONTENT_BYTES: Final = 32
_HEAD: Final = struct.Struct(">BBHIQ")


class BadEntryError(VerificationError):
    """Bytes in the log are not an entry of any format that this version knows."""

    code = "bad-entry"
    advice = "Use the version of the product that wrote this log, or compare the log with another copy."


@dataclass(frozen=True, slots=True)
class Entry:
    """What the log says of an event: its class and source by number, when it was received (microseconds), and
    the digest of its content. It names nobody.
    """

    class_number: int
    source: int
    received_at: int
    content: bytes


def format_entry(entry: Entry) -> bytes:
    """Return the 48 bytes of `entry`."""
    assert len(entry.content) == _CONTENT_BYTES
    return _HEAD.pack(SUITE, 0, entry.class_number, entry.source, entry.received_at) + entry.content


def parse_entry(data: bytes) -> Entry:
    """Return the entry in `data`, or raise BadEntryError for another length, suite or reserved value."""
    if len(data) != ENTRY_BYTES:
        raise BadEntryError(f"an entry has {ENTRY_BYTES} bytes, this one {len(data)}")
    suite, reserved, class_number, source, received_at = _HEAD.unpack_from(data)
    if suite != SUITE:
        raise BadEntryError(f"the entry is of suite {suite}; this version knows suite {SUITE}")
    if reserved != 0:
        raise BadEntryError(f"the entry's reserved byte is {reserved}, not 0")
    return Entry(class_number, source, received_at, bytes(data[_HEAD.size :]))


def format_entries(classes: Sequence[int], source: int, received_at: int, contents: bytes) -> list[bytes]:
    """Return the entries of one batch, in order; `contents` holds their 32-byte digests joined."""
    assert len(contents) == _CONTENT_BYTES * len(classes)
    heads = {number: _HEAD.pack(SUITE, 0, number, source, received_at) for number in set(classes)}
    return [
        heads[number] + contents[start : start + _CONTENT_BYTES]
        for number, start in zip(classes, range(0, len(contents), _CONTENT_BYTES), strict=True)
    ]
