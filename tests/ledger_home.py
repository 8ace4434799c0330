"""A data directory with everything a ledger test needs, on the machine's own disk and without threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from tallystick.event.admission import Admission
from tallystick.event.catalogue import load_shipped
from tallystick.event.pseudonym import Pseudonyms
from tallystick.ledger import Ledger, LedgerOptions, Receipt, product_admission
from tallystick.ledger.genesis import admit_events
from tallystick.ledger.layout import Layout
from tallystick.store.files import Disk, LocalDisk
from tallystick.testing import BatchMaker, ManualClock

ORIGIN = "example.org/test"
OPTIONS = LedgerOptions(background=False, reserve_bytes=0)


class Home:
    """Paths and surroundings; `open` and `create` remember the ledger so that `end` closes it."""

    def __init__(self, root: Path, disk: Disk | None = None) -> None:
        self.data, self.state = root / "data", root / "state"
        self.disk = disk or LocalDisk()
        self.clock = ManualClock()
        self.maker = BatchMaker(7)
        self.options = OPTIONS
        self.admission = product_admission(Admission(load_shipped(), Pseudonyms(bytes(32))))
        self._opened: list[Ledger] = []

    @property
    def layout(self) -> Layout:
        return Layout(self.data, self.state)

    def configure(self, **changes: Any) -> None:
        self.options = replace(self.options, **changes)

    def surroundings(self) -> dict[str, Any]:
        return {"admission": self.admission, "clock": self.clock, "disk": self.disk, "options": self.options}

    def create(self) -> Ledger:
        return self.keep(Ledger.create(self.data, self.state, origin=ORIGIN, **self.surroundings()))

    def open(self) -> Ledger:
        return self.keep(Ledger.open(self.data, self.state, **self.surroundings()))

    def keep(self, ledger: Ledger) -> Ledger:
        self._opened.append(ledger)
        return ledger

    def end(self) -> None:
        for ledger in self._opened:
            ledger.close()

    def record(self, ledger: Ledger, *events: dict[str, Any]) -> Receipt:
        """Append events of the product."""
        return ledger.append(admit_events(self.admission, events, self.clock.now_us()), 0)

    def event(self, action: str, metadata: dict[str, Any], person: str = "ana") -> dict[str, Any]:
        return {
            "action": action,
            "actor": {"id": person, "type": "user"},
            "target": {"id": ORIGIN, "type": "ledger"},
            "scope": "tallystick",
            "occurred_at": "2026-11-21T01:00:00Z",
            "metadata": metadata,
        }


def product_facts(ledger: Ledger) -> Sequence[dict[str, Any]]:
    """Return the facts of the unsealed events of source 0, in order."""
    frames = [ref.read() for ref in ledger.snapshot().frames if ref.source == 0]
    return [msgspec.json.decode(frame.facts_at(at)) for frame in frames for at in range(frame.count)]
