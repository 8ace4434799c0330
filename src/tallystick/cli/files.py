"""Files that a command writes, whole or not at all, and never over one that is there; and texts that it reads."""

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


class FileNotTextError(ConfigurationError):
    """A file that should hold a text holds bytes that are no text in UTF-8."""

    code = "file-not-text"
    advice = "Save the file as text in UTF-8; keys are taken in ASCII armour."


def read_text(path: Path) -> str:
    """Return the text of a file, whatever language the machine is set to; raises FileNotTextError."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FileNotTextError(f"{path} is no text in UTF-8: its byte {error.start:,} belongs to none") from error


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
