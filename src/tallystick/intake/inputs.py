"""Files as they lie about: plain, gzip or zstd, told by their first bytes and never by their name."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tallystick.errors import ConfigurationError, InvalidInputError, NotFoundError

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
INPUT_SUFFIXES = (".json", ".jsonl", ".ndjson", ".log", ".gz", ".zst")
"""What is taken from a folder; a file named by itself may be called anything."""
ZSTD_WINDOW_BYTES_MAX = 128 * 1024 * 1024
"""The window of `zstd --long=27`; what asks for more memory than this is refused."""


class MissingInputError(NotFoundError):
    """A file to import is not there or cannot be opened."""

    code = "import-file"
    advice = "Check the path and its permissions."


class CompressedDataError(InvalidInputError):
    """The compressed data is cut short or damaged; what came before the place is good."""

    code = "compressed-data"
    advice = "Fetch the file again; what could be read has been imported, and repeating the import is harmless."


@dataclass(frozen=True, slots=True)
class Input:
    """An open file. `read` gives decompressed bytes, `position` counts the bytes of the file itself."""

    name: str
    form: str
    bytes_total: int | None
    _content: BinaryIO
    _file: BinaryIO

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, b"" at the end; raises CompressedDataError."""
        try:
            return self._content.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise CompressedDataError(f"the {self.form} data is damaged or ends too early: {error}") from error
        except Exception as error:
            if type(error).__module__.startswith("zstandard") or type(error).__name__ == "ZstdError":
                raise CompressedDataError(f"the zstd data is damaged or ends too early: {error}") from error
            raise

    def skip(self, size: int) -> None:
        """Go `size` decompressed bytes on; by seeking where the file is plain."""
        if self.form == "plain" and self._content.seekable():
            self._content.seek(size, io.SEEK_CUR)
            return
        while size > 0 and (chunk := self.read(min(size, 1024 * 1024))):
            size -= len(chunk)

    def position(self) -> int:
        """Return how many bytes of the file have been read, for progress."""
        return self._file.tell() if self._file.seekable() else 0


def expand_inputs(paths: Iterable[Path]) -> list[Path]:
    """Return the files to import, folders replaced by what lies in them, in order of name; raises MissingInputError."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if file.is_file() and file.suffix in INPUT_SUFFIXES)
            if not inside:
                raise MissingInputError(f"there is nothing to import in the folder {path}")
            files.extend(inside)
        else:
            files.append(path)
    for file in files:
        try:
            with file.open("rb"):
                pass
        except OSError as error:
            raise MissingInputError(f"cannot read {file}: {error.strerror}") from error
    return files


@contextmanager
def open_input(path: Path) -> Iterator[Input]:
    """Open the file at `path` whatever its form."""
    with path.open("rb") as file:
        yield open_stream(file, str(path), path.stat().st_size)


def open_stream(file: BinaryIO, name: str, bytes_total: int | None) -> Input:
    """Return the input that `file` holds, which is read from its beginning."""
    head = file.read(4)
    whole: BinaryIO = file
    if file.seekable():
        file.seek(0)
    else:
        whole = io.BufferedReader(_Rejoined(head, file))
    if head.startswith(GZIP_MAGIC):
        return Input(name, "gzip", bytes_total, gzip.GzipFile(fileobj=whole), file)  # type: ignore[arg-type]
    if head == ZSTD_MAGIC:
        return Input(name, "zstd", bytes_total, _zstd(whole), file)
    return Input(name, "plain", bytes_total, whole, file)


def _zstd(file: BinaryIO) -> BinaryIO:
    try:
        import zstandard
    except ImportError as error:
        raise ConfigurationError(
            "the file is zstd, and the zstandard package is not installed", advice="Install tallystick[server]."
        ) from error
    return zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_BYTES_MAX).stream_reader(
        file, read_across_frames=True, closefd=False
    )


class _Rejoined(io.RawIOBase):
    """A stream that cannot seek, with the bytes already taken from it put back."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        super().__init__()
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        chunk = self._head[: len(buffer)] or self._rest.read(len(buffer))
        self._head = self._head[len(buffer) :]
        buffer[: len(chunk)] = chunk
        return len(chunk)
