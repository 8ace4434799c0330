"""`secrets.db`: hashes of tokens, which never enter the log and which no rebuild touches.

A secret is written first and means nothing until an event in the log carries its digest (`access`): so a record that
was added or swapped in this file shows, and is refused.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path

NONCE_BYTES = 16
_SCHEMA = """
create table if not exists token (
  token text primary key,
  nonce blob not null,
  hash blob not null
) without rowid, strict
"""


@dataclass(frozen=True, slots=True)
class TokenSecret:
    """What is kept of a token's secret: SHA-256 of nonce and secret. The secret itself has 256 random bits."""

    token: str
    nonce: bytes
    hash: bytes

    @property
    def digest(self) -> str:
        """What the log says of this record: SHA-256 in hexadecimal over (nonce, token, hash)."""
        return hashlib.sha256(self.nonce + self.token.encode() + b"\0" + self.hash).hexdigest()


def hash_secret(nonce: bytes, secret: str) -> bytes:
    """Return what is stored in place of a secret."""
    return hashlib.sha256(nonce + secret.encode()).digest()


class Secrets:
    """The open file; may be used from any thread. Everything saved is durable on return."""

    def __init__(self, path: Path) -> None:
        # Made with its mode before SQLite opens it: at no moment may others read it.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("pragma synchronous = full")
        self._connection.execute(_SCHEMA)
        self._lock = threading.Lock()

    def save_token(self, secret: TokenSecret) -> None:
        """Keep a token's hash."""
        with self._lock:
            self._connection.execute("insert into token values (?, ?, ?)", (secret.token, secret.nonce, secret.hash))

    def tokens(self) -> dict[str, TokenSecret]:
        """Return what is kept, by the token's name."""
        with self._lock:
            rows = self._connection.execute("select token, nonce, hash from token").fetchall()
        return {row[0]: TokenSecret(*row) for row in rows}

    def delete_token(self, token: str) -> None:
        """Forget a token's hash."""
        with self._lock:
            self._connection.execute("delete from token where token = ?", (token,))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
