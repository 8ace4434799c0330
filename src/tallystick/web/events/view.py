"""The page of events as plain values; its JSON twin is these values."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any

import msgspec
from markupsafe import Markup

from tallystick.api.problem import Problem
from tallystick.search.model import Incomplete
from tallystick.web.events.chips import Chip
from tallystick.web.events.overview import OverviewView
from tallystick.web.events.question import Asked
from tallystick.web.events.saved import SavedViews
from tallystick.web.events.window import Window
from tallystick.web.templating import render_macro


class CellValue(msgspec.Struct, frozen=True, kw_only=True):
    """One value of a cell and the address of the question narrowed to it, empty where there is none."""

    text: str
    title: str = ""
    href: str = ""


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """What a row has in one column. `kind` says how it is drawn: time, outcome, severity, or text."""

    kind: str
    values: tuple[CellValue, ...]


class RowView(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One event of the table; `opens` is the address of its row opened."""

    index: int
    id: str
    message: str
    cells: tuple[Cell, ...]
    withheld: bool
    erased: bool
    opens: str

    @cached_property
    def line(self) -> Markup:
        """The row as it stands in the table, drawn once however many readers load it."""
        return render_macro("events/line.html", "line", self)


class ColumnView(msgspec.Struct, frozen=True, kw_only=True):
    """A column of the table and where its picker leads; empty addresses are not offered."""

    name: str
    label: str
    without: str
    left: str
    right: str


class ColumnChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A column that could be added, and the address with it."""

    label: str
    href: str


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question near one that found nothing, and how many events it finds."""

    text: str
    href: str
    count: int | None = None
    exact: bool = True
    around: int | None = None


class Nothing(msgspec.Struct, frozen=True, kw_only=True):
    """Why the table is empty: `unused` when nobody ever sent anything, `unmatched` otherwise, with ways out."""

    reason: str
    wider: tuple[Suggestion, ...] = ()
    dropped: tuple[Suggestion, ...] = ()
    nearest: tuple[Suggestion, ...] = ()


class EventsView(msgspec.Struct, frozen=True, kw_only=True):
    """A page of events. `problem` is why there are none to show."""

    asked: Asked
    window: Window
    chips: tuple[Chip, ...]
    clear: str
    columns: tuple[ColumnView, ...]
    choices: tuple[ColumnChoice, ...]
    rows: tuple[RowView, ...]
    count: int
    count_exact: bool
    took_ms: int
    out_of_time: bool
    incomplete: tuple[Incomplete, ...]
    fact_only: tuple[str, ...]
    newest: str
    older: str
    pinned_size: int
    overview_url: str
    overview_here: str
    live_url: str
    stop_url: str
    stream_url: str
    with_readings: str
    export_formats: tuple[tuple[str, str], ...]
    saved: SavedViews
    first_run: str = ""
    overview: OverviewView | None = None
    nothing: Nothing | None = None
    problem: Problem | None = None
    before: str = ""
    at: str = ""
    after: str = ""

    @property
    def lines(self) -> Markup:
        """All rows as they stand in the table."""
        return Markup("").join([row.line for row in self.rows])

    @property
    def column_menu(self) -> Markup:
        """The menu that adds, moves and removes columns."""
        return _draw_menu(self.columns, self.choices)


@lru_cache(16)
def _draw_menu(columns: tuple[ColumnView, ...], choices: tuple[ColumnChoice, ...]) -> Markup:
    return render_macro("events/column_menu.html", "column_menu", columns, choices)


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One value of an event by its path, with the questions that narrow to it and exclude it."""

    path: str
    text: str
    only: str = ""
    without: str = ""
    timeline: str = ""


class MoreView(msgspec.Struct, frozen=True, kw_only=True):
    """One event opened within the table."""

    index: int
    id: str
    message: str
    fields: tuple[Field, ...]
    changes: tuple[dict[str, Any], ...]
    withheld: bool
    erased: bool
    width: int
