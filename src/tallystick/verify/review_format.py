"""The digests of a review, and how its samples are drawn: few lines, so that anybody can do the same by hand.

A row is an event of a section: its index, its id and the SHA-256 of its facts. The digest of a section stands in
`review.opened` in the log, and every mark and signature names the digest of the whole snapshot.
"""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from tallystick.event.canonical import canonical_json

_ROWS: Final = b"tallystick/1 review rows\n"
_ITEMS: Final = b"tallystick/1 review items\n"
_MARKS: Final = b"tallystick/1 review marks\n"
_SNAPSHOT: Final = b"tallystick/1 review snapshot\n"
#: What a snapshot is, out of what `review.opened` says; its own digest is not among it.
SNAPSHOT_MEMBERS: Final = ("review", "duty", "kind", "period", "from", "to", "due", "size", "seed", "sections")


@dataclass(frozen=True, slots=True)
class RowRef:
    """One event of a section. `id` has 16 bytes, `facts` is the SHA-256 of the facts in hexadecimal."""

    index: int
    id: bytes
    facts: str


def row_line(row: RowRef) -> bytes:
    """Return the line of a row that goes into the digest."""
    return f"{row.index} {uuid.UUID(bytes=row.id)} {row.facts}\n".encode()


class RowsDigest:
    """Takes rows in order of index; `hex` is the digest of those taken so far, `count` how many they are."""

    def __init__(self) -> None:
        self._made = sha256(_ROWS)
        self.count = 0

    def take(self, row: RowRef) -> None:
        """Add a row."""
        self._made.update(row_line(row))
        self.count += 1

    @property
    def hex(self) -> str:
        return self._made.hexdigest()


def digest_rows(rows: Iterable[RowRef]) -> str:
    """Return the digest of rows in order of index."""
    made = RowsDigest()
    for row in rows:
        made.take(row)
    return made.hex


def digest_items(items: Iterable[Mapping[str, Any]]) -> str:
    """Return the digest of items in their order: each as one line of canonical JSON."""
    made = sha256(_ITEMS)
    for item in items:
        made.update(canonical_json(dict(item)) + b"\n")
    return made.hexdigest()


def digest_snapshot(said: Mapping[str, Any]) -> str:
    """Return the digest of a snapshot as `review.opened` states it."""
    return sha256(_SNAPSHOT + canonical_json({name: said[name] for name in SNAPSHOT_MEMBERS})).hexdigest()


def digest_marks(marks: Iterable[Sequence[Any]]) -> str:
    """Return the digest of what was marked: the index, section, item, person and verdict of each mark, in order."""
    return sha256(_MARKS + canonical_json([list(each) for each in marks])).hexdigest()


def rank(seed: bytes, event_id: bytes) -> bytes:
    """Return where an event stands in the order of a sample: SHA-256 over the seed and the event's 16 bytes of id."""
    return sha256(seed + event_id).digest()


class Draw:
    """Draws from rows as they come, in any order: the `count` that stand first by `rank`."""

    def __init__(self, seed: bytes, count: int) -> None:
        self._seed = seed
        self._count = count
        self._kept: list[tuple[int, int]] = []  # the largest rank on top

    def take(self, row: RowRef) -> None:
        """Let a row take part."""
        entry = (-int.from_bytes(rank(self._seed, row.id), "big"), row.index)
        if len(self._kept) < self._count:
            heapq.heappush(self._kept, entry)
        elif self._count and entry > self._kept[0]:
            heapq.heapreplace(self._kept, entry)

    @property
    def indexes(self) -> tuple[int, ...]:
        """The indexes drawn, first drawn first."""
        return tuple(index for _, index in sorted(self._kept, reverse=True))


def draw(seed: bytes, rows: Iterable[RowRef], count: int) -> tuple[int, ...]:
    """Return the indexes that a sample of `count` holds, first drawn first."""
    made = Draw(seed, count)
    for row in rows:
        made.take(row)
    return made.indexes
