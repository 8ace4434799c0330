"""The product's own events, read back from the log in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tallystick.event.disclosure import Disclosure
from tallystick.event.frame import Frame
from tallystick.event.merge import merge
from tallystick.ledger.model import Snapshot
from tallystick.segment.content import ContentFile
from tallystick.segment.manifest import CONTENT

PRODUCT_SOURCE: Final = 0
LEDGER_CLASS: Final = 1


@dataclass(frozen=True, slots=True)
class ProductEvent:
    """An event of source 0 in the ledger and access class. `received_at` (microseconds) is the time it counts from."""

    index: int
    received_at: int
    action: str
    event: dict[str, Any]

    @property
    def metadata(self) -> dict[str, Any]:
        """The members that the product itself wrote."""
        metadata: dict[str, Any] = self.event["metadata"]
        return metadata


def product_events(snapshot: Snapshot, segments: Path, first: int) -> Iterator[ProductEvent]:
    """Yield the product's events from index `first` on, in order; reads only segments of their class."""
    for entry in snapshot.segments:
        if entry.class_number == LEDGER_CLASS and entry.end > first:
            for rows in ContentFile(segments / entry.path / CONTENT).iterate():
                yield from (_event(row) for row in rows if row.index >= first and row.source == PRODUCT_SOURCE)
    for reference in snapshot.frames.since(first):
        if reference.source == PRODUCT_SOURCE:
            yield from _tail_events(reference.read(), first)


def _tail_events(frame: Frame, first: int) -> Iterator[ProductEvent]:
    for position, class_number in enumerate(frame.classes):
        if class_number == LEDGER_CLASS and frame.first_index + position >= first:
            yield _event(frame.disclosure(position))


def _event(row: Disclosure) -> ProductEvent:
    assert row.facts is not None, "the ledger class never loses its facts"
    event = merge(row.facts, row.personal)
    return ProductEvent(row.index, row.received_at, event["action"], event)
