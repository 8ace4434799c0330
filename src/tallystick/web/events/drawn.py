"""Rows of the table as they were last made of what a search found, for as long as the search keeps that."""

from __future__ import annotations

import weakref
from collections.abc import Callable

from tallystick.search.model import Row
from tallystick.web.events.view import RowView


class DrawnRows:
    """For each row that a search found, the last one made of it for the table.

    Nothing here outlives what it was made of, so erased data goes where the search forgets it. Two readers meet here
    only when a search showed them the very same row, which it does when both may see all that is in it.
    """

    def __init__(self) -> None:
        self._drawn: dict[int, tuple[weakref.ref[Row], str, RowView]] = {}

    def __len__(self) -> int:
        return len(self._drawn)

    def get(self, row: Row, question: str, make: Callable[[], RowView]) -> RowView:
        """Return the row made for a question, and make it if the last one was made for another."""
        place = id(row)
        kept = self._drawn.get(place)
        if kept is not None and kept[0]() is row and kept[1] == question:
            return kept[2]
        made = make()
        self._drawn[place] = weakref.ref(row, lambda _gone: self._drawn.pop(place, None)), question, made
        return made
