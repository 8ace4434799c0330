"""The samples in the text of a rule: events that it must fire for, and events that it must not.

A sample writes events as a sender does and leaves out what does not matter: each stands a second after the one before,
by the same person, in the same scope. `repeat` and `every_s` stand for a row of equal events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from tallystick.detect.errors import RuleTextError
from tallystick.event.identifier import hidden_character
from tallystick.event.occurred import time_of_us, us_of_time
from tallystick.sigma import Place
from tallystick.sigma.yaml_text import Node

SAMPLES_MAX: Final = 50
EVENTS_MAX: Final = 5_000
"""Of one sample, with all that is repeated."""
NAME_CHARS_MAX: Final = 200
START_US: Final = 1_767_607_200_000_000
"""Monday, 2026-01-05 at 10:00 UTC: inside office hours."""
_SECOND_US: Final = 1_000_000
_DAY_S_MAX: Final = 400 * 86_400
_SAMPLE_KEYS: Final = ("name", "match", "events", "wait_s")
_EVENT_KEYS: Final = frozenset(
    [
        "action",
        "actor",
        "on_behalf_of",
        "target",
        "targets",
        "scope",
        "occurred_at",
        "outcome",
        "severity",
        "reason",
        "message",
        "changes",
        "context",
        "metadata",
        "raw",
        "source",
        "source_kind",
        "repeat",
        "every_s",
        "after_s",
    ]
)


@dataclass(frozen=True, slots=True)
class SampleEvent:
    """One event of a sample: its fields as a sender sends them, when it is received, and from what kind of source."""

    event: Mapping[str, Any]
    at_us: int
    source: str
    source_kind: str


@dataclass(frozen=True, slots=True)
class Row:
    """Equal events, the first of them at a time, the next each a while later; times in microseconds."""

    fields: Mapping[str, Any]
    first_us: int
    every_us: int
    count: int

    def events(self) -> Iterator[SampleEvent]:
        """Yield them one by one: there may be thousands."""
        return (_event(self.fields, self.first_us + number * self.every_us) for number in range(self.count))


@dataclass(frozen=True, slots=True)
class Sample:
    """Events in order, whether the rule must fire for them, and until when time goes on after the last (microseconds)."""

    name: str
    matches: bool
    rows: tuple[Row, ...]
    until_us: int
    line: int

    def events(self) -> Iterator[SampleEvent]:
        """Yield the events in order."""
        return chain.from_iterable(row.events() for row in self.rows)

    def count(self) -> int:
        """Return how many events there are."""
        return sum(row.count for row in self.rows)


def read_samples(node: Node | None) -> tuple[Sample, ...]:
    """Return the samples of a rule; raises RuleTextError with line and column."""
    if node is None:
        return ()
    if not isinstance(node.value, list) or len(node.value) > SAMPLES_MAX:
        raise _refuse(f"samples are a list of at most {SAMPLES_MAX}", node.place)
    samples = [_sample(each, number) for number, each in enumerate(node.value, 1)]
    known: set[str] = set()
    for each, at in zip(samples, node.value, strict=True):
        if each.name in known:
            raise _refuse(f"the name {each.name[:60]!r} is there twice among the samples", at.place)
        known.add(each.name)
    return tuple(samples)


def _sample(node: Node, number: int) -> Sample:
    if not isinstance(node.value, dict):
        raise _refuse("a sample is a mapping with match and events", node.place)
    for key, place in node.keys.items():
        if key not in _SAMPLE_KEYS:
            raise _refuse(f"the key {key[:60]!r} is not known here; known: {', '.join(_SAMPLE_KEYS)}", place)
    members = node.value
    matches, events = members.get("match"), members.get("events")
    if matches is None or not isinstance(matches.value, bool):
        raise _refuse("a sample says `match: true` or `match: false`", node.place if matches is None else matches.place)
    if events is None or not isinstance(events.value, list):
        raise _refuse("a sample has a list of events", node.place if events is None else events.place)
    name = members["name"].value if "name" in members else f"sample {number}"
    if not isinstance(name, str) or not 1 <= len(name) <= NAME_CHARS_MAX or hidden_character(name) is not None:
        raise _refuse(f"a sample's name has 1 to {NAME_CHARS_MAX} visible characters", members["name"].place)
    rows = _rows(events)
    last_us = rows[-1].first_us + (rows[-1].count - 1) * rows[-1].every_us if rows else START_US
    until_us = last_us + _count(node, "wait_s", 0, _DAY_S_MAX) * _SECOND_US
    return Sample(name, matches.value, rows, until_us, node.place.line)


def _rows(node: Node) -> tuple[Row, ...]:
    assert isinstance(node.value, list)
    made: list[Row] = []
    at_us, total = START_US, 0
    for each in node.value:
        if not isinstance(each.value, dict):
            raise _refuse("an event is a mapping", each.place)
        for key, place in each.keys.items():
            if key not in _EVENT_KEYS:
                raise _refuse(f"{key[:60]!r} is not a field of an event; what is your own goes into metadata", place)
        action = each.value.get("action")
        if action is None or not isinstance(action.value, str):
            raise _refuse("an event has an action", each.place)
        repeat = _count(each, "repeat", 1, EVENTS_MAX)
        every_us = _count(each, "every_s", 1, _DAY_S_MAX) * _SECOND_US
        at_us += _count(each, "after_s", 0, _DAY_S_MAX) * _SECOND_US
        total += repeat
        if total > EVENTS_MAX:
            raise _refuse(f"a sample has at most {EVENTS_MAX:,} events", each.place)
        fields = each.simple()
        _check_form(each, fields)
        if repeat:
            made.append(Row(fields, at_us, every_us, repeat))
            at_us += repeat * every_us
    return tuple(made)


def _check_form(node: Node, fields: Mapping[str, Any]) -> None:
    """Refuse what no event that was taken in can hold: the evaluation relies on that."""
    for key, (kind, what) in _FORMS.items():
        if key in fields and not isinstance(fields[key], kind):
            raise _refuse(f"{key} is {what}", node.keys[key])
    if not all(isinstance(each, dict) for each in fields.get("targets", ())):
        raise _refuse("targets are mappings", node.keys["targets"])
    if "occurred_at" in fields:
        try:
            us_of_time(fields["occurred_at"])
        except (TypeError, ValueError, OverflowError):
            raise _refuse("occurred_at is a time such as 2026-01-05T10:00:00Z", node.keys["occurred_at"]) from None


def _event(fields: Mapping[str, Any], at_us: int) -> SampleEvent:
    named = {key: value for key, value in fields.items() if key not in _BESIDE}
    event: dict[str, Any] = {
        "actor": {"id": "mira", "type": "user"},
        "scope": "acme/app",
        "occurred_at": time_of_us(at_us),
        "outcome": "success",
        **named,
    }
    if "target" in event:
        event["targets"] = [event.pop("target")]
    event.setdefault("targets", [{"id": "app", "type": "application"}])
    return SampleEvent(event, at_us, str(fields.get("source", "app")), str(fields.get("source_kind", "application")))


def _count(node: Node, key: str, default: int, most: int) -> int:
    assert isinstance(node.value, dict)
    found = node.value.get(key)
    if found is None:
        return default
    if not isinstance(found.value, int) or isinstance(found.value, bool) or not 0 <= found.value <= most:
        raise _refuse(f"{key} is a whole number, at most {most:,}", found.place)
    return found.value


def _refuse(message: str, place: Place) -> RuleTextError:
    return RuleTextError(message, line=place.line, column=place.column)


_BESIDE: Final = frozenset({"repeat", "every_s", "after_s", "source", "source_kind"})
_FORMS: Final[Mapping[str, tuple[type, str]]] = {
    **dict.fromkeys(("actor", "on_behalf_of", "target", "context", "metadata"), (dict, "a mapping")),
    **dict.fromkeys(("targets", "changes"), (list, "a list")),
    **dict.fromkeys(("scope", "occurred_at", "outcome", "severity", "source", "source_kind"), (str, "a text")),
}
