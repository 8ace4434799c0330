"""How fast are the newest 100 events with their exact content, histogram and facets, and rare words, over how many events?

Workload: sealed events of about 680 bytes, and some 20,000 that are not sealed yet. Every search goes through
`SearchService` in process, by a caller who may see personal data, and is put on record (with a sync) before it returns;
no question is asked twice, but for the overview without a filter. Caches are warmed as a running server's are.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import Any

from bench import events, ledger, measure, server
from tallystick.access.model import Caller
from tallystick.search.model import Search
from tallystick.search.service import SearchService

EVENTS = 10_000_000
ROUNDS = 60
FACETS = ("action", "actor", "outcome", "severity", "scope")
GROUP = "acme/group-7"
WARM_S = 60.0


def main() -> None:
    """Measure and keep the answer."""
    given = measure.sizes(__doc__, events=EVENTS, rounds=ROUNDS)
    with server.home(given.data) as home:
        filled = ledger.filled(home, given.events, "wide")
        with ledger.opened(home) as instance:
            unsealed = ledger.leave_tail(instance, min(ledger.TAIL, filled.events // 5))
            size = instance.ledger.snapshot().size  # `scaling` adds to a ledger that is kept
            asking = Asking(instance.services.search, ledger.reader(), given.rounds, size, unsealed)
            restricted = ledger.reader(GROUP)
            figures = [
                asking.first(),
                *asking.newest(),
                *asking.overviews(restricted),
                *asking.words(),
                *asking.rights(),
            ]
            figures.append(asking.figure("memory of the searching process", memory_mb=_own_memory_mb()))
    measure.keep("search", __doc__, figures)


@dataclass(frozen=True, slots=True)
class Asking:
    """One service, and who asks it how often."""

    service: SearchService
    caller: Caller
    rounds: int
    events: int
    unsealed: int

    def figure(self, name: str, **values: Any) -> dict[str, Any]:
        """Return a figure about this ledger."""
        return measure.figure(name, events=self.events, unsealed=self.unsealed, **values)

    def first(self) -> dict[str, Any]:
        """Return what the very first search costs, and warming after it."""
        start = time.perf_counter()
        self.service.search(Search(text="actor:u-00001"), self.caller)
        searched = time.perf_counter()
        self.service.warm(WARM_S)
        for _ in islice(questions(seed=0), 20):
            self.service.search(Search(text=_), self.caller)
        seconds = {"first_search_s": round(searched - start, 2), "warming_s": round(time.perf_counter() - searched, 2)}
        return self.figure("first search with nothing in memory, and warming", **seconds)

    def newest(self) -> list[dict[str, Any]]:
        """Return the times of the newest 100 by each field, and of all together."""
        found, everything = [], []
        for field, texts in by_field(seed=1).items():
            times, rows = self._timed(islice(texts, self.rounds))
            found.append(self.figure(f"newest 100 by {field}", rows=rows, ms=measure.summary_ms(times)))
            everything += times
        together = self.figure("newest 100 with exact content, all fields", ms=measure.summary_ms(everything))
        return [together, *found]

    def overviews(self, restricted: Caller) -> list[dict[str, Any]]:
        """Return the times of histogram and five facets: without a filter, with one, and for a restricted reader."""
        narrow, wide = by_field(seed=2), ("outcome:failure", "outcome:success", "severity>=low", "-outcome:denied")
        kinds: dict[str, tuple[Iterator[str], Caller]] = {
            "unfiltered": (cycle([""]), self.caller),
            "filtered": (_in_turn([*narrow.values(), cycle(wide)]), self.caller),
            f"reader of {GROUP} only": (cycle([""]), restricted),
            f"reader of {GROUP} only, filtered": (_in_turn(list(by_field(seed=3).values())), restricted),
        }
        figures = []
        for name, (texts, caller) in kinds.items():
            times, slowest = [], ("", 0.0)
            for text in islice(texts, self.rounds):
                start = time.perf_counter()
                facets, _ = self.service.overview(Search(text=text), caller, fields=FACETS)
                times.append(time.perf_counter() - start)
                assert facets.complete
                slowest = max(slowest, (text, times[-1]), key=lambda pair: pair[1])
            label = f"histogram and five facets, {name}"
            worst = {"slowest": slowest[0] or "everything"}
            figures.append(self.figure(label, ms=measure.summary_ms(times), **worst))
        return figures

    def words(self) -> list[dict[str, Any]]:
        """Return the times of words that few events have, of ids within events, and of words that none has."""
        chance = random.Random(4)
        rows = self.service.search(Search(text="has:session_id"), self.caller, limit=1000).rows
        traces = [row.event["metadata"]["trace"] for row in chance.sample(rows, min(self.rounds, len(rows)))]
        kinds: dict[str, Sequence[str]] = {
            "one of eight rare words": events.RARE_WORDS,
            "the trace id of one event": traces,
            "a word that no event has": [f"nowhere{chance.getrandbits(40):x}" for _ in range(self.rounds)],
        }
        figures, everything = [], []
        for name, words in kinds.items():
            times, found = self._timed(words)
            figures.append(self.figure(f"rare word: {name}", rows=found, ms=measure.summary_ms(times)))
            everything += times
        return [self.figure("rare word: all kinds", ms=measure.summary_ms(everything)), *figures]

    def rights(self) -> list[dict[str, Any]]:
        """Return what judging rights adds: the same questions, with the same rows, asked by callers whose rights say
        the same in other ways. They take turns, so that nothing else differs.
        """
        whole = self.caller
        everywhere = ("acme", "tallystick")
        readers = {
            "everything": whole,
            "two scopes that hold everything": ledger.reader(*everywhere),
            "the same, and own events elsewhere": ledger.reader(*everywhere, own="elsewhere"),
            "the same, without readings of others": ledger.reader(*everywhere, readings=False),
        }
        times: dict[str, list[float]] = {name: [] for name in readers}
        turns = list(readers)
        for text in islice(questions(seed=5), 4 * self.rounds):
            # Whoever asks first pays for what all then know; and each of the others puts one search on record.
            self.service.search(Search(text=text), replace(whole, id="first"))
            turns.append(turns.pop(0))
            for name in turns:
                asking = Asking(self.service, readers[name], self.rounds, self.events, self.unsealed)
                times[name] += asking._timed([text])[0]
        base = statistics.median(times["everything"])
        return [
            self.figure(
                f"newest 100 by who may read {name}",
                ms=measure.summary_ms(each),
                more_percent=round(100 * (statistics.median(each) / base - 1), 1),
            )
            for name, each in times.items()
        ]

    def _timed(self, texts: Iterator[str] | Sequence[str]) -> tuple[list[float], int]:
        """Return the seconds of each search, and the rows of all."""
        times, rows = [], 0
        for text in texts:
            start = time.perf_counter()
            page = self.service.search(Search(text=text), self.caller)
            times.append(time.perf_counter() - start)
            rows += len(page.rows)
            assert not page.out_of_time
        return times, rows


def by_field(seed: int) -> dict[str, Iterator[str]]:
    """Return endless questions about each field; common and seldom values come as often as events have them."""
    chance = random.Random(seed)
    known = events.targets(random.Random(1))
    makers: dict[str, Callable[[], str]] = {
        "actor": lambda: events.actor_id(int(events.ACTORS * chance.random() ** 2)),
        "target": lambda: chance.choice(known),
        "ip": lambda: events.address(chance.randrange(events.ADDRESSES)),
        "action": lambda: events.ACTIONS[int(len(events.ACTIONS) * chance.random() ** 2)],
        "scope": lambda: events.scope_path(int(events.SCOPES * chance.random() ** 2)),
    }
    return {field: _asked(field, maker) for field, maker in makers.items()}


def questions(seed: int) -> Iterator[str]:
    """Return endless questions about all fields in turn."""
    return _in_turn(list(by_field(seed).values()))


def _asked(field: str, maker: Callable[[], str]) -> Iterator[str]:
    """Yield questions; where values are few, a bound that changes nothing keeps each from being asked twice."""
    number = 0
    while True:
        number += 1
        yield f"{field}:{maker()}" + (f" index>={number}" if field == "action" else "")


def _in_turn(questions: Sequence[Iterator[str]]) -> Iterator[str]:
    return (next(each) for each in cycle(questions))


def _own_memory_mb() -> float:
    return round(measure.memory_mb([os.getpid()]), 1)


if __name__ == "__main__":
    main()
