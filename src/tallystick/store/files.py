"""The disk port: every byte the product promises to keep goes through it.

Nothing above this module calls `open` for something that must survive, so the crash tests can stand in for the whole
disk: fail any call, tear any write, and lose whatever was not synced. A failed call raises OSError and promises
nothing: what it was to do may have happened, partly or not at all.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

Buffer = bytes | bytearray | memoryview

_BUFFERS_MAX = 512  # writev takes at most 1024
_OPEN_AT_ONCE = 128
_SYNC_THREADS = 8


class AppendFile(Protocol):
    """A file that only grows, owned by one thread.

    After `write_all` or `sync` raised, the file must not be written or synced again: the kernel may have dropped the
    dirty pages and report success next time. Copy what an earlier `sync` covered to a new file instead.
    """

    @property
    def size_bytes(self) -> int:
        """Bytes accepted by `write_all` so far."""
        ...

    def write_all(self, buffers: Sequence[Buffer]) -> None:
        """Append all buffers, in order; they are durable only after `sync`. On OSError any prefix may be there."""
        ...

    def sync(self) -> None:
        """Return when everything written so far would survive a power cut."""
        ...

    def close(self) -> None: ...


class ReadFile(Protocol):
    """An open file for positioned reads from any thread; unlinking or replacing the path does not disturb it."""

    def size_bytes(self) -> int: ...

    def read_at(self, offset: int, size: int) -> bytes:
        """Return the bytes there; fewer only where the file ends."""
        ...

    def close(self) -> None: ...


class Disk(Protocol):
    """Durable files. Methods may be called from any thread; two calls about one path are the caller's business."""

    def create_new(self, path: Path, data: bytes, *, mode: int = 0o644) -> None:
        """Make a new durable file; FileExistsError when there is one. A power cut before the end may leave a part."""
        ...

    def put_all(self, files: Iterable[tuple[Path, bytes]]) -> None:
        """Return when every file is durable with exactly these bytes; directories are made as needed.

        A file already there with the same bytes is kept (and synced), one with other bytes is replaced whole.
        """
        ...

    def replace(self, path: Path, data: bytes, *, mode: int = 0o644) -> None:
        """Make the path durable with these bytes; at any instant a reader finds the old or the new, whole."""
        ...

    def open_append(self, path: Path) -> AppendFile:
        """Make a new empty file whose directory entry is durable; FileExistsError when there is one."""
        ...

    def open_read(self, path: Path) -> ReadFile: ...

    def read(self, path: Path) -> bytes: ...

    def size_bytes(self, path: Path) -> int: ...

    def exists(self, path: Path) -> bool: ...

    def mode(self, path: Path) -> int:
        """Return the permission bits of a file."""
        ...

    def names(self, path: Path) -> list[str]:
        """Return the names in a directory, sorted; none when there is no such directory."""
        ...

    def rename(self, old: Path, new: Path) -> None:
        """Rename atomically over whatever is there; durable after `sync_dir` of the directories."""
        ...

    def unlink(self, path: Path) -> None:
        """Remove a file if it is there; durable after `sync_dir`."""
        ...

    def remove_tree(self, path: Path) -> None:
        """Remove a directory and all in it if it is there; durable after `sync_dir` of its parent."""
        ...

    def mkdirs(self, path: Path, *, mode: int = 0o755) -> None:
        """Make the directory and its parents, durable."""
        ...

    def sync_file(self, path: Path) -> None:
        """Return when the bytes of a file that something else wrote are durable."""
        ...

    def sync_dir(self, path: Path) -> None:
        """Return when the names in the directory are durable."""
        ...

    def free_bytes(self, path: Path) -> int:
        """Return the room left for this user on the disk that holds the path."""
        ...


class LocalAppendFile:
    """An append-only descriptor on a local file system."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._size_bytes = 0

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    def write_all(self, buffers: Sequence[Buffer]) -> None:
        for start in range(0, len(buffers), _BUFFERS_MAX):
            self._size_bytes += _write_vector(self._descriptor, buffers[start : start + _BUFFERS_MAX])

    def sync(self) -> None:
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class LocalReadFile:
    """A read-only descriptor; closed when nobody holds it any more, so readers outlive an unlink."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def size_bytes(self) -> int:
        return os.fstat(self._descriptor).st_size

    def read_at(self, offset: int, size: int) -> bytes:
        data = os.pread(self._descriptor, size, offset)
        while 0 < len(data) < size:  # the kernel may answer with less than 2 GiB at a time
            more = os.pread(self._descriptor, size - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        self.close()


class LocalDisk:
    """A file system of this machine. It must honour fsync and atomic rename; network file systems often do not."""

    def __init__(self) -> None:
        self._durable: set[Path] = set()  # directories whose names are known to be synced; grows, and is only a cache

    def create_new(self, path: Path, data: bytes, *, mode: int = 0o644) -> None:
        _write_file(path, data, os.O_EXCL, mode, sync=True)
        self.sync_dir(path.parent)

    def put_all(self, files: Iterable[tuple[Path, bytes]]) -> None:
        waiting = list(files)
        directories = {path.parent for path, _ in waiting}
        for directory in directories:
            self.mkdirs(directory)
        for start in range(0, len(waiting), _OPEN_AT_ONCE):
            _write_and_sync_all(waiting[start : start + _OPEN_AT_ONCE])
        for directory in directories:
            self.sync_dir(directory)

    def replace(self, path: Path, data: bytes, *, mode: int = 0o644) -> None:
        _replace_file(path, data, mode)
        self.sync_dir(path.parent)

    def open_append(self, path: Path) -> AppendFile:
        file = LocalAppendFile(path)
        try:
            self.sync_dir(path.parent)
        except BaseException:
            file.close()
            raise
        return file

    def open_read(self, path: Path) -> ReadFile:
        return LocalReadFile(path)

    def read(self, path: Path) -> bytes:
        return path.read_bytes()

    def size_bytes(self, path: Path) -> int:
        return path.stat().st_size

    def exists(self, path: Path) -> bool:
        return path.exists()

    def mode(self, path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    def names(self, path: Path) -> list[str]:
        try:
            return sorted(entry.name for entry in path.iterdir())
        except FileNotFoundError:
            return []

    def rename(self, old: Path, new: Path) -> None:
        old.replace(new)

    def unlink(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def remove_tree(self, path: Path) -> None:
        self._durable = {known for known in self._durable if path != known and path not in known.parents}
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(path)

    def mkdirs(self, path: Path, *, mode: int = 0o755) -> None:
        missing: list[Path] = []
        while not path.is_dir():
            missing.append(path)
            path = path.parent
        if path not in self._durable:
            # A call that failed may have made it without getting to sync its name. Above it, every name was synced
            # before it was made; one that we may not read was not made by us.
            with contextlib.suppress(PermissionError):
                self.sync_dir(path.parent)
            self._durable.add(path)
        for directory in reversed(missing):
            with contextlib.suppress(FileExistsError):
                directory.mkdir(mode=mode)
            self.sync_dir(directory.parent)
            self._durable.add(directory)

    def sync_file(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def sync_dir(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def free_bytes(self, path: Path) -> int:
        room = os.statvfs(path)
        return room.f_bavail * room.f_frsize


def _write_vector(descriptor: int, buffers: Sequence[Buffer]) -> int:
    """Write all buffers, also when the kernel takes them in parts; return how many bytes that was."""
    written = os.writev(descriptor, buffers)
    wanted = sum(map(len, buffers))
    if written < wanted:
        rest = memoryview(b"".join(buffers))
        while written < wanted:
            written += os.write(descriptor, rest[written:])
    return written


def _write_file(path: Path, data: bytes, flags: int, mode: int, *, sync: bool) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | flags, mode)
    try:
        _write_vector(descriptor, [data])
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace_file(path: Path, data: bytes, mode: int) -> None:
    """Write beside the path, sync, rename over it; the directory is the caller's to sync.

    The name beside it is fixed, so that a crash leaves at most one left-over, which the next call overwrites.
    """
    beside = path.with_name(path.name + ".new")
    with contextlib.suppress(FileNotFoundError):
        beside.unlink()
    _write_file(beside, data, os.O_EXCL, mode, sync=True)
    beside.replace(path)


def _write_and_sync_all(files: Sequence[tuple[Path, bytes]]) -> None:
    """Write all, then sync all: writing first lets the kernel put many files behind few journal commits."""
    descriptors: list[int] = []
    try:
        for path, data in files:
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            except FileExistsError:
                if path.read_bytes() != data:
                    _replace_file(path, data, 0o644)
                    continue
                descriptors.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
            else:
                descriptors.append(descriptor)
                _write_vector(descriptor, [data])
        if len(descriptors) <= 2:
            for descriptor in descriptors:
                os.fsync(descriptor)
        else:
            with ThreadPoolExecutor(_SYNC_THREADS) as pool:
                list(pool.map(os.fsync, descriptors))
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
