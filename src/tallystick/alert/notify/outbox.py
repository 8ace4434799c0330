"""Which alerts were seen, which groups wait, and what is to be sent: a file that no rebuild touches.

It lies beside the other followers' files and holds ids only. Losing it costs sending again what was sent, never an alert.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from tallystick.alert.notify.dispatch import Group
from tallystick.alert.notify.model import Delivery
from tallystick.follow.own_file import open_own_file

FILE: Final = Path("followers") / "notify.db"
"""In the data directory."""
_SCHEMA: Final = (
    (
        "create table if not exists place (origin text primary key, next_index integer not null, routing text not null)"
        " without rowid, strict"
    ),
    (
        "create table if not exists waiting (origin text not null, id text not null, state blob not null,"
        " primary key (origin, id)) without rowid, strict"
    ),
    (
        "create table if not exists delivery (origin text not null, key text not null, receiver text not null,"
        " made_at integer not null, number integer not null, state text not null, recorded integer not null,"
        " content blob not null, primary key (origin, key)) without rowid, strict"
    ),
    (
        "create table if not exists note (origin text not null, id text not null, event blob not null,"
        " primary key (origin, id)) without rowid, strict"
    ),
)


class Place(msgspec.Struct, frozen=True):
    """Alerts that changed before `after` were seen, with the routes of digest `routing`."""

    after: int
    routing: str


class Outbox:
    """The open file, for one log; may be used from any thread. What is saved is durable on return."""

    def __init__(self, data: Path, origin: str) -> None:
        self._connection = open_own_file(data / FILE, _SCHEMA)
        self._origin = origin
        self._lock = threading.Lock()

    def place(self) -> Place | None:
        """Return how far the alerts were seen, or None for a new file."""
        with self._lock:
            row = self._connection.execute(
                "select next_index, routing from place where origin = ?", (self._origin,)
            ).fetchone()
        return None if row is None else Place(*row)

    def groups(self) -> dict[str, Group]:
        """Return every group by its id."""
        with self._lock:
            rows = self._connection.execute("select state from waiting where origin = ?", (self._origin,)).fetchall()
        return {group.id: group for (state,) in rows for group in [msgspec.json.decode(state, type=Group)]}

    def save(
        self,
        groups: Iterable[Group],
        *,
        place: Place | None = None,
        gone: Iterable[str] = (),
        deliveries: Iterable[Delivery] = (),
        notes: Iterable[tuple[str, bytes]] = (),
    ) -> None:
        """Keep what one look changed, all of it or nothing: groups, deliveries, and events to be put on record."""
        with self._lock, self._connection:
            self._connection.execute("begin immediate")
            if place is not None:
                row = (self._origin, place.after, place.routing)
                self._connection.execute("insert or replace into place values (?, ?, ?)", row)
            for group in groups:
                self._connection.execute(
                    "insert or replace into waiting values (?, ?, ?)",
                    (self._origin, group.id, msgspec.json.encode(group)),
                )
            for name in gone:
                self._connection.execute("delete from waiting where origin = ? and id = ?", (self._origin, name))
            for delivery in deliveries:
                self._put(delivery)
            for name, event in notes:
                self._connection.execute("insert or replace into note values (?, ?, ?)", (self._origin, name, event))

    def notes(self) -> list[tuple[str, bytes]]:
        """Return the events that are not on record yet."""
        with self._lock:
            query = "select id, event from note where origin = ?"
            return [(row[0], row[1]) for row in self._connection.execute(query, (self._origin,)).fetchall()]

    def forget_note(self, name: str) -> None:
        """Forget an event: it is on record."""
        with self._lock:
            self._connection.execute("delete from note where origin = ? and id = ?", (self._origin, name))

    def put(self, delivery: Delivery) -> None:
        """Keep a delivery in place of what it was."""
        with self._lock, self._connection:
            self._connection.execute("begin immediate")
            self._put(delivery)

    def find(self, key: str) -> Delivery | None:
        """Return a delivery that has not left, or None."""
        found = self._select("key = ?", key)
        return found[0] if found else None

    def waiting(self, receiver: str | None = None) -> list[Delivery]:
        """Return what is to be sent, oldest first."""
        if receiver is None:
            return self._select("state = 'waiting'")
        return self._select("state = 'waiting' and receiver = ?", receiver)

    def unrecorded(self) -> list[Delivery]:
        """Return what was settled and is not on record yet."""
        return self._select("recorded = 0")

    def dead(self) -> list[Delivery]:
        """Return what could not be delivered, oldest first."""
        return self._select("state = 'dead'")

    def forget(self, key: str) -> None:
        """Forget a delivery: it is on record, and nothing of it is left to do."""
        with self._lock:
            self._connection.execute("delete from delivery where origin = ? and key = ?", (self._origin, key))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _put(self, delivery: Delivery) -> None:
        row = (
            self._origin,
            delivery.key,
            delivery.receiver,
            delivery.made_at,
            delivery.number,
            delivery.state,
            int(delivery.recorded),
            msgspec.json.encode(delivery),
        )
        self._connection.execute("insert or replace into delivery values (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def _select(self, condition: str, *values: str) -> list[Delivery]:
        query = f"select content from delivery where origin = ? and {condition} order by made_at, number"  # noqa: S608
        with self._lock:
            rows = self._connection.execute(query, (self._origin, *values)).fetchall()
        return [msgspec.json.decode(row[0], type=Delivery) for row in rows]
