"""Rows that pages showed lately: what most readers ask for are the newest events, again and again."""

from __future__ import annotations

import threading

from tallystick.event.disclosure import Disclosure
from tallystick.query.sql import Names
from tallystick.search.model import Row
from tallystick.search.ports import Register
from tallystick.search.render import Ingredients, ingredients_of, make_row


class KeptRows:
    """Rows by everything that they are made of, the oldest going first; safe to share between threads.

    Whether personal data is shown is part of that, and so is the personal data itself: what is found here was made for
    eyes that may see as much, and of content that has not been erased since.
    """

    def __init__(self, content_bytes_max: int) -> None:
        self._bytes_max = content_bytes_max
        self._lock = threading.Lock()
        self._rows: dict[Ingredients, Row] = {}
        self._bytes = 0

    def row(self, disclosure: Disclosure, names: Names, register: Register, *, personal: bool) -> Row:
        """Return the event as it is shown: the very row that was made before, if it is still here."""
        made_of = ingredients_of(disclosure, names, register, personal=personal)
        found = self._rows.get(made_of)
        return self._keep(made_of, make_row(made_of)) if found is None else found

    def clear(self) -> None:
        """Forget every row: some of their content may have been erased."""
        with self._lock:
            self._rows.clear()
            self._bytes = 0

    def _keep(self, made_of: Ingredients, row: Row) -> Row:
        with self._lock:
            if made_of not in self._rows:
                self._bytes += made_of.size_bytes
                self._rows[made_of] = row
            while self._bytes > self._bytes_max:
                oldest = next(iter(self._rows))
                self._bytes -= oldest.size_bytes
                del self._rows[oldest]
        return row
