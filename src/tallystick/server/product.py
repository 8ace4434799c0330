"""The product's own events on their way into the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tallystick.clock import Clock
from tallystick.event.admission import Admission, Batch
from tallystick.event.canonical import canonical_json
from tallystick.ledger.genesis import PRODUCT, PRODUCT_SOURCE
from tallystick.ledger.ledger import Ledger


class ProductEvents:
    """Appends the product's own events: durable when a call returns."""

    def __init__(self, ledger: Ledger, admission: Admission, clock: Clock) -> None:
        self._ledger = ledger
        self._admission = admission
        self._clock = clock

    def admit(self, body: bytes, now_us: int) -> Batch:
        """Return a JSON array of events as a batch of source 0."""
        return self._admission.admit(body, PRODUCT, now_us=now_us)

    def one(self, fields: Mapping[str, Any]) -> None:
        """Append one event."""
        self._ledger.append(self._admission.admit_event(fields, PRODUCT, now_us=self._clock.now_us()), PRODUCT_SOURCE)

    def all(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Append events in order, as one batch: all of them or none."""
        body = canonical_json([dict(event) for event in events])
        self._ledger.append(self.admit(body, self._clock.now_us()), PRODUCT_SOURCE)
