"""How far the engine is and what its rules remember: a file that no rebuild touches, beside the other followers' files.

Position and states are saved in one transaction, after the alarms up to there are durable. Losing the file costs reading
the log again from the newest event on, with empty state.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from tallystick.follow.own_file import open_own_file
from tallystick.sigma.expressions import LiteralSet

FILE: Final = Path("followers") / "detect.db"
"""In the data directory."""
INSIDE_MIN: Final = 6
"""Characters that a text has at least to be looked for inside others: shorter ones stand in too many."""
_SCHEMA: Final = (
    "create table if not exists position (origin text primary key, state blob not null) without rowid, strict",
    (
        "create table if not exists state (origin text not null, rule text not null, part text not null,"
        " place integer not null, state blob not null, primary key (origin, rule, part)) without rowid, strict"
    ),
)
Row = tuple[str, tuple[str, ...], int, Any]


class Tally(msgspec.Struct):
    """What a rule saw and did since it is counted."""

    seen: int = 0
    matched: int = 0
    fired: int = 0
    last_fired_us: int = 0
    dropped: int = 0


class Position(msgspec.Struct):
    """Everything below `next_index` was judged, and what came of it told. Times are microseconds."""

    next_index: int
    received_us: int = 0
    alarms: int = 0
    erased: int = 0
    tallies: dict[str, Tally] = {}


class States:
    """The open file, for one log; may be used from any thread. What is saved is durable on return."""

    def __init__(self, data: Path, origin: str) -> None:
        self._connection = open_own_file(data / FILE, _SCHEMA)
        self._connection.execute("pragma secure_delete = on")  # what is forgotten is not left in free pages
        self._origin = origin
        self._lock = threading.Lock()

    def find(self) -> Position | None:
        """Return how far the engine is, or None when it never ran."""
        with self._lock:
            row = self._connection.execute("select state from position where origin = ?", (self._origin,)).fetchone()
        return None if row is None else msgspec.json.decode(row[0], type=Position)

    def save(self, position: Position, rows: Iterable[Row]) -> None:
        """Keep how far it is, and what changed of the states."""
        put, gone = [], []
        for rule, part, place, plain in rows:
            key = (self._origin, rule, json.dumps(part))
            if plain is None:
                gone.append(key)
            else:
                put.append((*key, place, msgspec.msgpack.encode(plain)))
        with self._lock, self._connection:
            self._connection.execute("begin immediate")
            self._connection.executemany("delete from state where origin = ? and rule = ? and part = ?", gone)
            self._connection.executemany("insert or replace into state values (?, ?, ?, ?, ?)", put)
            self._connection.execute(
                "insert or replace into position values (?, ?)", (self._origin, msgspec.json.encode(position))
            )

    def load(self, rules: Iterable[str]) -> Mapping[str, list[tuple[tuple[str, ...], int, Any]]]:
        """Return the states of rules, each in its order."""
        query = "select part, place, state from state where origin = ? and rule = ? order by place"
        found = {}
        with self._lock:
            for rule in rules:
                rows = self._connection.execute(query, (self._origin, rule)).fetchall()
                found[rule] = [(tuple(json.loads(part)), place, _plain(state)) for part, place, state in rows]
        return found

    def keep_only(self, rules: Iterable[str]) -> None:
        """Forget the states of all other rules: they are not in force any more."""
        kept = set(rules)
        with self._lock, self._connection:
            self._connection.execute("begin immediate")
            known = self._connection.execute("select distinct rule from state where origin = ?", (self._origin,))
            for (rule,) in known.fetchall():
                if rule not in kept:
                    self._connection.execute("delete from state where origin = ? and rule = ?", (self._origin, rule))

    def forget(self, texts: Collection[str]) -> None:
        """Let go of everything that stands for one of some texts: groups called so, and what groups have of them."""
        gone, drop, put = _Gone(texts), list[tuple[str, ...]](), []
        with self._lock, self._connection:
            self._connection.execute("begin immediate")
            query = "select rule, part, state from state where origin = ?"
            for rule, part, state in self._connection.execute(query, (self._origin,)):
                plain = _plain(state)
                left = gone.taken_from(plain)
                if gone.are_in(json.loads(part)) or gone.are_in(left):
                    drop.append((self._origin, rule, part))
                elif left != plain:
                    put.append((msgspec.msgpack.encode(left), self._origin, rule, part))
            self._connection.executemany("delete from state where origin = ? and rule = ? and part = ?", drop)
            self._connection.executemany("update state set state = ? where origin = ? and rule = ? and part = ?", put)
        with self._lock:
            self._connection.execute("pragma wal_checkpoint(truncate)")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def _plain(data: bytes) -> Any:
    return msgspec.msgpack.decode(data)


class _Gone:
    """Texts that are to go, in any letter case; longer ones also inside other texts."""

    def __init__(self, texts: Collection[str]) -> None:
        self._whole = {text.casefold() for text in texts if text}
        inside = sorted(text for text in self._whole if len(text) >= INSIDE_MIN)
        self._inside = LiteralSet(inside) if inside else None

    def are_in(self, plain: Any) -> bool:
        """Return whether one of them stands anywhere in a group or a state."""
        if isinstance(plain, str):
            text = plain.casefold()
            return text in self._whole or (self._inside is not None and bool(self._inside.find(text)))
        if isinstance(plain, dict):
            return self.are_in([*plain.keys(), *plain.values()])
        return isinstance(plain, list) and any(self.are_in(each) for each in plain)

    def taken_from(self, plain: Any) -> Any:
        """Return a state without the pairs of one of them and its moment: the rest of such a list means the same."""
        if not isinstance(plain, list):
            return plain
        return [self.taken_from(each) for each in plain if not (_is_pair(each) and self.are_in(each[0]))]


def _is_pair(plain: Any) -> bool:
    return isinstance(plain, list) and len(plain) == 2 and isinstance(plain[0], str) and isinstance(plain[1], int)
