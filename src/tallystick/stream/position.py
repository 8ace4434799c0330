"""How far each destination is, and what was set aside: a file that no rebuild touches.

It lies beside the other followers' files. Losing it costs sending again what was sent, never an event.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from tallystick.follow.own_file import open_own_file
from tallystick.stream.model import Letter, Position

FILE: Final = Path("followers") / "streams.db"
"""In the data directory."""
_SCHEMA: Final = (
    (
        "create table if not exists position (origin text not null, destination text not null, state blob not null,"
        " primary key (origin, destination)) without rowid, strict"
    ),
    (
        "create table if not exists letter (origin text not null, destination text not null, place integer not null,"
        " state blob not null, primary key (origin, destination, place)) without rowid, strict"
    ),
)


class Positions:
    """The open file, for one log; may be used from any thread. What is saved is durable on return."""

    def __init__(self, data: Path, origin: str) -> None:
        self._connection = open_own_file(data / FILE, _SCHEMA)
        self._origin = origin
        self._lock = threading.Lock()
        rows = self._connection.execute("select distinct destination from letter where origin = ?", (origin,))
        self._replaying = {row[0] for row in rows}  # where letters may be replaying, so that nobody asks for nothing

    def find(self, destination: str) -> Position | None:
        """Return how far a destination is, or None for one that never ran."""
        query = "select state from position where origin = ? and destination = ?"
        with self._lock:
            row = self._connection.execute(query, (self._origin, destination)).fetchone()
        return None if row is None else msgspec.json.decode(row[0], type=Position)

    def save(self, destination: str, position: Position, letter: Letter | None = None) -> None:
        """Keep how far it is, together with an event that is set aside there."""
        with self._lock, self._connection:
            self._connection.execute("begin immediate")
            if letter is not None:
                self._put(destination, letter)
            self._connection.execute(
                "insert or replace into position values (?, ?, ?)",
                (self._origin, destination, msgspec.json.encode(position)),
            )

    def letters(self, destination: str, limit: int, index: int | None = None) -> list[Letter]:
        """Return what was set aside, oldest first; only the event of an index where one is given."""
        query = (
            "select state from letter where origin = :origin and destination = :destination"
            " and (:place is null or place = :place) order by place limit :limit"
        )
        wanted = {"origin": self._origin, "destination": destination, "place": index, "limit": limit}
        with self._lock:
            rows = self._connection.execute(query, wanted).fetchall()
        return [msgspec.json.decode(row[0], type=Letter) for row in rows]

    def count(self, destination: str) -> int:
        """Return how many events are set aside."""
        query = "select count(*) from letter where origin = ? and destination = ?"
        with self._lock:
            return int(self._connection.execute(query, (self._origin, destination)).fetchone()[0])

    def put(self, destination: str, letters: Iterable[Letter]) -> None:
        """Keep letters in place of those of the same indexes."""
        with self._lock, self._connection:
            self._connection.execute("begin immediate")
            for letter in letters:
                self._put(destination, letter)
                if letter.replaying:
                    self._replaying.add(destination)

    def next_replaying(self, destination: str) -> Letter | None:
        """Return the oldest letter that is to be sent again, or None."""
        query = "select state from letter where origin = ? and destination = ? order by place"
        with self._lock:
            if destination not in self._replaying:
                return None
            for row in self._connection.execute(query, (self._origin, destination)):
                letter = msgspec.json.decode(row[0], type=Letter)
                if letter.replaying:
                    return letter
            self._replaying.discard(destination)
            return None

    def remove(self, destination: str, index: int) -> None:
        """Forget a letter: it was delivered."""
        statement = "delete from letter where origin = ? and destination = ? and place = ?"
        with self._lock:
            self._connection.execute(statement, (self._origin, destination, index))

    def forget(self, destination: str) -> None:
        """Forget everything about a destination that has ended."""
        with self._lock, self._connection:
            self._connection.execute("begin immediate")
            for table in ("position", "letter"):
                self._connection.execute(
                    f"delete from {table} where origin = ? and destination = ?",  # noqa: S608  one of two constants
                    (self._origin, destination),
                )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _put(self, destination: str, letter: Letter) -> None:
        row = (self._origin, destination, letter.index, msgspec.json.encode(letter))
        self._connection.execute("insert or replace into letter values (?, ?, ?, ?)", row)
