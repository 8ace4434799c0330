"""Columns: laid out to the terminal's width, or, for a pipe, aligned and never shortened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from tallystick.cli.console import PIPED, out

GAP = "  "
PADDED_MAX = 100


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, and what becomes of it where there is not room for everything.

    The one that `folds` takes the room that the others leave; others end in an ellipsis after `most` cells. `least`
    keeps a column as wide from page to page.
    """

    heading: str = ""
    folds: bool = False
    most: int | None = None
    least: int = 0
    right: bool = False


def print_table(columns: Sequence[Column], rows: Iterable[Sequence[Text]], *, header: bool = True) -> None:
    """Print rows under their headings; nothing at all, not even headings, where there is no row."""
    cells = [list(row) for row in rows]
    if not cells:
        return
    if PIPED:
        _print_piped(columns, cells, header=header)
        return
    steady = any(column.least for column in columns)
    table = Table(
        box=None, pad_edge=False, header_style="bold", show_header=header, padding=(0, 2, 0, 0), expand=steady
    )
    for column in columns:
        table.add_column(
            column.heading,
            justify="right" if column.right else "left",
            no_wrap=not column.folds,
            overflow="fold" if column.folds else "ellipsis",
            min_width=column.least or None,
            max_width=column.most,
            ratio=1 if column.folds and steady else None,
        )
    for row in cells:
        table.add_row(*row)
    out.print(table, no_wrap=False, crop=True, soft_wrap=False)


def _print_piped(columns: Sequence[Column], cells: list[list[Text]], *, header: bool) -> None:
    """Print aligned lines of whatever length; a very long cell pushes its own line only."""
    lines = [[Text(column.heading) for column in columns], *cells] if header else cells
    widths = [
        max(column.least, *(min(cell_len(line[number].plain), PADDED_MAX) for line in lines))
        for number, column in enumerate(columns)
    ]
    for line in lines:
        padded = [
            _pad(cell.plain, width, right=column.right)
            for cell, width, column in zip(line, widths, columns, strict=True)
        ]
        out.file.write(GAP.join(padded).rstrip() + "\n")


def _pad(text: str, width: int, *, right: bool) -> str:
    # One row is one line in a pipe, whatever a cell holds.
    text = text.replace("\n", " ")
    room = " " * (width - cell_len(text))
    return room + text if right else text + room
