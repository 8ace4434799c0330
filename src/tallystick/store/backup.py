"""Encrypted copies of a data directory, and what comes back from them.

A backup is a tar stream encrypted with age (age-encryption.org/v1). It holds the log, the segments, the unsealed
write-ahead log, the pseudonym key and the token hashes; never the key that signs checkpoints and never the last-signed
record, so that a stolen backup cannot speak for the ledger and a restored one cannot quietly rewind it.
"""

from __future__ import annotations

import io
import os
import sqlite3
import stat
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

import pyrage

from tallystick.errors import ConfigurationError, CorruptionError, InvalidInputError

REBUILDABLE = frozenset({"tallystick.db", "followers", "exports", "tmp", "lock"})
NOTES = "backups"
"""What the log is about to have of backups that were made: nothing to go on with elsewhere."""
SIGNING_KEY_SUFFIX = ".signing-key"
ATTEMPTS_MAX = 10
NAME_BYTES_MAX = 255


class RecipientInvalidError(InvalidInputError):
    """The text is not an age recipient or identity."""

    code = "age-key-invalid"
    advice = "A recipient starts with age1…, an identity with AGE-SECRET-KEY-1…; `age-keygen` makes both."


class RestoreTargetError(ConfigurationError):
    """The directory to restore into holds something already."""

    code = "restore-target-not-empty"
    advice = "Restore into a new directory; compare, then swap."


class BackupUnreadableError(CorruptionError):
    """The backup cannot be decrypted with this identity, or is cut or changed."""

    code = "backup-unreadable"
    advice = "Check the identity file, and the file's size against the original."


@dataclass(frozen=True, slots=True)
class BackupResult:
    """What a backup or restore moved."""

    files: int
    content_bytes: int


def parse_recipient(text: str) -> pyrage.x25519.Recipient:
    """Return an age recipient; raises `RecipientInvalidError`."""
    try:
        return pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        raise RecipientInvalidError(f"not an age recipient: {text!r}") from error


def load_identities(path: Path) -> list[pyrage.x25519.Identity]:
    """Read an age identity file, comments allowed; raises `RecipientInvalidError` naming the line."""
    identities = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            identities.append(pyrage.x25519.Identity.from_str(line.strip()))
        except pyrage.IdentityError as error:
            raise RecipientInvalidError(f"{path} holds something else than an age identity", line=number) from error
    if not identities:
        raise RecipientInvalidError(f"{path} holds no age identity")
    return identities


def save_backup(data: Path, target: Path, recipients: list[pyrage.x25519.Recipient]) -> BackupResult:
    """Write an encrypted copy of `data` to `target`, durable on return; a running server may go on writing.

    The copy is of one moment: it is taken again when a segment was sealed meanwhile. `target` appears whole or not at
    all, readable by its owner only.
    """
    temporary = target.with_name(target.name + ".partial")
    for _ in range(ATTEMPTS_MAX):
        before = _manifests(data)
        with open(temporary, "wb", opener=_private) as sink:
            try:
                result = _encrypt(data, sink, recipients)
            except FileNotFoundError:  # sealed, merged or erased between listing and reading
                continue
            sink.flush()
            os.fsync(sink.fileno())
        if _manifests(data) == before:
            # A crash before the rename leaves only the .partial file; the next backup overwrites it.
            temporary.rename(target)
            _sync_directory(target.parent)
            return result
    temporary.unlink()
    raise ConfigurationError("segments are sealed faster than they can be copied", advice="Try when it is quieter.")


def restore_backup(source: Path, data: Path, identities: list[pyrage.x25519.Identity]) -> BackupResult:
    """Unpack a backup into the new directory `data`; only plain files and folders inside it are ever made."""
    if data.exists() and any(data.iterdir()):
        raise RestoreTargetError(f"{data} is not empty")
    with source.open("rb") as sealed:
        return _restore(sealed, source, data, identities)


def _restore(sealed: IO[bytes], source: Path, data: Path, identities: list[pyrage.x25519.Identity]) -> BackupResult:
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=data.parent) as plain:
        try:
            pyrage.decrypt_io(sealed, plain, identities)
        except (pyrage.DecryptError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk's own trouble; age reports a cut or changed stream without a number
            raise BackupUnreadableError(f"{source} cannot be decrypted: {error}") from error
        plain.seek(0)
        try:
            with tarfile.open(fileobj=plain, mode="r:") as archive:
                return _unpack(archive, data)
        except tarfile.TarError as error:
            raise BackupUnreadableError(f"{source} is not a whole backup: {error}") from error


def _encrypt(data: Path, sink: IO[bytes], recipients: list[pyrage.x25519.Recipient]) -> BackupResult:
    reading, writing = os.pipe()
    outcome: list[BackupResult | Exception] = []

    def pack() -> None:
        try:
            with os.fdopen(writing, "wb") as pipe, tarfile.open(fileobj=pipe, mode="w|") as archive:
                outcome.append(_pack(archive, data))
        except (OSError, tarfile.TarError) as error:
            outcome.append(error)

    packer = threading.Thread(target=pack, name="backup-pack")
    packer.start()
    with os.fdopen(reading, "rb") as pipe:
        pyrage.encrypt_io(pipe, sink, recipients)
    packer.join()
    result = outcome[0]
    if isinstance(result, Exception):
        raise result
    return result


def _pack(archive: tarfile.TarFile, data: Path) -> BackupResult:
    files = content_bytes = 0
    for path in _files_in_order(data):
        name = path.relative_to(data).as_posix()
        with _open_consistent(path) as content:
            info = tarfile.TarInfo(name)
            # An append-only file may grow while it is read: what counts is its size now.
            info.size = os.fstat(content.fileno()).st_size
            info.mode = 0o600
            archive.addfile(info, content)
        files += 1
        content_bytes += info.size
    return BackupResult(files, content_bytes)


def _files_in_order(data: Path) -> Iterator[Path]:
    """Yield checkpoints first and tiles last, so that every copied checkpoint is covered by copied tiles."""
    found = [path for path in data.rglob("*") if path.is_file() and not path.is_symlink() and _wanted(path, data)]
    yield from sorted(found, key=lambda path: (path.name != "checkpoint", "/tile/" in path.as_posix(), path.as_posix()))


def _wanted(path: Path, data: Path) -> bool:
    parts = path.relative_to(data).parts
    return (
        parts[0] not in REBUILDABLE | {NOTES}
        and path.name != "lock"
        and not path.name.endswith((SIGNING_KEY_SUFFIX, "-wal", "-shm", "-journal", ".tmp"))
    )


def _open_consistent(path: Path) -> IO[bytes]:
    """Open a file for copying; a database is first copied through SQLite, so that no half transaction is kept."""
    if path.suffix != ".db":
        return path.open("rb")
    copy = tempfile.NamedTemporaryFile(suffix=".db")  # noqa: SIM115 - the caller's `with` closes it
    with sqlite3.connect(path) as source, sqlite3.connect(copy.name) as target:
        source.backup(target)
    return copy


def _unpack(archive: tarfile.TarFile, data: Path) -> BackupResult:
    files = content_bytes = 0
    for member in archive:
        if not _is_ours(member, data):
            raise BackupUnreadableError(f"the backup holds {member.name[:200]!r}, which no backup of ours holds")
        target = data / member.name
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except FileExistsError as error:
            raise BackupUnreadableError(f"the backup holds {member.name[:200]!r} below a file") from error
        content = archive.extractfile(member) or io.BytesIO()
        with open(target, "xb", opener=_private) as sink:
            while chunk := content.read(1 << 20):
                sink.write(chunk)
            sink.flush()
            os.fsync(sink.fileno())
        files += 1
        content_bytes += member.size
    for folder in [data, *(path for path in data.rglob("*") if path.is_dir())]:
        _sync_directory(folder)
    return BackupResult(files, content_bytes)


def _is_ours(member: tarfile.TarInfo, data: Path) -> bool:
    """Return whether `_pack` could have written it: a plain file inside, without holes, once, and one that is backed up.

    Whoever knows the recipient can make a file that decrypts; in particular it must not bring a signing key.
    """
    name = PurePosixPath(member.name)
    is_plain = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and member.sparse is None
    is_inside = bool(name.parts) and not name.is_absolute() and ".." not in name.parts
    is_a_name = "\0" not in member.name and all(len(os.fsencode(part)) <= NAME_BYTES_MAX for part in name.parts)
    return is_plain and is_inside and is_a_name and _wanted(data / name, data) and not (data / name).exists()


def _manifests(data: Path) -> dict[str, bytes]:
    return {path.as_posix(): path.read_bytes() for path in sorted(data.glob("segments/*/manifest.json"))}


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, stat.S_IRUSR | stat.S_IWUSR)


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
