"""What is asked and what is answered: frozen values, the same for page, API, command line and export."""

from __future__ import annotations

from typing import Any

import msgspec

COUNT_BOUND = 10_000
FACET_FIELDS = ("action", "actor", "outcome", "severity", "scope", "source", "target_type")


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """One question. `start` and `end` are written as in a query and bound `occurred_at`; `reading` includes the
    events that record reading.
    """

    text: str = ""
    start: str | None = None
    end: str | None = None
    scope: str | None = None
    reading: bool = False


class Row(msgspec.Struct, frozen=True, kw_only=True, weakref=True):
    """One event as the caller may see it; never changed, for several readers may hold the same one.

    `event` holds facts and, with the right to them, personal members. `withheld` says that there is personal data which
    is not shown, `erased` that there was and it has been destroyed, `undeclared` that no catalogue type has the action.
    Times are microseconds since 1970.
    """

    index: int
    id: str
    received_at: int
    source: str
    class_name: str
    message: str
    event: dict[str, Any]
    withheld: bool
    erased: bool
    undeclared: bool


class Incomplete(msgspec.Struct, frozen=True, kw_only=True):
    """A range of indexes that could not be searched, and why."""

    first: int
    size: int
    reason: str


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Up to `limit` rows, newest first by index.

    `next_cursor` is None only when everything was searched. `count` is exact when `count_exact`, else there are at least so
    many. With `out_of_time` the search stopped at index `searched_to` and the next page goes on from there: rows may be
    fewer than asked for although there are more. `fact_only` names fields that were answered from the facts alone
    because the caller may not read personal data. `pinned_size` is the size of the log that all pages speak of.
    """

    rows: tuple[Row, ...]
    next_cursor: str | None
    count: int
    count_exact: bool
    pinned_size: int
    searched_to: int
    out_of_time: bool = False
    fact_only: tuple[str, ...] = ()
    incomplete: tuple[Incomplete, ...] = ()


class FacetValue(msgspec.Struct, frozen=True, kw_only=True):
    """A value, how many events have it, and how to ask for it; `value` is None for events without one."""

    value: str | None
    count: int
    query: str


class Facet(msgspec.Struct, frozen=True, kw_only=True):
    """The most frequent values of a field; `others` is how many distinct values are not listed."""

    field: str
    values: tuple[FacetValue, ...]
    others: int


class Facets(msgspec.Struct, frozen=True, kw_only=True):
    """Counts over the events found; with `complete` false, at least over all of them at or above index `searched_to`."""

    facets: tuple[Facet, ...]
    total: int
    complete: bool
    searched_to: int
    pinned_size: int
    incomplete: tuple[Incomplete, ...] = ()


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """Events with `occurred_at` from `start` up to the next bar's."""

    start: int
    count: int


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """Events over time in equal steps of `step_us`, oldest first, empty bars included."""

    step_us: int
    bars: tuple[Bar, ...]
    total: int
    complete: bool
    searched_to: int
    pinned_size: int
    incomplete: tuple[Incomplete, ...] = ()


class Pull(msgspec.Struct, frozen=True, kw_only=True):
    """Rows in order of index. Going on after `next_after` misses nothing, also when there are no rows; `caught_up` says
    that the log held nothing more when this was read.
    """

    rows: tuple[Row, ...]
    next_after: int
    caught_up: bool
    incomplete: tuple[Incomplete, ...] = ()
