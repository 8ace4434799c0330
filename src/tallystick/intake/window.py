"""A window on a stream of bytes that knows its line, grows when asked, and can pass over what it need not hold."""

from __future__ import annotations

import re
from collections.abc import Callable

CHUNK_BYTES = 256 * 1024
PATTERN_BYTES_MAX = 512
"""The longest text that a pattern given to `skip_until` may need."""


class Window:
    """The bytes from the present place on, as many as have been read.

    Positions given and taken count from the present place. `gave_up` is set when more was passed over in one go than
    the caller allowed.
    """

    def __init__(self, read: Callable[[int], bytes], *, offset: int, line: int, line_start: int) -> None:
        self._read = read
        self._buffer = b""
        self._at = 0
        self._ended = False
        self.offset = offset
        self.line = line
        self.line_start = line_start
        self.gave_up = False

    @property
    def length(self) -> int:
        """Bytes held from the present place on."""
        return len(self._buffer) - self._at

    def grow(self) -> bool:
        """Read more, as much again as is held; False at the end of the stream."""
        if self._ended:
            return False
        chunk = self._read(max(CHUNK_BYTES, self.length))
        if not chunk:
            self._ended = True
            return False
        self._buffer = self._buffer[self._at :] + chunk
        self._at = 0
        return True

    def peek(self) -> bytes:
        """Return the byte here, or b"" at the end."""
        if self.length == 0:
            self.grow()
        return self._buffer[self._at : self._at + 1]

    def starts_with(self, prefix: bytes) -> bool:
        while self.length < len(prefix) and self.grow():
            pass
        return self._buffer.startswith(prefix, self._at)

    def take(self, length: int) -> bytes:
        """Return that many bytes, or what is held of them, without moving."""
        return self._buffer[self._at : self._at + length]

    def find(self, needle: bytes, start: int) -> int:
        found = self._buffer.find(needle, self._at + start)
        return found - self._at if found >= 0 else -1

    def search(self, pattern: re.Pattern[bytes], start: int) -> _Match | None:
        """Return the first match at or after `start`."""
        match = pattern.search(self._buffer, self._at + start)
        return None if match is None else _Match(match, self._at)

    def advance(self, length: int) -> None:
        """Move on over bytes that are held."""
        end = self._at + length
        breaks = self._buffer.count(b"\n", self._at, end)
        if breaks:
            self.line += breaks
            self.line_start = self.offset + self._buffer.rfind(b"\n", self._at, end) + 1 - self._at
        self._at = end
        self.offset += length

    def skip(self, blanks: re.Pattern[bytes]) -> None:
        """Move on over what `blanks` matches here, which may be nothing."""
        while self.peek() != b"":
            match = blanks.match(self._buffer, self._at)
            self.advance(match.end() - self._at if match else 0)
            if self.length:
                return

    def line_and_column(self, at: int) -> tuple[int, int]:
        """Return the 1-based line and byte of the position `at`."""
        before = self._buffer[self._at : self._at + at]
        breaks = before.count(b"\n")
        if breaks:
            return self.line + breaks, at - before.rfind(b"\n")
        return self.line, self.offset + at - self.line_start + 1

    def line_length(self, bytes_max: int) -> int | None:
        """Return the bytes to the end of the line, its break not counted; None where that is beyond `bytes_max`."""
        searched = 0
        while True:
            found = self.find(b"\n", searched)
            if found >= 0:
                return found if found <= bytes_max else None
            searched = self.length
            if searched > bytes_max:
                return None
            if not self.grow():
                return self.length

    def skip_until(self, pattern: re.Pattern[bytes], bytes_max: int) -> None:
        """Move to where `pattern` matches, or to the end, holding next to nothing; give up after `bytes_max` bytes."""
        passed = 0
        while passed <= bytes_max:
            match = self.search(pattern, 0)
            if match is not None:
                self.advance(match.start())
                return
            # A match may begin at the very end of what is held.
            before = max(0, self.length - PATTERN_BYTES_MAX)
            passed += before
            self.advance(before)
            if not self.grow():
                self.advance(self.length)
                return
        self.gave_up = True

    def skip_text(self, bytes_max: int) -> None:
        """Move over a JSON text that begins here, or to the end of its line where it is not closed."""
        self.advance(1)
        passed = 0
        while passed <= bytes_max:
            self.skip_until(_TEXT_STOP, bytes_max)
            stop = self.peek()
            if stop != b"\\":
                if stop == b'"':
                    self.advance(1)
                return
            if self.length < 2:
                self.grow()
            step = min(2, self.length)
            passed += step
            self.advance(step)
        self.gave_up = True


_TEXT_STOP = re.compile(rb'["\\\n]')


class _Match:
    """A match whose positions count from the present place."""

    __slots__ = ("_base", "_match")

    def __init__(self, match: re.Match[bytes], base: int) -> None:
        self._match = match
        self._base = base

    def __getitem__(self, group: int) -> bytes:
        return bytes(self._match[group])

    def start(self) -> int:
        return self._match.start() - self._base

    def end(self) -> int:
        return self._match.end() - self._base
