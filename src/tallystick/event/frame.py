"""The bytes of one batch in the write-ahead log (`docs/format/frame.md`).

A frame is a header, then columns. Lengths instead of separators let a reader map the file and take columns
without copying; leaf hashes are kept so that a restart need not hash content again.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import accumulate, pairwise
from typing import Final

from tallystick.errors import CorruptionError
from tallystick.event.batch import SALTS_BYTES, Batch, admission_checksum
from tallystick.event.commitment import DIGEST_BYTES, ID_BYTES, SALT_BYTES
from tallystick.event.disclosure import Disclosure

MAGIC: Final = b"TSF1"
NONCE_BYTES: Final = 16
HEADER_BYTES: Final = 104

# magic, CRC-32 of what follows it in the header, column bytes, facts bytes, personal bytes, first index,
# received_at, count, source, file nonce, hash of the previous frame's header, admission checksum, events behind.
_HEADER: Final = struct.Struct("<4sIQIIQQII16s32sII")
_HEADER_CRC: Final = struct.Struct("<I")
_CRC_FROM: Final = 8
_ALIGN: Final = 8


class TornFrameError(CorruptionError):
    """The bytes end before the frame does, or were never written: what a crash leaves at the end of a file."""

    code = "torn-frame"
    advice = "Normal at the very end after a crash: the events in it were never acknowledged."


class BadFrameError(CorruptionError):
    """The bytes are not the frame that was written."""

    code = "bad-frame"


@dataclass(frozen=True)
class Frame:
    """One batch as it stands in the write-ahead log. Columns are views into the buffer that was parsed."""

    first_index: int
    count: int
    source: int
    received_at: int
    nonce: bytes
    previous: bytes
    checksum: int
    header_hash: bytes
    size_bytes: int
    classes: tuple[int, ...]
    facts_lengths: tuple[int, ...]
    personal_lengths: tuple[int, ...]
    given: memoryview
    ids: memoryview
    salts: memoryview
    contents: memoryview
    leaves: memoryview
    facts: memoryview
    personal: memoryview
    behind: int = 0
    """How many events lie between the start of the frame's write group and its first: all before the group had been
    synced when the frame was written, so damage there is not the trace of a power cut."""

    def facts_at(self, position: int) -> bytes:
        """Return the exact facts of the event at `position` in the frame."""
        return bytes(self.facts[self._facts_ends[position] : self._facts_ends[position + 1]])

    def personal_at(self, position: int) -> bytes:
        """Return the exact personal part of the event at `position` in the frame."""
        return bytes(self.personal[self._personal_ends[position] : self._personal_ends[position + 1]])

    def check(self) -> None:
        """Recompute the checksum that admission took beside the digests; raises BadFrameError when it differs."""
        columns = (bytes(self.facts),), (bytes(self.personal),)
        found = admission_checksum(bytes(self.ids), bytes(self.salts), bytes(self.contents), *columns)
        if found != self.checksum:
            raise BadFrameError(
                f"the frame at index {self.first_index} does not hold the bytes that admission committed to"
            )

    def disclosure(self, position: int) -> Disclosure:
        """Return the whole content of the event at `position`."""
        salts = bytes(self.salts[position * SALTS_BYTES : (position + 1) * SALTS_BYTES])
        return Disclosure(
            index=self.first_index + position,
            id=bytes(self.ids[position * ID_BYTES : (position + 1) * ID_BYTES]),
            received_at=self.received_at,
            source=self.source,
            class_number=self.classes[position],
            salt1=salts[:SALT_BYTES],
            facts=self.facts_at(position),
            salt2=salts[SALT_BYTES:],
            personal=self.personal_at(position),
            personal_digest=None,
        )

    @cached_property
    def _facts_ends(self) -> list[int]:
        return [0, *accumulate(self.facts_lengths)]

    @cached_property
    def _personal_ends(self) -> list[int]:
        return [0, *accumulate(self.personal_lengths)]


def format_frame(
    batch: Batch,
    *,
    first_index: int,
    received_at: int,
    source: int,
    nonce: bytes,
    previous: bytes,
    leaves: bytes,
    behind: int = 0,
) -> list[bytes]:
    """Return the frame as buffers for one gathered write.

    `nonce` (16 bytes) belongs to the file, `previous` (32 bytes) is the header hash of the frame before, zeroes
    for the first; `leaves` joins the 32-byte leaf hashes; `behind` counts the events that the same sync makes
    durable before it. The first buffer is the header.
    """
    count = len(batch)
    assert len(nonce) == NONCE_BYTES
    assert len(previous) == DIGEST_BYTES
    assert len(leaves) == DIGEST_BYTES * count
    facts, personal = b"".join(batch.facts), b"".join(batch.personal)
    columns = [
        _pad(struct.pack(f"<{count}H", *batch.classes), 4),
        struct.pack(f"<{count}I", *map(len, batch.facts)),
        struct.pack(f"<{count}I", *map(len, batch.personal)),
        _pad(batch.given, 4),
        batch.ids,
        batch.salts,
        batch.contents,
        leaves,
        facts,
        personal,
    ]
    size = sum(map(len, columns))
    filling = -(HEADER_BYTES + size + 4) % _ALIGN
    columns.append(bytes(filling))
    crc = 0
    for column in columns:
        crc = zlib.crc32(column, crc)
    columns.append(_HEADER_CRC.pack(crc))
    fields = (size + filling + 4, len(facts), len(personal), first_index, received_at, count, source)
    header = _HEADER.pack(MAGIC, 0, *fields, nonce, previous, batch.checksum, behind)
    header = MAGIC + _HEADER_CRC.pack(zlib.crc32(header[_CRC_FROM:])) + header[_CRC_FROM:]
    return [header, *columns]


def parse_frame(buffer: bytes | bytearray | memoryview, offset: int = 0) -> Frame:
    """Return the frame that starts at `offset`.

    Raises TornFrameError when the buffer ends first or holds only zeroes from there, and BadFrameError when
    the bytes are there and are not what was written. It does not recompute digests; `Frame.check` does part.
    """
    view = memoryview(buffer)[offset:]
    header = bytes(view[:HEADER_BYTES])
    if not any(header) and not any(view):
        raise TornFrameError(f"no frame was written at byte {offset}")
    if len(header) < HEADER_BYTES:
        raise TornFrameError(f"the file ends inside the frame header at byte {offset}")
    magic, crc, columns_bytes, *sizes = _HEADER.unpack(header)
    if magic != MAGIC or zlib.crc32(header[_CRC_FROM:]) != crc:
        raise BadFrameError(f"the frame header at byte {offset} is damaged")
    if len(view) < HEADER_BYTES + columns_bytes:
        raise TornFrameError(f"the file ends inside the frame at byte {offset}")
    body = view[HEADER_BYTES : HEADER_BYTES + columns_bytes]
    if len(body) < 4 or _HEADER_CRC.unpack(body[-4:])[0] != zlib.crc32(body[:-4]):
        raise BadFrameError(f"the columns of the frame at byte {offset} are damaged")
    facts_bytes, personal_bytes, first_index, received_at, count, source, nonce, previous, checksum, behind = sizes
    ends = [0, *accumulate(_column_bytes(count)), 0, 0]
    ends[-2] = ends[-3] + facts_bytes
    ends[-1] = ends[-2] + personal_bytes
    if not 0 <= len(body) - 4 - ends[-1] < _ALIGN:
        raise BadFrameError(f"the columns of the frame at byte {offset} do not add up")
    columns = [body[start:end] for start, end in pairwise(ends)]
    frame = Frame(
        first_index=first_index,
        count=count,
        source=source,
        received_at=received_at,
        nonce=nonce,
        previous=previous,
        checksum=checksum,
        header_hash=sha256(header).digest(),
        size_bytes=HEADER_BYTES + columns_bytes,
        classes=struct.unpack_from(f"<{count}H", columns[0]),
        facts_lengths=struct.unpack(f"<{count}I", columns[1]),
        personal_lengths=struct.unpack(f"<{count}I", columns[2]),
        given=columns[3][:count],
        ids=columns[4],
        salts=columns[5],
        contents=columns[6],
        leaves=columns[7],
        facts=columns[8],
        personal=columns[9],
        behind=behind,
    )
    if sum(frame.facts_lengths) != facts_bytes or sum(frame.personal_lengths) != personal_bytes:
        raise BadFrameError(f"the lengths in the frame at byte {offset} do not add up")
    return frame


def _column_bytes(count: int) -> list[int]:
    """Return the bytes of every column before facts and personal, in order."""
    per_event = (ID_BYTES, SALTS_BYTES, DIGEST_BYTES, DIGEST_BYTES)
    return [_padded(2 * count, 4), 4 * count, 4 * count, _padded(count, 4), *(width * count for width in per_event)]


def _padded(size: int, to: int) -> int:
    return size + -size % to


def _pad(data: bytes, to: int) -> bytes:
    return data + bytes(-len(data) % to)
