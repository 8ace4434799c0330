"""How many events a second do detection rules take on one core, and how long do thousands of rules take to load?

Workload: generated cloud audit events in the form of CloudTrail, about 1.2 KB each, of about 400 actions, most of them
harmless, as JSON in memory; each is decoded and then matched, all on one thread. Seconds are the processor's, so that
other work on the machine does not count. The rules are generated too: 30, 60 and 3,000 that ask for actions and sources
as cloud rules do, and 300 and 3,000 of every kind (inner texts, expressions, negation alone, keywords, other logsources).
Beside each figure stands what only decoding the events costs, and what asking every rule of the logsource would reach.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from bench import measure
from bench.sigma_rules import cloud_rules, made_events, mixed_rules
from tallystick.sigma import EventView, Logsource, Rule, RuleSet, compile_rules, load
from tallystick.sigma.compiling import compile_rule

EVENTS = 60_000
NAIVE_EVENTS = 1_500
ORIGINS = frozenset({Logsource(product="aws", service="cloudtrail")})


def main() -> None:
    """Measure and keep the answer."""
    given = measure.sizes(__doc__, events=EVENTS, loaded=3_000)
    chance = random.Random(7)
    events = [msgspec.json.encode(event) for event in made_events(chance, given.events)]
    measure.keep(
        "sigma",
        __doc__,
        [
            _matching("60 indexed rules", cloud_rules(chance, 60), events),
            _matching("30 indexed rules", cloud_rules(chance, 30), events),
            _matching("3,000 indexed rules", cloud_rules(chance, 3_000), events),
            _matching("300 mixed rules", mixed_rules(chance, 300), events),
            _matching("3,000 mixed rules", mixed_rules(chance, 3_000), events),
            _loading(mixed_rules(chance, given.loaded)),
        ],
    )


def _matching(name: str, texts: Sequence[bytes], events: Sequence[bytes]) -> dict[str, Any]:
    rules = _loaded(texts)
    compiled = compile_rules(rules)
    matched = _matches(compiled, events[:NAIVE_EVENTS])
    naive_s, naive = _naive(rules, events[:NAIVE_EVENTS])
    assert matched == naive, "the index must not change an answer"
    _matches(compiled, events[: len(events) // 10])
    decode_s = _seconds(lambda: _decode(events))
    both_s = _seconds(lambda: _matches(compiled, events))
    asked = [len(compiled.candidates(EventView(msgspec.json.decode(each)), ORIGINS)) for each in events[:NAIVE_EVENTS]]
    return measure.figure(
        name,
        events=len(events),
        bytes_per_event=round(sum(map(len, events)) / len(events)),
        rules=len(rules),
        unindexed=len(compiled.unindexed),
        rules_of_the_logsource=sum(any(rule.logsource.covers(each) for each in ORIGINS) for rule in rules.values()),
        rules_asked={"mean": round(sum(asked) / len(asked), 2), "p95": measure.percentile(asked, 0.95)},
        matches_per_thousand=round(1000 * sum(map(len, matched)) / len(matched), 1),
        events_per_s=round(len(events) / both_s),
        events_per_s_without_decoding=round(len(events) / (both_s - decode_s)),
        events_per_s_only_decoding=round(len(events) / decode_s),
        events_per_s_asking_every_rule=round(len(naive) / naive_s),
    )


def _loading(texts: Sequence[bytes]) -> dict[str, Any]:
    start = time.process_time()
    rules = _loaded(texts)
    loaded_s = time.process_time() - start
    compiled = compile_rules(rules)
    compiled.match(EventView({}), ORIGINS)
    return measure.figure(
        "loading rules",
        rules=len(rules),
        bytes=sum(map(len, texts)),
        seconds_reading=round(loaded_s, 2),
        seconds_until_ready=round(time.process_time() - start, 2),
    )


def _loaded(texts: Sequence[bytes]) -> dict[str, Rule]:
    rules: dict[str, Rule] = {}
    for number, text in enumerate(texts):
        [document] = load(text)
        assert isinstance(document, Rule)
        rules[f"r-{number}"] = document
    return rules


def _seconds(work: Callable[[], object]) -> float:
    """Return the processor seconds of the best of three runs."""
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def _decode(events: Sequence[bytes]) -> None:
    decode = msgspec.json.Decoder().decode
    for event in events:
        decode(event)


def _matches(rules: RuleSet, events: Sequence[bytes]) -> list[tuple[str, ...]]:
    decode = msgspec.json.Decoder().decode
    return [rules.match(EventView(decode(event)), ORIGINS) for event in events]


def _naive(rules: dict[str, Rule], events: Sequence[bytes]) -> tuple[float, list[tuple[str, ...]]]:
    """Return the seconds and answers of asking every rule of the logsource about every event."""
    applying = {key: rule for key, rule in rules.items() if any(rule.logsource.covers(each) for each in ORIGINS)}
    asked = [(key, compile_rule(rule).holds) for key, rule in applying.items()]
    decode = msgspec.json.Decoder().decode
    start = time.process_time()
    answers = []
    for event in events:
        view = EventView(decode(event))
        answers.append(tuple([key for key, holds in asked if holds(view)]))
    return time.process_time() - start, answers


if __name__ == "__main__":
    main()
