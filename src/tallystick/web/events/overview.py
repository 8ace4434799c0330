"""Counts over time as bars, and by value as lists: what stands beside the table of events."""

from __future__ import annotations

import math
from typing import Final

import msgspec

from tallystick.search.model import Bar, Facet, Facets, Histogram
from tallystick.web.events.question import Asked, opposite
from tallystick.web.events.window import bounds_of, span_link

WIDTH: Final = 960
HEIGHT: Final = 72
_GAP: Final = 1.0
_SHOWN: Final = 10
_STEPS: Final = (
    (86_400 * 7, "week"),
    (86_400, "day"),
    (3600, "hour"),
    (60, "minute"),
    (1, "second"),
)
_NAMES: Final = {"target_type": "Target type"}


class BarView(msgspec.Struct, frozen=True, kw_only=True):
    """One bar: what it counts, where it stands in the picture, and the address of the question over it."""

    start: int
    end: int
    count: int
    x: float
    width: float
    height: float
    href: str


class HistogramView(msgspec.Struct, frozen=True, kw_only=True):
    """Bars over time, from zero to `top`; `step` says in words how long one is."""

    bars: tuple[BarView, ...]
    top: int
    step: str
    first: int
    last: int


class FacetValueView(msgspec.Struct, frozen=True, kw_only=True):
    """A value with its count, the question with it alone, and the question without it."""

    text: str
    missing: bool
    count: int
    only: str
    without: str


class FacetView(msgspec.Struct, frozen=True, kw_only=True):
    """The most frequent values of a field; `others` distinct values are not listed."""

    name: str
    label: str
    shown: tuple[FacetValueView, ...]
    more: tuple[FacetValueView, ...]
    others: int


class OverviewView(msgspec.Struct, frozen=True, kw_only=True):
    """Histogram and facets of one question. What is not `complete` ran out of time, and counts at least so much."""

    histogram: HistogramView | None
    facets: tuple[FacetView, ...]
    total: int
    complete: bool
    here: str


def make_overview_view(asked: Asked, facets: Facets, histogram: Histogram, now_us: int) -> OverviewView:
    """Return histogram and facets as the page shows them."""
    return OverviewView(
        histogram=_histogram(asked, histogram, now_us),
        facets=tuple(_facet(asked, facet) for facet in facets.facets if facet.values),
        total=facets.total,
        complete=facets.complete and histogram.complete,
        here=asked.link(),
    )


def _histogram(asked: Asked, histogram: Histogram, now_us: int) -> HistogramView | None:
    if not histogram.bars:
        return None
    low, high = bounds_of(asked, now_us)
    step = histogram.step_us
    # The axis is the range that was asked for; where it is open, what was found, up to now if it began with a bound.
    first, last = histogram.bars[0].start, histogram.bars[-1].start + step
    if low is not None:
        first, last = min(first, low), max(last, now_us)
    if high is not None:
        last = max(histogram.bars[-1].start + step, high)
    top = max(bar.count for bar in histogram.bars)
    return HistogramView(
        bars=tuple(_bar(asked, bar, step, first, last, top) for bar in histogram.bars if bar.count),
        top=top,
        step=_in_words(step // 1_000_000),
        first=first,
        last=last,
    )


def _bar(asked: Asked, bar: Bar, step: int, first: int, last: int, top: int) -> BarView:
    scale = WIDTH / (last - first)
    height = max(2.0, HEIGHT * bar.count / top)  # the smallest count is still seen
    return BarView(
        start=bar.start,
        end=bar.start + step,
        count=bar.count,
        x=round(max(0.0, (bar.start - first) * scale), 2),
        width=round(max(1.0, step * scale - _GAP), 2),
        height=round(height, 2),
        href=span_link(asked, bar.start, bar.start + step),
    )


def _facet(asked: Asked, facet: Facet) -> FacetView:
    values = tuple(
        FacetValueView(
            text=value.value or "",
            missing=value.value is None,
            count=value.count,
            only=asked.narrowed(value.query),
            without=asked.narrowed(opposite(value.query)),
        )
        for value in facet.values
    )
    label = _NAMES.get(facet.field, facet.field.capitalize())
    return FacetView(name=facet.field, label=label, shown=values[:_SHOWN], more=values[_SHOWN:], others=facet.others)


def _in_words(seconds: int) -> str:
    for length, unit in _STEPS:
        if seconds >= length and not seconds % length:
            count = math.floor(seconds / length)
            return unit if count == 1 else f"{count} {unit}s"
    return "moment"
