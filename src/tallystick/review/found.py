"""The events of a section, read for the snapshot and compared again later: by the product, with nothing left out.

The boundary of a week is found in the tree itself, whose entries hold the time of receipt and are never destroyed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from tallystick.access.model import Caller
from tallystick.access.operator import EVERYTHING
from tallystick.event.entry import parse_entry
from tallystick.ledger.ledger import Ledger
from tallystick.merkle import hash_leaf, hash_node
from tallystick.query.model import Equals, FieldRef, Term, any_of
from tallystick.query.writer import format_query
from tallystick.review.errors import ReviewTooLargeError
from tallystick.review.model import Section
from tallystick.search.model import Search
from tallystick.search.service import SearchService
from tallystick.verify.review_format import Draw, RowRef, RowsDigest

PRODUCT: Final = Caller("tallystick", "system", "tallystick", EVERYTHING, "local", "api")
OWN_MAX: Final = 2000
_BUNDLE: Final = 256
_AT_ONCE: Final = 512
_WHO: Final = (
    *map(FieldRef, ("actor", "on_behalf_of", "target")),
    *(FieldRef("metadata", (name,)) for name in ("subject", "person")),  # whom a grant or an account is for
)


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows a section has, their digest, and which of them were drawn."""

    count: int
    digest: str
    drawn: tuple[int, ...]


def rows_of(search: SearchService, query: str, scope: str, *, reading: bool) -> Iterator[RowRef]:
    """Yield the rows that a query finds in a scope, oldest first. It is the product that looks: nothing is recorded."""
    asked = Search(text=query, scope=scope or None, reading=reading)
    scan, _ = search.open_export(asked, PRODUCT)
    for found in scan.run():
        for start in range(0, len(found), _AT_ONCE):
            piece = found.slice(start, start + _AT_ONCE)
            for each in scan.contents([(piece, len(piece))]):
                assert each.facts is not None
                yield RowRef(each.index, each.id, sha256(each.facts).hexdigest())


def count_rows(rows: Iterator[RowRef], seed: bytes, sample: int) -> Count:
    """Return what a snapshot says of rows; `sample` of them are drawn."""
    digest, drawn = RowsDigest(), Draw(seed, sample)
    for row in rows:
        digest.take(row)
        drawn.take(row)
    return Count(digest.count, digest.hex, drawn.indexes)


def own_rows(search: SearchService, section: Section, scope: str, ids: Collection[str]) -> tuple[int, ...]:
    """Return the indexes of a section's events in which somebody is named as actor, as target, as the one acted
    for, or as whom a grant or an account is for.

    Of a sample only what was drawn counts. Raises ReviewTooLargeError for more than a mark can hold.
    """
    about = any_of(Term(field, Equals(each)) for field in _WHO for each in sorted(ids))
    query = f"({format_query(about)}) ({section.query})"
    drawn = None if section.drawn is None else frozenset(section.drawn)
    found: list[int] = []
    for row in rows_of(search, query, scope, reading=section.reading):
        if drawn is None or row.index in drawn:
            found.append(row.index)
        if len(found) > OWN_MAX:
            raise ReviewTooLargeError(
                f"more than {OWN_MAX:,} events of this section are about you", advice="Let somebody else mark it."
            )
    return tuple(found)


def boundary(ledger: Ledger, at_us: int) -> int | None:
    """Return the index of the first event received at a time or later, or None when no signed tree reaches there."""
    committed = ledger.status().committed.size
    low, high = 0, committed
    while low < high:
        middle = (low + high) // 2
        if _received_at(ledger, middle) < at_us:
            low = middle + 1
        else:
            high = middle
    return low if low < committed else None


def root_with(ledger: Ledger, index: int) -> bytes:
    """Return the root of the tree whose last entry is at an index: the same for ever."""
    node = hash_leaf(_entry(ledger, index))
    for left in ledger.prove_inclusion(index, index + 1):
        node = hash_node(left, node)  # the last leaf has nothing to its right
    return node


def _entry(ledger: Ledger, index: int) -> bytes:
    return ledger.read_entries(index // _BUNDLE)[index % _BUNDLE]


def _received_at(ledger: Ledger, index: int) -> int:
    return parse_entry(_entry(ledger, index)).received_at
