"""`secrets.db`: hashes of tokens and passwords and the like, which never enter the log and which no rebuild touches.

A secret is written first and means nothing until an event in the log carries its digest (`access`): so a record that
was added or swapped in this file shows, and is refused.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

NONCE_BYTES = 16
_SCHEMA = """
create table if not exists secret (
  kind text not null,
  name text not null,
  nonce blob not null,
  record blob not null,
  primary key (kind, name)
) without rowid, strict
"""


@dataclass(frozen=True, slots=True)
class Secret:
    """One record: `kind` is the room that owns it (`token`, `password`, ...), `name` what it belongs to."""

    kind: str
    name: str
    nonce: bytes
    record: bytes

    @property
    def digest(self) -> str:
        """What the log says of this record: SHA-256 in hexadecimal over (nonce, kind, name, record)."""
        named = f"{self.kind}\0{self.name}\0".encode()
        return hashlib.sha256(self.nonce + named + self.record).hexdigest()


def hash_secret(nonce: bytes, secret: str) -> bytes:
    """Return what is stored in place of a secret that has 256 random bits of its own."""
    return hashlib.sha256(nonce + secret.encode()).digest()


class Secrets:
    """The open file; may be used from any thread. Everything saved is durable on return."""

    def __init__(self, path: Path) -> None:
        # Made with its mode before SQLite opens it: at no moment may others read it.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("pragma synchronous = full")
        self._connection.execute("pragma secure_delete = on")
        self._connection.execute(_SCHEMA)
        self._lock = threading.Lock()

    def save(self, secret: Secret) -> None:
        """Keep a record, in place of an older one of that name."""
        self.save_all([secret])

    def save_all(self, secrets: Iterable[Secret]) -> None:
        """Keep several records with one sync: all of them, or after a crash none."""
        rows = [(secret.kind, secret.name, secret.nonce, secret.record) for secret in secrets]
        with self._lock:
            self._connection.execute("begin immediate")
            try:
                self._connection.executemany("insert or replace into secret values (?, ?, ?, ?)", rows)
                self._connection.execute("commit")
            except BaseException:
                self._connection.execute("rollback")
                raise

    def find(self, kind: str, name: str) -> Secret | None:
        """Return the record of that name, or None."""
        query = "select kind, name, nonce, record from secret where kind = ? and name = ?"
        with self._lock:
            row = self._connection.execute(query, (kind, name)).fetchone()
        return None if row is None else Secret(*row)

    def all(self, kind: str) -> dict[str, Secret]:
        """Return every record of a kind by its name."""
        with self._lock:
            rows = self._connection.execute("select kind, name, nonce, record from secret where kind = ?", (kind,))
            return {row[1]: Secret(*row) for row in rows.fetchall()}

    def delete(self, kind: str, name: str) -> None:
        """Forget a record."""
        with self._lock:
            self._connection.execute("delete from secret where kind = ? and name = ?", (kind, name))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
