"""Files that a command writes: whole or not at all, and never over one that is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tallystick.errors import ConfigurationError


class OutputExistsError(ConfigurationError):
    """The file to write is there already."""

    code = "output-exists"
    advice = "Choose another name, or remove the file first."


class FileUnusableError(ConfigurationError):
    """A file that was named, or that the command needs, cannot be read or written."""

    code = "file-unusable"
    advice = "Check the path, its permissions, and the room on its disk."


def require_absent(path: Path) -> None:
    """Return only when nothing stands at `path` and something can."""
    if path.exists():
        raise OutputExistsError(f"{path} exists")
    if not path.parent.is_dir():
        raise FileUnusableError(f"there is no directory {path.parent}")


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file to write; it appears at `path` only when it is whole."""
    require_absent(path)
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as sink:
            yield sink
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)
