"""Correlations that stand on rules and on each other.

The firing of a correlation is a match for those that refer to it: at the time where its window ended, with the values
of its group under the names of `group-by`. One that counts events counts only how often such a condition came true, not
each event for which it stayed true; all others see every firing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tallystick.sigma.correlate import GROUPS_MAX, LATENESS_US, Correlator, Fields, Fired, counted_values
from tallystick.sigma.correlate_groups import Group
from tallystick.sigma.errors import SigmaError
from tallystick.sigma.model import Correlation, CorrelationType


@dataclass(frozen=True, slots=True)
class Hit:
    """A match of a rule, or the firing of a correlation, on its way to those that refer to it."""

    fields: Fields
    time_us: int
    index: int
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class _FiredFields:
    """The fields of a firing: those of its group, and of the event that made it fire."""

    group: Mapping[str, str]
    event: Fields

    def texts(self, path: str) -> tuple[str, ...]:
        said = self.group.get(path)
        return self.event.texts(path) if said is None else (said,) if said else ()


class Correlations:
    """All correlations of a set of rules, by key. `keys` says which key a reference (an id or a name) means."""

    def __init__(
        self,
        correlations: Mapping[str, Correlation],
        keys: Mapping[str, str],
        lateness_us: Mapping[str, int] | None = None,
        groups_max: int = GROUPS_MAX,
    ) -> None:
        late = lateness_us or {}
        self._keys = keys
        order = _in_order(correlations, keys)
        self.correlators = {key: Correlator(correlations[key], late.get(key, LATENESS_US), groups_max) for key in order}
        self._above: dict[str, list[str]] = {}
        for key in order:
            for below in dict.fromkeys(keys[name] for name in correlations[key].rules):
                self._above.setdefault(below, []).append(key)
        self._places = {key: place for place, key in enumerate(order)}

    def refers_to(self, key: str) -> bool:
        """Return whether a correlation is made of this rule or correlation."""
        return key in self._above

    def feed(self, matched: Mapping[str, Fields], time_us: int, index: int, now_us: int) -> list[tuple[str, Fired]]:
        """Count the matches of one event in; returns what fires, in the order of the rules it is made of."""
        hits: dict[str, list[Hit]] = {
            key: [Hit(fields, time_us, index)] for key, fields in matched.items() if key in self._above
        }
        if not hits:
            return []
        waiting = {above for key in hits for above in self._above[key]}
        fired: list[tuple[str, Fired]] = []
        while waiting:
            key = min(waiting, key=self._places.__getitem__)
            waiting.discard(key)
            found = self._feed_one(key, hits, now_us)
            if found:
                fired += [(key, each) for each, _ in found]
                hits[key] = [hit for _, hit in found]
                waiting.update(self._above.get(key, ()))
        return fired

    def _feed_one(self, key: str, hits: Mapping[str, list[Hit]], now_us: int) -> list[tuple[Fired, Hit]]:
        correlator = self.correlators[key]
        correlation = correlator.correlation
        is_count = correlation.type is CorrelationType.EVENT_COUNT
        grouped: dict[tuple[Group, int], tuple[list[int], dict[str, None], Hit]] = {}
        for step, name in enumerate(correlation.rules):
            for hit in hits.get(self._keys[name], ()):
                if is_count and not hit.is_new:
                    continue
                values = _values(correlation, hit.fields)
                for group in correlator.groups_of(hit.fields, name):
                    held = grouped.setdefault((group, hit.time_us), ([], {}, hit))
                    held[0].append(step)
                    held[1].update(dict.fromkeys(values))
        found = []
        for (group, time_us), (steps, counted, hit) in grouped.items():
            fired = correlator.add(steps, group, counted, time_us, hit.index, now_us)
            if fired is not None:
                fields = _FiredFields(dict(zip(correlation.group_by, group, strict=True)), hit.fields)
                found.append((fired, Hit(fields, fired.time_us, fired.index, fired.is_new)))
        return found


def _values(correlation: Correlation, fields: Fields) -> Iterable[str]:
    return counted_values(fields, correlation.fields) if correlation.type is CorrelationType.VALUE_COUNT else ()


def _in_order(correlations: Mapping[str, Correlation], keys: Mapping[str, str]) -> Sequence[str]:
    """Return the correlations so that each comes after those it refers to; raises SigmaError for a circle."""
    order: dict[str, None] = {}
    open_: list[str] = []

    def visit(key: str) -> None:
        if key in order or key not in correlations:
            return
        correlation = correlations[key]
        if key in open_:
            raise _refusal("this correlation refers to itself, directly or through others", correlation)
        open_.append(key)
        for name in correlation.rules:
            if name not in keys:
                raise _refusal(f"the correlation refers to {name!r}, which is not there", correlation)
            visit(keys[name])
        open_.pop()
        order[key] = None

    for key in correlations:
        visit(key)
    return list(order)


def _refusal(message: str, correlation: Correlation) -> SigmaError:
    return SigmaError(message, line=correlation.place.line, column=correlation.place.column)
