"""After a restore: what two people had destroyed since the backup is destroyed again, before anything is served.

The state directory remembers it (`ledger.decided`). Requests and approvals are restated in the log that is written to
now, by the same people, so that the erasures that follow are accounted for by the rule that every verifier has. The log
itself says what was restated, so that doing all of this again does nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

import msgspec
import numpy as np
from sqlalchemy import Connection

from tallystick.event.alike import ENTRY
from tallystick.event.spans import Spans
from tallystick.event.succession import log_named
from tallystick.follow.commands import Commands
from tallystick.ledger.decided import ErasureRecord, marks_of
from tallystick.ledger.erase import ErasureOrder
from tallystick.ledger.predecessors import Predecessor, Told
from tallystick.merkle.tiles import TILE_WIDTH
from tallystick.retain import events
from tallystick.retain.content import Content
from tallystick.retain.events import RANGES_MAX
from tallystick.retain.plan import decided_due

EVENTS_MAX: Final = 1 << 17
"""Of one erasure."""
ProductRows = Callable[[], Iterable[tuple[int, int, bytes]]]


class Entries(Protocol):
    """The entries of a log."""

    def read_entries(self, bundle: int) -> list[bytes]: ...
    def committed_size(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Staying:
    """What a hold keeps of something that had been destroyed before."""

    origin: str
    hold: str
    events: int


@dataclass(slots=True)
class Restated:
    """What the log says again of decisions about one log: each request by its record, and those that were approved."""

    requests: dict[str, int] = field(default_factory=dict)
    approved: set[int] = field(default_factory=set)
    told: list[Told] = field(default_factory=list)

    def has(self, record: ErasureRecord) -> bool:
        return self.requests.get(record.name) in self.approved

    @classmethod
    def read(cls, rows: ProductRows, log: str | None) -> Restated:
        """Return what is said about an earlier log, or with None about this one."""
        found = cls()
        for index, received_at, facts in sorted(rows()):
            event = msgspec.json.decode(facts)
            if log_named(event) != log:
                continue
            metadata, action = event.get("metadata", {}), event["action"]
            if log is not None:
                found.told.append((index, received_at, event))
            if action == "erasure.requested" and "restated" in metadata:
                found.requests[metadata["restated"]["record"]] = index
            elif action == "erasure.approved":
                found.approved.add(int(metadata["request"]))
        return found


class Repeater:
    """Does it for the log that is written to and for those before it."""

    def __init__(self, commands: Commands, rows: ProductRows, now_us: Callable[[], int]) -> None:
        self._commands = commands
        self._rows = rows
        self._now_us = now_us

    def missing(self, log: Entries, records: Sequence[ErasureRecord]) -> dict[ErasureRecord, Spans]:
        """Return the records of which the log has the events, but neither the decision nor that it was restated."""
        return _missing(log, records, Restated.read(self._rows, None)) if records else {}

    def restate(self, missing: Mapping[ErasureRecord, Spans], *, log: str | None = None, base: int = 0) -> None:
        """Put requests and approvals of these records on record; `log` and `base` are those of an earlier log."""
        told = Restated.read(self._rows, log)
        now = self._now_us()
        asked = [
            events.restated_request(record, spans, log, now)
            for record, spans in missing.items()
            if record.name not in told.requests
        ]
        self._commands.run(lambda _: asked)
        # A crash here leaves requests that nobody approved; the next start finds them and goes on.
        told = Restated.read(self._rows, log)
        approved = [
            events.restated_approval(record, deed, base + told.requests[record.name], log, now)
            for record in missing
            for deed in record.approvals
        ]
        self._commands.run(lambda _: approved)

    def clear(self, old: Predecessor) -> list[Staying]:
        """Destroy in an earlier log what two people decided, and return what its holds keep of what was restated now."""
        old.tell(Restated.read(self._rows, old.origin).told)
        said = Restated.read(self._rows, old.origin)
        said.approved = {index - old.base for index in said.approved}
        records = old.records.load()
        missing = _missing(old, records, said) if records else {}
        if not missing and not any(old.erasure_history().decided()):
            return []
        old.seal()
        if missing:
            self.restate(missing, log=old.origin, base=old.base)
        content = Content(old, old.segments)
        while self._clear_next(old, content):
            pass
        old.tell(Restated.read(self._rows, old.origin).told)
        return staying(old.origin, content, missing.values())

    def _clear_next(self, old: Predecessor, content: Content) -> bool:
        old.tell(Restated.read(self._rows, old.origin).told)
        for piece in decided_due(content.ground()):
            spans, count = content.cut(piece, EVENTS_MAX, RANGES_MAX)
            spared = tuple(sorted(piece.spared))
            order = ErasureOrder(spans.ranges(), piece.part, piece.decision, (piece.class_number,), spared, count)
            old.destroy(order)
            said = events.erased_elsewhere(order, old.origin, self._now_us())
            self._commands.run(partial(_return_one, said))
            # A crash before the event leaves the decision due: the same is done again, to the same files.
            old.finish()
            return True
        return False


def _return_one(event: events.Event, _: Connection) -> Sequence[events.Event]:
    return [event]


def staying(origin: str, content: Content, named: Iterable[Spans]) -> list[Staying]:
    """Return what holds keep of these events."""
    spans = Spans(each for one in named for each in one.ranges())
    found = content.held(spans, content.ground()) if spans else {}
    return [Staying(origin, hold, count) for hold, count in sorted((h, n) for h, n in found.items() if h)]


def _missing(log: Entries, records: Iterable[ErasureRecord], told: Restated) -> dict[ErasureRecord, Spans]:
    found: dict[ErasureRecord, Spans] = {}
    for record in records:
        if told.has(record) or all(_mark(log, each.index) == each.mark for each in record.deeds):
            continue
        spans = _here(log, record)
        if spans:
            found[record] = spans
    return found


def _here(log: Entries, record: ErasureRecord) -> Spans:
    """Return which of the events named are in this log, and not others at the same places."""
    size, spans = log.committed_size(), Spans(record.ranges)
    indexes: list[int] = []
    marks: list[bytes] = []
    for bundle in sorted({at for first, end in spans for at in range(first // TILE_WIDTH, -(-end // TILE_WIDTH))}):
        start = bundle * TILE_WIDTH
        if start >= size:
            break
        entries = log.read_entries(bundle)
        inside = [
            index
            for low, high in spans.touching(start, start + len(entries))
            for index in range(max(low, start), min(high, start + len(entries)))
        ]
        rows = np.frombuffer(b"".join(entries), dtype=ENTRY)
        indexes += inside
        marks += marks_of(rows[np.array(inside, dtype=np.int64) - start])
    return record.same(np.array(indexes, dtype=np.uint64), marks)


def _mark(log: Entries, index: int) -> str | None:
    if index >= log.committed_size():
        return None
    entry = log.read_entries(index // TILE_WIDTH)[index % TILE_WIDTH]
    return marks_of(np.frombuffer(entry, dtype=ENTRY))[0].hex()
