"""What a witness must not forget: its key, and the last checkpoint it cosigned of every log.

`witness.db` is a SQLite database in write-ahead mode with synchronous=FULL, so a commit is on disk when it returns.
It is made before `witness.key`; a key without its database means that the memory was lost, and that is refused,
because a witness that starts over under an old key would let every log it watches be rolled back.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from tallystick.errors import ConfigurationError, UnavailableError
from tallystick.note import Checkpoint, CosignatureSigner

DATABASE_NAME = "witness.db"
KEY_NAME = "witness.key"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS checkpoint (
    origin_hash TEXT PRIMARY KEY,
    origin TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    note BLOB NOT NULL
)
"""
_VERSION = 1
_FIND = "SELECT size, root FROM checkpoint WHERE origin = ?"
_FIND_NOTE = "SELECT note FROM checkpoint WHERE origin_hash = ?"
_REPLACE = """
INSERT INTO checkpoint (origin_hash, origin, size, root, note) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note
"""


class WitnessRecordError(ConfigurationError):
    """The witness's directory does not hold what a witness needs."""

    code = "witness-record-unusable"
    advice = "Check that the directory is the witness's own and whole; never delete witness.db alone."


class WitnessStorageError(UnavailableError):
    """The record cannot be read or written now; nothing was cosigned."""

    code = "witness-storage-unavailable"
    advice = "Look at the disk of the witness: its space, its mode, its errors."


class WitnessRecord:
    """The last cosigned checkpoint of each origin. Safe for many threads, and for several processes on one file."""

    def __init__(self, path: Path, *, create: bool) -> None:
        self._lock = threading.Lock()  # guards the connection
        address = f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
        try:
            self._connection = sqlite3.connect(
                address, uri=True, isolation_level=None, check_same_thread=False, timeout=5.0
            )
            mode = self._connection.execute("PRAGMA journal_mode = WAL").fetchone()
            self._connection.execute("PRAGMA synchronous = FULL")
            if create:
                self._connection.execute(_SCHEMA)
                self._connection.execute(f"PRAGMA user_version = {_VERSION}")
            version = self._connection.execute("PRAGMA user_version").fetchone()
        except sqlite3.Error as error:
            raise WitnessRecordError(f"cannot open {path}: {error}") from error
        if mode != ("wal",):
            raise WitnessRecordError(f"{path} lies on a disk where SQLite cannot keep a write-ahead log")
        if version != (_VERSION,):
            raise WitnessRecordError(f"{path} is not the record of a witness: it was emptied or is of another version")

    def replace(self, origin: str, decide: Callable[[Checkpoint | None], tuple[Checkpoint, bytes]]) -> None:
        """Put the checkpoint and note that `decide` returns in the place of the one it is given, in one transaction.

        Nobody else can change the record in between. It is on disk when this returns. When `decide` raises, nothing
        changes; after a WitnessStorageError the record holds the old one or the new one, never anything else.
        """
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                raise WitnessStorageError(f"cannot write the record: {error}") from error
            try:
                row = self._connection.execute(_FIND, (origin,)).fetchone()
                new, note = decide(Checkpoint(origin, row[0], row[1]) if row else None)
                self._connection.execute(_REPLACE, (_origin_hash(origin), origin, new.size, new.root, note))
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._roll_back()
                raise WitnessStorageError(f"cannot write the record: {error}") from error
            except BaseException:
                self._roll_back()
                raise

    def find_note(self, origin_hash: str) -> bytes | None:
        """Return the last cosigned checkpoint by the hexadecimal SHA-256 of its origin."""
        with self._lock:
            try:
                row = self._connection.execute(_FIND_NOTE, (origin_hash,)).fetchone()
            except sqlite3.Error as error:
                raise WitnessStorageError(f"cannot read the record: {error}") from error
        return bytes(row[0]) if row else None

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):  # a failed transaction that cannot be ended ends with the file
                self._connection.execute("ROLLBACK")


def open_directory(data_dir: Path, name: str | None) -> tuple[CosignatureSigner, WitnessRecord]:
    """Return the witness's key and record, made on first use, when `name` must be given.

    Raises WitnessRecordError when the key is readable by others, named otherwise, or older than a lost record.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    database, key = data_dir / DATABASE_NAME, data_dir / KEY_NAME
    if key.exists():
        if not database.exists():
            raise WitnessRecordError(
                f"{key} is there and {database} is not: the record of cosigned checkpoints was lost",
                advice="Restore the newest copy, or move the key away and begin as a new witness with a new name.",
            )
        return _load_key(key, name), WitnessRecord(database, create=False)
    if name is None:
        raise WitnessRecordError(f"{data_dir} holds no witness yet, and no name was given for a new one")
    record = WitnessRecord(database, create=True)
    _create_key(key, CosignatureSigner.generate(name))
    return _load_key(key, name), record


def _load_key(path: Path, name: str | None) -> CosignatureSigner:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise WitnessRecordError(
            f"{path} can be read by others", advice=f"Run chmod 600 {path} and consider a new key."
        )
    signer = CosignatureSigner.from_secret(path.read_text(encoding="utf-8").removesuffix("\n"))
    if name is not None and signer.name != name:
        raise WitnessRecordError(f"the witness in {path.parent} is named {signer.name}, not {name}")
    return signer


def _create_key(path: Path, signer: CosignatureSigner) -> None:
    """Put the key in place whole or not at all; one that another process put there first stays."""
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.unlink(missing_ok=True)
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        text = f"{signer.secret}\n".encode()
        if os.write(file, text) != len(text):
            raise WitnessRecordError(f"the key could not be written whole to {draft}")
        os.fsync(file)
    finally:
        os.close(file)
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _origin_hash(origin: str) -> str:
    return sha256(origin.encode()).hexdigest()
