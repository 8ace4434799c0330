"""What is counted of each sender: how many events, when, how far its clock is off, what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from tallystick.access.sources.gaps import Stream
from tallystick.access.sources.model import Source
from tallystick.event.occurred import us_of_time

HOUR_US: Final = 3_600_000_000
HOURS: Final = 24
SAMPLES: Final = 512
"""Of the newest differences of clocks, of which median and 95th percentile are told."""
STREAMS_MAX: Final = 100
"""Of one sender; further ones are not watched."""
_MARK: Final = b'"sequence":{"number":'
_US: Final = 1_000_000


class _Sequence(msgspec.Struct):
    number: int
    stream: str


class _Head(msgspec.Struct):
    """What of an event's facts is counted."""

    occurred_at: str
    sequence: _Sequence | None = None


_DECODER: Final = msgspec.json.Decoder(_Head)


class Counts(msgspec.Struct):
    """The state of one sender. `hours` counts by hour since 1970, `skews` are `received_at - occurred_at` (us)."""

    total: int = 0
    last_at: int = 0
    hours: dict[int, int] = {}
    skews: list[int] = []
    streams: dict[str, Stream] = {}
    unwatched: int = 0

    def take(self, received_at: int, count: int, facts: Sequence[bytes]) -> None:
        """Note `count` events that were received together; `facts` are those of them that are to be looked into."""
        self.total += count
        self.last_at = max(self.last_at, received_at)
        hour = received_at // HOUR_US
        self.hours[hour] = self.hours.get(hour, 0) + count
        if len(self.hours) > HOURS + 1:
            newest = max(self.hours)
            self.hours = {each: number for each, number in self.hours.items() if each > newest - HOURS - 1}
        for each in facts:
            head = _DECODER.decode(each)
            self.skews.append(received_at - us_of_time(head.occurred_at))
            if head.sequence is not None:
                self._follow(head.sequence)
        del self.skews[:-SAMPLES]

    def _follow(self, sequence: _Sequence) -> None:
        stream = self.streams.get(sequence.stream)
        if stream is not None:
            stream.take(sequence.number)
        elif len(self.streams) < STREAMS_MAX:
            self.streams[sequence.stream] = Stream(sequence.number + 1)
        else:
            self.unwatched += 1


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers of a stream that never came, both ends included."""

    stream: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Figures:
    """How a sender does. Times are microseconds; the last 24 hours are whole hours. `missing` counts all numbers that
    never came, of which `gaps` names the oldest.
    """

    total: int = 0
    last_day: int = 0
    last_at: int | None = None
    skew_median_us: int | None = None
    skew_p95_us: int | None = None
    streams: int = 0
    missing: int = 0
    gaps: tuple[Gap, ...] = ()

    def silent_s(self, source: Source, now_us: int) -> int:
        """Return for how many seconds the source has sent nothing."""
        return max(0, now_us - max(self.last_at or 0, source.registered_at)) // _US

    def state(self, source: Source, now_us: int) -> str:
        """Return `retired`, `silent` (nothing for longer than is expected), `waiting` for its first event, or `active`."""
        longest = source.settings.silence_s
        if source.retired:
            return "retired"
        if longest is not None and self.silent_s(source, now_us) > longest:
            return "silent"
        return "waiting" if self.last_at is None else "active"


def figures_of(counts: Counts | None, now_us: int) -> Figures:
    """Return what is told of a sender's counts."""
    if counts is None:
        return Figures()
    since = now_us // HOUR_US - HOURS
    skews = sorted(counts.skews)
    streams = sorted(counts.streams.items())
    return Figures(
        total=counts.total,
        last_day=sum(number for hour, number in counts.hours.items() if hour > since),
        last_at=counts.last_at or None,
        skew_median_us=skews[len(skews) // 2] if skews else None,
        skew_p95_us=skews[min(len(skews) - 1, len(skews) * 95 // 100)] if skews else None,
        streams=len(streams),
        missing=sum(stream.missing for _, stream in streams),
        gaps=tuple(Gap(name, *gap) for name, stream in streams for gap in stream.gaps),
    )


def worth_reading(facts: Sequence[bytes]) -> Sequence[bytes]:
    """Return which events of one batch to look into: all that count themselves, else one for the clock."""
    counted = [each for each in facts if _MARK in each]
    return counted or facts[:1]


def counts_itself(facts: bytes) -> bool:
    """Return whether any event in these facts, one after another, may have a number of its own."""
    return _MARK in facts
