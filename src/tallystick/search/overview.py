"""Facets and histogram over everything a scan finds, in one pass over the view, newest part first."""

from __future__ import annotations

from collections.abc import Sequence

from tallystick.search.facets import BarCounter, Chosen, FacetCounter, choose_step, occurred_span
from tallystick.search.model import Facets, Histogram
from tallystick.search.parts import Part
from tallystick.search.scan import Scan


def make_overview(
    scan: Scan, fields: Sequence[str], *, step_us: int | None, bars_max: int, values_max: int
) -> tuple[Facets, Histogram]:
    """Return both, marked as not complete when the scan's time runs out before the oldest part."""
    plan, view = scan.plan, scan.view
    low, high = occurred_span(plan.node)
    counters = [FacetCounter(name, plan.rights.personal, plan.names) for name in fields]
    found: list[tuple[Part, Chosen]] = []
    searched_to = view.size
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
                found.append((part, chosen))
        if not scan.out_of_time:
            searched_to = min(part.first for part in group)
    bars = BarCounter(step_us or _fitting_step(scan, found, bars_max))
    total = 0
    for part, chosen in found:
        with scan.naming_damage(part):
            bars.add(part, chosen)
            total += chosen.count
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


def _fitting_step(scan: Scan, found: Sequence[tuple[Part, Chosen]], bars_max: int) -> int:
    """Return a step that fits what was found and nothing else: the times of events that the caller may not see, or did
    not ask for, must not show in it. Parts that cannot widen the span any more are not opened.
    """
    held = [(part, chosen, *part.occurred()) for part, chosen in found if chosen.count]
    firsts: list[int] = []
    for part, chosen, earliest, _ in sorted(held, key=lambda each: each[2]):
        if firsts and earliest >= min(firsts):
            break
        with scan.naming_damage(part):
            firsts.append(chosen.occurred(part)[0])
    lasts: list[int] = []
    for part, chosen, _, latest in sorted(held, key=lambda each: -each[3]):
        if lasts and latest <= max(lasts):
            break
        with scan.naming_damage(part):
            lasts.append(chosen.occurred(part)[1])
    return choose_step(min(firsts, default=0), max(lasts, default=0), bars_max)
