"""Applying product events to tables, from a cursor that moves with them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final

import structlog
from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.exc import SQLAlchemyError

from tallystick.errors import CorruptionError
from tallystick.follow.product_log import ProductEvent
from tallystick.ledger.again import read_again
from tallystick.store.database import clear_database
from tallystick.store.tables import CURSOR, METADATA

Handler = Callable[[Connection, ProductEvent], None]
SCHEMA_VERSION: Final = 1
_telemetry = structlog.get_logger("tallystick.follow")


def handlers_of(actions: Mapping[str, Handler]) -> dict[tuple[str, int], Handler]:
    """Return the handlers of the present schema version by their key."""
    return {(action, SCHEMA_VERSION): handler for action, handler in actions.items()}


class ProjectionStoppedError(CorruptionError):
    """A handler cannot apply an event; the tables stand still before it rather than skip it."""

    code = "projection-stopped"
    advice = "Report this; `tallystick rebuild` replays the log once the cause is mended."


class Projection:
    """The tables of the product and how far they follow the log. One writer at a time; readers need nothing.

    `handlers` are keyed by (action, schema version); actions without a handler are passed over.
    `origin` is the log that the tables follow: those of another log are emptied. `read` yields the product's events
    from an index on, `size` is the acknowledged size of the log. `version` grows whenever an event changed the tables,
    so that what is made from them can be kept until then.
    """

    def __init__(
        self,
        engine: Engine,
        origin: str,
        handlers: Mapping[tuple[str, int], Handler],
        read: Callable[[int], Iterable[ProductEvent]],
        size: Callable[[], int],
    ) -> None:
        self.engine = engine
        self._name = f"product {origin}"
        self._handlers = dict(handlers)
        self._read = read
        self._size = size
        self._lock = threading.RLock()
        self.version = 0
        self._changed: dict[str, int] = {}  # version by the first word of an action that changed the tables
        self._replaced = 0  # version when all of them were filled anew

    def version_of(self, words: Iterable[str]) -> int:
        """Return a number that grows whenever an event with one of these first words of its action changed the tables."""
        return max(self._replaced, *(self._changed.get(word, 0) for word in words))

    def start(self) -> int:
        """Catch up with the log; tables that do not fit it (old, edited, left by a bug) are thrown away once.

        Raises ProjectionStoppedError when the log itself cannot be applied.
        """
        try:
            return self.catch_up()
        except ProjectionStoppedError as error:
            _telemetry.warning("the tables do not fit the log and are made again from it", reason=error.message)
            return self.rebuild()

    def catch_up(self) -> int:
        """Apply everything acknowledged so far and return the log size that the tables now stand for.

        Raises ProjectionStoppedError at an event that a handler cannot apply: tables and cursor stay before it.
        """
        with self._lock:
            return read_again(self._apply_new)

    def rebuild(self) -> int:
        """Throw the tables away, replay the log, and return the size they stand for."""
        with self._lock:
            clear_database(self.engine)
            return self.catch_up()

    def replay(self) -> int:
        """Empty the tables and fill them again from the log, in one step for whoever reads them meanwhile.

        What was erased from the log is then in no table; returns the size that they stand for.
        """
        with self._lock:
            return read_again(partial(self._apply_new, afresh=True))

    def _apply_new(self, *, afresh: bool = False) -> int:
        size, words = self._size(), set[str]()
        with self.engine.begin() as connection:
            first = self._empty(connection) if afresh else self._next_index(connection, size)
            if first >= size:
                return size
            for event in self._read(first):
                if event.index < size and self._apply(connection, event):
                    words.add(event.action.partition(".")[0])
            # A crash before the commit leaves tables and cursor as they were: the same events are applied again.
            connection.execute(update(CURSOR).where(CURSOR.c.projection == self._name).values(next_index=size))
        if words or first == 0:
            self._note_change(words, replaced=first == 0)
        return size

    def _note_change(self, words: Iterable[str], *, replaced: bool) -> None:
        """Let whoever keeps what was made from the tables know; who asks in between makes it once more."""
        version = self.version + 1
        self._changed.update(dict.fromkeys(words, version))
        if replaced:
            self._replaced = version
        self.version = version

    def _apply(self, connection: Connection, event: ProductEvent) -> bool:
        """Return whether there is a handler for it."""
        handler = self._handlers.get((event.action, SCHEMA_VERSION))
        if handler is None:
            return False
        try:
            handler(connection, event)
        except (SQLAlchemyError, KeyError, TypeError, ValueError) as error:
            raise ProjectionStoppedError(
                f"{event.action} at index {event.index} cannot be applied: {_cause(error)}"
            ) from error
        return True

    def _next_index(self, connection: Connection, size: int) -> int:
        found = connection.scalar(select(CURSOR.c.next_index).where(CURSOR.c.projection == self._name))
        if found is None or found > size:
            # New, left over from a ledger that this one succeeds, or of a copy that went further than this log:
            # nothing in the tables can be relied on.
            return self._empty(connection)
        return int(found)

    def _empty(self, connection: Connection) -> int:
        for table in reversed(METADATA.sorted_tables):  # those that refer to others first
            connection.execute(table.delete())
        connection.execute(CURSOR.insert().values(projection=self._name, next_index=0))
        return 0


def _cause(error: Exception) -> str:
    """Return what went wrong in the database's own words, without the row that it happened to."""
    said = str(getattr(error, "orig", None) or error).splitlines()
    return said[0] if said else type(error).__name__
