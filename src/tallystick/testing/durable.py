"""What a power cut would leave of a folder: the model behind `FaultyDisk`."""

from __future__ import annotations

import os
import random
import shutil
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Keep(StrEnum):
    """What a power cut spares of all that was not synced."""

    NOTHING = "nothing"
    EVERYTHING = "everything"  # as after kill -9: the kernel still writes it
    SOME = "some"  # any prefix of any file, the old or the new state of any name


@dataclass(slots=True)
class _Node:
    """A file or a directory by inode: how much of it, or which names in it, are durable."""

    size: int = 0
    names: dict[str, int] = field(default_factory=dict)
    is_directory: bool = False


class DurableModel:
    """Remembers inodes; nothing is deleted before the power cut, so that no inode is used twice."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._attic = root.with_name(root.name + ".attic")  # hard links to every file that was ever seen
        self._nodes: dict[int, _Node] = {}
        self._begin()

    def sync_file(self, path: Path) -> None:
        inode = self._see(path)
        self._nodes[inode].size = path.stat().st_size

    def sync_descriptor(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        self._nodes.setdefault(status.st_ino, _Node()).size = status.st_size

    def sync_directory(self, path: Path) -> None:
        inode = self._see(path)
        self._nodes[inode].names = self._names(path)

    def retire(self, path: Path) -> None:
        """Take a name away without freeing what it names."""
        if path.is_dir():
            self._see_all(path)
            path.rename(self._attic / f"directory-{path.stat().st_ino}")
        elif path.exists():
            self._see(path)
            path.unlink()

    def cut_power(self, keep: Keep, chance: random.Random) -> None:
        """Rebuild the folder as a power cut leaves it, and begin again from there."""
        self._see_all(self._root)
        rebuilt = self._root.with_name(self._root.name + ".rebuilt")
        self._rebuild(self._root.stat().st_ino, self._root, rebuilt, keep, chance)
        shutil.rmtree(self._root)
        rebuilt.rename(self._root)
        shutil.rmtree(self._attic)
        self._begin()

    def _begin(self) -> None:
        shutil.rmtree(self._attic, ignore_errors=True)
        self._attic.mkdir()
        self._nodes = {}
        self._see_all(self._root)
        for directory, _, files in os.walk(self._root):
            self.sync_directory(Path(directory))
            for name in files:
                self.sync_file(Path(directory) / name)

    def _see_all(self, path: Path) -> None:
        self._see(path)
        for directory, subdirectories, files in os.walk(path):
            for name in (*subdirectories, *files):
                self._see(Path(directory) / name)

    def _see(self, path: Path) -> int:
        inode = path.stat().st_ino
        node = self._nodes.setdefault(inode, _Node())
        node.is_directory = path.is_dir()
        link = self._attic / str(inode)
        if not node.is_directory and not link.exists():
            os.link(path, link)
        return inode

    def _names(self, path: Path) -> dict[str, int]:
        return {entry.name: self._see(entry) for entry in path.iterdir()}

    def _rebuild(self, inode: int, now: Path | None, target: Path, keep: Keep, chance: random.Random) -> None:
        node = self._nodes[inode]
        if not node.is_directory:
            data = (self._attic / str(inode)).read_bytes()
            target.write_bytes(data[: _choose(keep, chance, node.size, len(data))])
            target.chmod((self._attic / str(inode)).stat().st_mode & 0o7777)
            return
        target.mkdir()
        live = self._live(inode, now)
        names = {} if live is None else self._names(live)
        for name in sorted(node.names | names):
            old, new = node.names.get(name), names.get(name)
            kept = new if keep is Keep.EVERYTHING or (keep is Keep.SOME and chance.random() < 0.5) else old
            if kept is not None:
                self._rebuild(kept, None if live is None else live / name, target / name, keep, chance)

    def _live(self, inode: int, now: Path | None) -> Path | None:
        """Return where a directory is now: in its place, in the attic, or nowhere."""
        for path in (now, self._attic / f"directory-{inode}"):
            if path is not None and path.is_dir() and path.stat().st_ino == inode:
                return path
        return None


def _choose(keep: Keep, chance: random.Random, durable: int, size: int) -> int:
    if keep is Keep.NOTHING:
        return durable
    if keep is Keep.EVERYTHING:
        return size
    return chance.choice([durable, size, chance.randint(min(durable, size), size)])
