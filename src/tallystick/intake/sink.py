"""Where an importer sends events, whatever lies behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

ID_CONFLICT = "id-conflict"
"""The code of a refusal because the id names an event with other fields already."""


@dataclass(frozen=True, slots=True)
class SinkResult:
    """What became of one event. Refused when `code` is given; then `message` says why and `pointer` where."""

    index: int | None = None
    repeated: bool = False
    code: str | None = None
    message: str = ""
    pointer: str | None = None


class Sink(Protocol):
    """Takes batches of events. `name` tells one ledger from another, because the journal of an import names it."""

    name: str

    def send(self, events: bytes) -> Sequence[SinkResult]:
        """Record events, one a line, and return one result for each, in order.

        Accepted events are durable on return; a refused one never stops the others. After an exception nothing is
        known, and the same batch may be sent again, because every event in it carries its own id.
        """
        ...


class RecordingSink:
    """A sink over `POST /api/v1/events?partial=true`: `record` sends a body and returns the decoded answer."""

    def __init__(self, name: str, record: Callable[[bytes], Mapping[str, Any]]) -> None:
        self.name = name
        self._record = record

    def send(self, events: bytes) -> Sequence[SinkResult]:
        return read_answer(self._record(events), events.count(b"\n"))


def read_answer(answer: Mapping[str, Any], count: int) -> list[SinkResult]:
    """Return the results of `count` events from the API's answer: receipts in order, and refusals by their place."""
    refused = {each["item"]: each["problem"] for each in answer.get("refused", ())}
    receipts = iter(answer.get("events", ()))
    results = []
    for item in range(count):
        if (problem := refused.get(item)) is not None:
            message = str(problem.get("detail") or problem.get("title") or "refused")
            results.append(
                SinkResult(code=str(problem.get("code", "refused")), message=message, pointer=problem.get("pointer"))
            )
        else:
            receipt = next(receipts)
            results.append(SinkResult(index=receipt["index"], repeated=bool(receipt.get("repeated"))))
    return results
