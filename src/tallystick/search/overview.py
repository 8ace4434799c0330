"""Facets and histogram over everything a scan finds, in one pass over the view, newest part first."""

from __future__ import annotations

from collections.abc import Sequence

from tallystick.search.facets import BarCounter, Chosen, FacetCounter, choose_step, occurred_span
from tallystick.search.model import Facets, Histogram
from tallystick.search.scan import Scan
from tallystick.search.view import View


def make_overview(
    scan: Scan, fields: Sequence[str], *, step_us: int | None, bars_max: int, values_max: int
) -> tuple[Facets, Histogram]:
    """Return both, marked as not complete when the scan's time runs out before the oldest part."""
    plan, view = scan.plan, scan.view
    low, high = occurred_span(plan.node)
    counters = [FacetCounter(name, plan.rights.personal, plan.names) for name in fields]
    bars = BarCounter(step_us or _fitting_step(view, low, high, bars_max))
    total, searched_to = 0, view.size
    for group in view.groups():
        if scan.seconds_left() <= 0 and searched_to < view.size:
            scan.out_of_time = True
        if scan.out_of_time:
            break
        for part in group:
            chosen = Chosen.of(scan.decide(part), part.rows)
            with scan.naming_damage(part):
                for counter in counters:
                    counter.add(part, chosen)
                bars.add(part, chosen)
                total += chosen.count
        if not scan.out_of_time:
            searched_to = min(part.first for part in group)
    complete = not scan.out_of_time
    searched_to = 0 if complete else searched_to
    incomplete = tuple(scan.incomplete)
    facets = Facets(
        facets=tuple(counter.finish(values_max) for counter in counters),
        total=total,
        complete=complete,
        searched_to=searched_to,
        pinned_size=view.size,
        incomplete=incomplete,
    )
    histogram = Histogram(
        step_us=bars.step_us,
        bars=bars.finish(low, high, 10 * bars_max),
        total=total,
        complete=complete,
        searched_to=searched_to,
        pinned_size=view.size,
        incomplete=incomplete,
    )
    return facets, histogram


def _fitting_step(view: View, low: int | None, high: int | None, bars_max: int) -> int:
    """Return a step that fits the asked range, or what the view holds where that is narrower."""
    spans = [part.occurred() for part in view.parts if part.rows]
    first = min((start for start, _ in spans), default=0)
    last = max((end for _, end in spans), default=first)
    first = first if low is None else max(first, low)
    last = last if high is None else min(last, high - 1)
    return choose_step(first, max(first, last), bars_max)
