"""A follower's own file: how far it is, and what it keeps beside that. No rebuild touches it; it lies with the others'."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path


def open_own_file(path: Path, schema: Iterable[str]) -> sqlite3.Connection:
    """Return the open file, made where there is none, for its owner alone; what is committed to it is durable.

    Every statement outside `begin` is a transaction of its own. May be used from any thread, by one at a time.
    """
    path.parent.mkdir(mode=0o700, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    for statement in schema:
        connection.execute(statement)
    return connection
