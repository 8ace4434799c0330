"""How often exceptions were used, on its way into the log: many uses become one event an hour.

The counts wait in a file beside the followers' files. Every occasion stands in it once, so that who tells it again
after a crash changes nothing; a batch is written down before its event is appended, under the id that the event bears,
so that a crash in between repeats the same event and the log has it once.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from tallystick.follow.own_file import open_own_file

FILE: Final = Path("followers") / "exceptions.db"
"""In the data directory."""
HOUR_US: Final = 3600 * 1_000_000
KEPT_US: Final = 30 * 24 * HOUR_US
"""How long an occasion is known after it was told."""
_SCHEMA: Final = (
    (
        "create table if not exists use (origin text not null, exception text not null, occasion text not null,"
        " count integer not null, at integer not null, batch text,"
        " primary key (origin, exception, occasion)) without rowid, strict"
    ),
    "create index if not exists use_waiting on use (origin, exception) where batch is null",
    (
        "create table if not exists batch (origin text not null, batch text not null, event text not null,"
        " primary key (origin, batch)) without rowid, strict"
    ),
    (
        "create table if not exists told (origin text not null, exception text not null, at integer not null,"
        " primary key (origin, exception)) without rowid, strict"
    ),
)
MakeEvent = Callable[[str, int, int, str], dict[str, Any] | None]
"""From exception, count, occasions and batch to the event; None for an exception that there is not."""


class Uses:
    """The open file, for one log; may be used from any thread."""

    def __init__(self, data: Path, origin: str, now_us: Callable[[], int]) -> None:
        self._connection = open_own_file(data / FILE, _SCHEMA)
        self._origin = origin
        self._now_us = now_us
        self._lock = threading.Lock()

    def add(self, exception: str, count: int, occasion: str) -> None:
        """Keep a use; durable on return. A second one of the same occasion changes nothing."""
        row = (self._origin, exception, occasion, count, self._now_us())
        with self._lock:
            self._connection.execute("insert or ignore into use values (?, ?, ?, ?, ?, null)", row)

    def tell(self, make: MakeEvent, append: Callable[[dict[str, Any]], None]) -> None:
        """Put on record what was used since the last time, at most once an hour for each exception."""
        with self._lock:
            self._gather(make)
            query = "select batch, event from batch where origin = ?"
            waiting = self._connection.execute(query, (self._origin,)).fetchall()
        for batch, event in waiting:
            append(json.loads(event))
            # A crash here appends the same event again, with the same id: the log answers with the first one's place.
            with self._lock:
                self._connection.execute("delete from batch where origin = ? and batch = ?", (self._origin, batch))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _gather(self, make: MakeEvent) -> None:
        now_us = self._now_us()
        query = (
            "select use.exception, sum(use.count), count(*) from use left join told"
            " on told.origin = use.origin and told.exception = use.exception"
            " where use.origin = ? and use.batch is null and (told.at is null or told.at <= ?) group by use.exception"
        )
        found = self._connection.execute(query, (self._origin, now_us - HOUR_US)).fetchall()
        with self._connection:
            self._connection.execute("begin immediate")
            for exception, count, occasions in found:
                batch = uuid4().hex
                event = make(exception, count, occasions, batch)
                self._connection.execute(
                    "update use set batch = ? where origin = ? and exception = ? and batch is null",
                    (batch, self._origin, exception),
                )
                told = (self._origin, exception, now_us)
                self._connection.execute("insert or replace into told values (?, ?, ?)", told)
                if event is not None:
                    row = (self._origin, batch, json.dumps(event))
                    self._connection.execute("insert into batch values (?, ?, ?)", row)
            self._connection.execute(
                "delete from use where origin = ? and batch is not null and at < ?", (self._origin, now_us - KEPT_US)
            )
