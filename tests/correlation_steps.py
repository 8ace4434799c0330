"""Correlations over matches that tests write down as tuples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tallystick.sigma import Bound, Correlation, CorrelationType, EventView, Head, Operator, Place
from tallystick.sigma.correlate import Fired
from tallystick.sigma.correlate_chain import Correlations

S = 1_000_000
START = 1_700_000_000 * S


def correlation(
    kind: str,
    rules: Sequence[str] = ("a",),
    *,
    by: Sequence[str] = (),
    span_s: int = 60,
    when: Mapping[str, int] | None = None,
    field: str | tuple[str, ...] = (),
    aliases: Mapping[str, Mapping[str, str]] | None = None,
    generate: bool = False,
) -> Correlation:
    """Return a correlation as the parser would."""
    return Correlation(
        head=Head(title="tested", place=Place(1, 1)),
        type=CorrelationType(kind),
        rules=tuple(rules),
        group_by=tuple(by),
        timespan_us=span_s * S,
        condition=tuple(Bound(Operator(name), count) for name, count in (when or {}).items()),
        fields=(field,) if isinstance(field, str) else field,
        aliases=aliases or {},
        generate=generate,
        place=Place(2, 3),
    )


class Run:
    """Feeds matches to correlations; times are seconds after the start, and received at once unless said."""

    def __init__(self, correlations: Mapping[str, Correlation] | Correlation, **more: Any) -> None:
        given = {"c": correlations} if isinstance(correlations, Correlation) else dict(correlations)
        names = {name for each in given.values() for name in each.rules} | set(given)
        self.correlations = Correlations(given, {name: name for name in names}, **more)
        self.now_us = START
        self.index = 0

    def feed(
        self, at_s: float, rules: str | Iterable[str], fields: Mapping[str, Any] | None = None
    ) -> list[tuple[str, Fired]]:
        """Count one event in that matches rules; returns what fires. Its index is how many were fed before it."""
        time_us = START + round(at_s * S)
        self.now_us = max(self.now_us, time_us)
        view = EventView(fields or {})
        names = [rules] if isinstance(rules, str) else rules
        fired = self.correlations.feed(dict.fromkeys(names, view), time_us, self.index, self.now_us)
        self.index += 1
        return fired

    def counts(self, events: Iterable[tuple[Any, ...]]) -> list[int | None]:
        """Return for each event the count with which the only correlation fires, or None where it does not."""
        found = [self.feed(*event) for event in events]
        return [each[-1][1].count if each else None for each in found]
