"""A ledger's front door for importers under test: the real admission, and a memory of ids."""

from __future__ import annotations

from collections.abc import Sequence

from tallystick.errors import UnavailableError
from tallystick.event.admission import Admission, Media
from tallystick.event.catalogue import load_shipped
from tallystick.event.gate import SourceRules
from tallystick.event.limits import Limits
from tallystick.event.pseudonym import Pseudonyms
from tallystick.intake.sink import ID_CONFLICT, SinkResult


class LostAnswerError(UnavailableError):
    """The sink took the batch, or not, and the answer never came."""

    code = "lost-answer"


class AdmittingSink:
    """Implements `intake.sink.Sink` without a disk.

    `events` holds (facts, personal) by id in the order of their index. `fail_before` and `fail_after` are numbers of
    calls (from 1) that raise before anything is taken, or after all of it is.
    """

    def __init__(self, *, now_us: int, fail_before: Sequence[int] = (), fail_after: Sequence[int] = ()) -> None:
        self.name = "memory"
        self.events: dict[bytes, tuple[bytes, bytes]] = {}
        self.batches: list[int] = []
        self._now_us = now_us
        self._fail_before = fail_before
        self._fail_after = fail_after
        self._admission = Admission(load_shipped(), Pseudonyms(b"k" * 32), Limits())
        self._rules = SourceRules(number=1, name="import", scopes=("",), actor_ids="opaque")
        self._indexes: dict[bytes, int] = {}

    def send(self, events: bytes) -> Sequence[SinkResult]:
        call = len(self.batches) + 1
        count = events.count(b"\n")
        self.batches.append(count)
        if call in self._fail_before:
            raise LostAnswerError("the sink is away")
        results = self._take(events, count)
        if call in self._fail_after:
            raise LostAnswerError("the answer was lost")
        return results

    def _take(self, events: bytes, count: int) -> list[SinkResult]:
        batch, refused = self._admission.admit_partial(events, self._rules, now_us=self._now_us, media=Media.NDJSON)
        results: dict[int, SinkResult] = {
            each.item: SinkResult(code=each.error.code, message=each.error.message, pointer=each.error.pointer)
            for each in refused
        }
        for at in range(len(batch)):
            event_id, parts = batch.ids[16 * at : 16 * at + 16], (batch.facts[at], batch.personal[at])
            known = self.events.get(event_id)
            if known is None:
                self._indexes[event_id] = len(self.events)
                self.events[event_id] = parts
                results[batch.item(at)] = SinkResult(index=self._indexes[event_id])
            elif known == parts:
                results[batch.item(at)] = SinkResult(index=self._indexes[event_id], repeated=True)
            else:
                results[batch.item(at)] = SinkResult(code=ID_CONFLICT, message="the id names another event already")
        return [results[item] for item in range(count)]
