"""Events that were accepted together, held as columns: what admission hands to the ledger."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tallystick.event.commitment import DIGEST_BYTES, ID_BYTES, SALT_BYTES

SALTS_BYTES = 2 * SALT_BYTES


@dataclass(frozen=True, slots=True)
class Batch:
    """Columns of accepted events, in the order they were sent.

    `ids` joins 16-byte ids, `given` has a 1 where the id came from the sender (so a repeat is a retry), `salts`
    joins salt1 and salt2 of each event, `contents` joins the 32-byte content digests. `checksum` was taken over
    ids, salts, contents, facts and personal right where the digests were made: whoever copies the columns on
    compares it. `items` gives each event's position in what was sent, or None when nothing was left out.
    """

    ids: bytes
    given: bytes
    salts: bytes
    classes: tuple[int, ...]
    contents: bytes
    facts: tuple[bytes, ...]
    personal: tuple[bytes, ...]
    checksum: int
    items: tuple[int, ...] | None = None

    def __len__(self) -> int:
        return len(self.classes)

    def item(self, position: int) -> int:
        """Return where the event at `position` stood in what was sent."""
        return position if self.items is None else self.items[position]

    def without(self, positions: Collection[int]) -> Batch:
        """Return the batch with the events at `positions` left out."""
        gone = frozenset(positions)
        kept = [position for position in range(len(self)) if position not in gone]

        def pick(column: bytes, width: int) -> bytes:
            return b"".join([column[position * width : (position + 1) * width] for position in kept])

        ids, salts = pick(self.ids, ID_BYTES), pick(self.salts, SALTS_BYTES)
        contents = pick(self.contents, DIGEST_BYTES)
        facts = tuple(self.facts[position] for position in kept)
        personal = tuple(self.personal[position] for position in kept)
        return Batch(
            ids=ids,
            given=pick(self.given, 1),
            salts=salts,
            classes=tuple(self.classes[position] for position in kept),
            contents=contents,
            facts=facts,
            personal=personal,
            checksum=admission_checksum(ids, salts, contents, facts, personal),
            items=tuple(self.item(position) for position in kept),
        )


def admission_checksum(
    ids: bytes, salts: bytes, contents: bytes, facts: Iterable[bytes], personal: Iterable[bytes]
) -> int:
    """Return the CRC-32 over the five columns that digests depend on, in this order."""
    checksum = zlib.crc32(contents, zlib.crc32(salts, zlib.crc32(ids)))
    checksum = zlib.crc32(b"".join(facts), checksum)
    return zlib.crc32(b"".join(personal), checksum)
