"""What this room needs from outside: a disk on which files last."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Disk(Protocol):
    """The durable writes a segment needs; reading goes past it, straight to the files.

    After an exception nothing is promised about the file in question; whoever asked removes it and writes it anew.
    """

    def mkdirs(self, path: Path) -> None:
        """Make the folder and its parents, durably; it may be there already."""
        ...

    def create_new(self, path: Path, data: bytes) -> None:
        """Write a file that does not exist yet; when this returns, its bytes are on the disk."""
        ...

    def remove_tree(self, path: Path) -> None:
        """Remove a folder and all in it, if it is there."""
        ...

    def sync_dir(self, path: Path) -> None:
        """Make the names in a folder durable."""
        ...
