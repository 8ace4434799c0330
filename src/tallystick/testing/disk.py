"""A disk that fails, tears and forgets on request: the surroundings of every crash test.

`FaultyDisk` keeps real files below one folder, so that code which reads past the port finds them, and beside them
remembers what a power cut would leave: how much of each file was synced, and which names each directory had when it
was last synced. Every step of every call is numbered; one of them can be made to fail before it acts, after it acted,
or in the middle.
"""

from __future__ import annotations

import errno
import os
import random
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from tallystick.store.files import AppendFile, Buffer, LocalReadFile, ReadFile
from tallystick.testing.durable import DurableModel, Keep

_T = TypeVar("_T")


class Fault(StrEnum):
    """Where the chosen step fails."""

    BEFORE = "before"
    AFTER = "after"
    TEAR = "tear"


class Afterwards(StrEnum):
    """What the disk does once a step failed."""

    RECOVER = "recover"  # works again: a passing error
    DIE = "die"  # every later call fails: the process is gone, the test only has not noticed


@dataclass(frozen=True, slots=True)
class Plan:
    """Which step fails, how, and with which error number."""

    step: int
    fault: Fault
    afterwards: Afterwards = Afterwards.RECOVER
    error: int = errno.EIO


class FaultyDisk:
    """Implements `tallystick.store.files.Disk`. Thread-safe; steps are numbered from 0 in the order they happen."""

    def __init__(self, root: Path, plan: Plan | None = None) -> None:
        """Take over a folder, whose present content counts as durable."""
        root.mkdir(parents=True, exist_ok=True)
        self.root = root
        self.steps: list[str] = []
        self.failed: str | None = None
        self.free = 1 << 40
        self._plan = plan
        self._dead = False
        self._lock = threading.RLock()
        self._model = DurableModel(root)

    def heal(self) -> None:
        """Let every later call succeed."""
        with self._lock:
            self._plan, self._dead = None, False

    def plan(self, plan: Plan) -> None:
        """Count steps from 0 again and fail as planned."""
        with self._lock:
            self.steps, self.failed, self._plan, self._dead = [], None, plan, False

    def cut_power(self, keep: Keep, seed: int = 0) -> None:
        """Replace the folder's content by what a power cut now would leave; the disk works again afterwards."""
        with self._lock:
            self._model.cut_power(keep, random.Random(seed))  # noqa: S311 - repeatable on purpose
            self.heal()

    # The port. Every method is made of the steps that LocalDisk takes.

    def create_new(self, path: Path, data: bytes, *, mode: int = 0o644) -> None:
        self._create(path, mode)
        self._write(path, data)
        self._sync(path)
        self.sync_dir(path.parent)

    def put_all(self, files: Iterable[tuple[Path, bytes]]) -> None:
        waiting = list(files)
        directories = list(dict.fromkeys(path.parent for path, _ in waiting))
        for directory in directories:
            self.mkdirs(directory)
        for path, data in waiting:
            if not path.exists():
                self._create(path, 0o644)
                self._write(path, data)
            elif path.read_bytes() != data:
                self._replace(path, data, 0o644)
        for path, _ in waiting:
            self._sync(path)
        for directory in directories:
            self.sync_dir(directory)

    def replace(self, path: Path, data: bytes, *, mode: int = 0o644) -> None:
        self._replace(path, data, mode)
        self.sync_dir(path.parent)

    def open_append(self, path: Path) -> AppendFile:
        self._create(path, 0o644)
        self.sync_dir(path.parent)
        return _FaultyAppendFile(self, path)

    def open_read(self, path: Path) -> ReadFile:
        return self._step(f"open {path.name}", lambda: _FaultyReadFile(self, path))

    def read(self, path: Path) -> bytes:
        return self._step(f"read {path.name}", path.read_bytes)

    def size_bytes(self, path: Path) -> int:
        return path.stat().st_size

    def exists(self, path: Path) -> bool:
        return path.exists()

    def mode(self, path: Path) -> int:
        return path.stat().st_mode & 0o7777

    def names(self, path: Path) -> list[str]:
        return self._step(f"list {path.name}", lambda: sorted(os.listdir(path)) if path.exists() else [])  # noqa: PTH208

    def rename(self, old: Path, new: Path) -> None:
        def act() -> None:
            self._model.retire(new)
            old.replace(new)

        self._step(f"rename {new.name}", act)

    def unlink(self, path: Path) -> None:
        self._step(f"unlink {path.name}", lambda: self._model.retire(path))

    def remove_tree(self, path: Path) -> None:
        self._step(f"remove {path.name}", lambda: self._model.retire(path))

    def mkdirs(self, path: Path, *, mode: int = 0o755) -> None:
        missing: list[Path] = []
        while not path.is_dir():
            missing.append(path)
            path = path.parent
        if path != self.root:
            self.sync_dir(path.parent)
        for directory in reversed(missing):
            self._make_directory(directory, mode)
            self.sync_dir(directory.parent)

    def sync_file(self, path: Path) -> None:
        self._sync(path)

    def sync_dir(self, path: Path) -> None:
        self._step(f"sync directory {path.name}", lambda: self._model.sync_directory(path))

    def free_bytes(self, path: Path) -> int:
        return self.free if path.exists() else 0

    # Steps.

    def _make_directory(self, path: Path, mode: int) -> None:
        self._step(f"mkdir {path.name}", lambda: path.mkdir(mode=mode))

    def _create(self, path: Path, mode: int) -> None:
        self._step(f"create {path.name}", lambda: path.touch(mode=mode, exist_ok=False))

    def _write(self, path: Path, data: bytes) -> None:
        def act(part: bytes) -> None:
            with path.open("ab") as file:
                file.write(part)

        self._step(f"write {path.name}", lambda: act(data), lambda: act(data[: len(data) // 2]))

    def _sync(self, path: Path) -> None:
        self._step(f"sync {path.name}", lambda: self._model.sync_file(path))

    def _replace(self, path: Path, data: bytes, mode: int) -> None:
        beside = path.with_name(path.name + ".new")
        if beside.exists():
            self.unlink(beside)
        self._create(beside, mode)
        self._write(beside, data)
        self._sync(beside)
        self.rename(beside, path)

    def _step(self, name: str, act: Callable[[], _T], tear: Callable[[], None] | None = None) -> _T:
        with self._lock:
            number = len(self.steps)
            self.steps.append(name)
            plan = self._plan
            if self._dead:
                raise OSError(errno.EIO, f"the disk is gone: {name}")
            if plan is None or plan.step != number:
                return act()
            self.failed = name
            self._dead = plan.afterwards is Afterwards.DIE
            if plan.fault is Fault.AFTER:
                act()
            elif plan.fault is Fault.TEAR and tear is not None:
                tear()
            raise OSError(plan.error, f"made to fail: {name}")


class _FaultyAppendFile:
    """An append-only file that must not be touched again once it failed."""

    def __init__(self, disk: FaultyDisk, path: Path) -> None:
        self._disk = disk
        self._name = path.name
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self._size_bytes = 0
        self._failed = False

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    def write_all(self, buffers: Sequence[Buffer]) -> None:
        data = b"".join(buffers)
        self._use(
            f"append {self._name}",
            lambda: self._put(data),
            lambda: self._put(data[: len(data) // 2]),
        )
        self._size_bytes += len(data)

    def sync(self) -> None:
        self._use(f"sync {self._name}", lambda: self._disk._model.sync_descriptor(self._descriptor), None)  # noqa: SLF001

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _put(self, data: bytes) -> None:
        assert os.write(self._descriptor, data) == len(data)

    def _use(self, name: str, act: Callable[[], None], tear: Callable[[], None] | None) -> None:
        assert not self._failed, f"{name}: this descriptor failed before and may lie about what is durable"
        try:
            self._disk._step(name, act, tear)  # noqa: SLF001
        except OSError:
            self._failed = True
            raise


class _FaultyReadFile(LocalReadFile):
    def __init__(self, disk: FaultyDisk, path: Path) -> None:
        super().__init__(path)
        self._disk = disk
        self._name = path.name

    def read_at(self, offset: int, size: int) -> bytes:
        return self._disk._step(f"read {self._name}", lambda: super(_FaultyReadFile, self).read_at(offset, size))  # noqa: SLF001
