"""Reads records out of JSON however it is wrapped: lines, arrays, `{"Records": [...]}`, values one after another.

Nothing is held but the record at hand. A record that cannot be read is given as `BadRecord` with its place and the
reading goes on after it, so that one bad line costs one line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from tallystick.intake.json_text import RecordSyntaxError, parse_first
from tallystick.intake.model import BadRecord, Place, Position, Record
from tallystick.intake.window import Window

RECORD_BYTES_MAX = 1024 * 1024
"""Bytes of one record after decompression; what is longer is listed and passed over without being held."""
SKIPPED_BYTES_MAX = 256 * 1024 * 1024
"""Bytes that may be passed over in one go before the rest of a file is given up: a bomb and no log."""
WRAPPER_BYTES_MAX = 4096
"""How far into an object the list of records must begin."""

_TOKEN = re.compile(rb'"[^"\\\n]*(?:\\.[^"\\\n]*)*"|["{}\[\]]')
_BLANKS = b" \t\r\n\x1e"
_BETWEEN_VALUES = re.compile(rb"[ \t\r\n\x1e]*")
_BETWEEN_ITEMS = re.compile(rb"[ \t\r\n\x1e,]*")
_LINE_BREAK = re.compile(rb"\n")
_INDENT_MAX = 400
_BRACKET_OR_TEXT = re.compile(rb'["{}\[\]]')
_PLAIN_VALUE_END = re.compile(rb"[,\]\n]")


def read_records(
    read: Callable[[int], bytes],
    *,
    wrappers: Sequence[str] = (),
    exact_numbers: bool = True,
    start: Position | None = None,
    record_bytes_max: int = RECORD_BYTES_MAX,
) -> Iterator[Record | BadRecord]:
    """Yield the records of the text that `read(size)` gives, which begins at the place of `start`.

    `wrappers` are the members that hold the list in a wrapping object. Errors of `read` pass through.
    """
    return _Reader(read, wrappers, exact_numbers, start or Position(), record_bytes_max).run()


class _FaultError(Exception):
    """The record cannot be read; `at` is the byte of the window where that shows."""

    def __init__(self, reason: str, at: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.at = at


class _TooLongError(_FaultError):
    pass


class _Reader:
    def __init__(
        self, read: Callable[[int], bytes], wrappers: Sequence[str], exact: bool, start: Position, bytes_max: int
    ) -> None:
        self.window = Window(read, offset=start.offset, line=start.line, line_start=start.line_start)
        self.position = start
        self.exact = exact
        self.bytes_max = bytes_max
        names = b"|".join(re.escape(name.encode()) for name in wrappers)
        self.wrapper = re.compile(rb'"(?:' + names + rb')"\s*:\s*\[') if wrappers else None

    def run(self) -> Iterator[Record | BadRecord]:
        if self.position.offset == 0 and self.window.starts_with(b"\xef\xbb\xbf"):
            self.window.advance(3)
        found: Record | BadRecord | None = None
        while True:
            self.window.skip(_BETWEEN_VALUES if self.position.layout == "values" else _BETWEEN_ITEMS)
            first = self.window.peek()
            if first == b"":
                if self.position.layout != "values" and not isinstance(found, BadRecord):
                    yield self._bad("the list is never closed; the file may be cut short")
                return
            found = self._in_values(first) if self.position.layout == "values" else self._in_list(first)
            if found is not None:
                yield found
            if self.window.gave_up:
                yield self._bad(f"nothing to read in {SKIPPED_BYTES_MAX} bytes; the rest of the file was given up")
                return

    def _in_values(self, first: bytes) -> Record | BadRecord | None:
        if first == b"[":
            self.window.advance(1)
            self._enter("array")
            return None
        if first != b"{":
            return self._skip_line("a record begins with { and a list with [")
        if (length := self._wrapper_length()) is not None:
            self.window.advance(length)
            self._enter("wrapped")
            return None
        return self._line_or_value()

    def _in_list(self, first: bytes) -> Record | BadRecord | None:
        if first == b"]":
            self.window.advance(1)
            wrapped = self.position.layout == "wrapped"
            self._enter("values")
            if wrapped:
                self._skip_balanced(depth=1)
                self._enter("values")
            return None
        if first == b"{":
            return self._value()
        if first in b'["':
            return self._not_an_object()
        return self._skip_plain_value()

    def _line_or_value(self) -> Record | BadRecord:
        """Read a record that ends where its line ends, or else one that spans lines."""
        length = self.window.line_length(self.bytes_max)
        if length is None:
            if self.position.lines:
                return self._skip_line(f"the line is longer than {self.bytes_max} bytes")
            return self._value()
        line = self.window.take(length)
        try:
            value, used = self._parse(line)
            self._refuse_trailing(line[used:], used)
        except _FaultError as fault:
            # A bracket alone on its line begins a value that is written out, whatever the lines before were.
            one_line_each = self.position.lines and line.strip(_BLANKS) != b"{"
            if one_line_each or self._next_line_is_a_record(length):
                return self._skip_line(fault.reason, fault.at)
            return self._value()
        if not line[used:].strip(_BLANKS):
            self.position = replace(self.position, lines=True)
        return self._good(value, used)

    def _refuse_trailing(self, rest: bytes, at: int) -> None:
        """Raise _FaultError unless another value follows on the line, or nothing."""
        if (rest := rest.strip(_BLANKS)) and rest[:1] not in (b"{", b"["):
            raise _FaultError("something follows the end of the record", at)

    def _value(self) -> Record | BadRecord:
        """Read a value to its closing bracket, over as many lines as it takes."""
        try:
            length = self._balanced_length()
            data = self.window.take(length)
            value, _ = self._parse(data)
        except _TooLongError as fault:
            bad = self._bad(fault.reason)
            self._skip_balanced()
            return replace(bad, after=self._here(1))
        except _FaultError as fault:
            place = self._place(fault.at)
            closed = None if self.position.layout == "values" else self._closed_length()
            if closed is None:
                self._skip_to_next_item()
            else:
                self.window.advance(closed)
            return BadRecord(place, fault.reason, self._here(1))
        return self._good(value, length)

    def _parse(self, data: bytes) -> tuple[dict[str, Any], int]:
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            raise _FaultError(f"not UTF-8: {error.reason}", error.start) from error
        try:
            value, used = parse_first(text, exact=self.exact)
        except RecordSyntaxError as error:
            raise _FaultError(error.message, len(text[: error.position].encode())) from error
        if not isinstance(value, dict):
            raise _FaultError("a record must be an object")
        return value, used if len(text) == len(data) else len(text[:used].encode())

    def _balanced_length(self) -> int:
        """Return the bytes from the opening bracket here to its partner; raises _FaultError."""
        expected: list[bytes] = []
        scanned = 0
        while True:
            match = self.window.search(_TOKEN, scanned)
            token = match[0] if match else b""
            if match is None or token == b'"':
                line_ends = match is not None and self.window.find(b"\n", match.start()) >= 0
                if line_ends:
                    raise _FaultError("a text is not closed before the end of its line", match.start() if match else 0)
                scanned = match.start() if match else self.window.length
                if self.window.length >= self.bytes_max:
                    raise _TooLongError(f"the record is longer than {self.bytes_max} bytes")
                if not self.window.grow():
                    raise _FaultError("the record is never closed; the file may be cut short")
                continue
            scanned = match.end()
            if scanned > self.bytes_max:
                raise _TooLongError(f"the record is longer than {self.bytes_max} bytes")
            if token in b"{[":
                expected.append(b"}" if token == b"{" else b"]")
            elif token in b"}]":
                if expected.pop() != token:
                    raise _FaultError("a bracket is closed by one of the other kind", match.start())
                if not expected:
                    return scanned

    def _closed_length(self) -> int | None:
        """Return the length of a balanced but faulty value here, or None where it is not even balanced."""
        try:
            return self._balanced_length()
        except _FaultError:
            return None

    def _skip_to_next_item(self) -> None:
        """Pass over a faulty value to the line that begins another one, no deeper indented than this one."""
        _, column = self.window.line_and_column(0)
        begins = re.compile(rb"\n[ \t]{0,%d}[{\]]" % min(column - 1, _INDENT_MAX))
        self.window.advance(1)
        self.window.skip_until(begins, SKIPPED_BYTES_MAX)

    def _skip_balanced(self, depth: int = 0) -> None:
        """Pass over a value, or with `depth` the rest of one, that need not be held; brackets are counted."""
        passed = self.window.offset
        while not self.window.gave_up:
            self.window.skip_until(_BRACKET_OR_TEXT, SKIPPED_BYTES_MAX)
            token = self.window.peek()
            if token == b'"':
                self.window.skip_text(SKIPPED_BYTES_MAX)
            elif token == b"":
                return
            else:
                depth += 1 if token in b"{[" else -1
                self.window.advance(1)
                if depth == 0:
                    return
            if self.window.offset - passed > SKIPPED_BYTES_MAX:
                self.window.gave_up = True

    def _wrapper_length(self) -> int | None:
        """Return the bytes up to inside the list, where the object here is a wrapper, else None."""
        if self.wrapper is None:
            return None
        while self.window.length < WRAPPER_BYTES_MAX and self.window.grow():
            pass
        head = self.window.take(min(self.window.length, WRAPPER_BYTES_MAX))
        depth = 0
        for match in _TOKEN.finditer(head):
            token = match[0]
            if token in (b"{", b"["):
                depth += 1
            elif token in (b"}", b"]"):
                depth -= 1
                if depth == 0:
                    return None
            elif depth == 1 and (found := self.wrapper.match(head, match.start())):
                inside = head[found.end() :].lstrip(_BLANKS)[:1]
                return found.end() if inside in (b"{", b"]", b"") else None
        return None

    def _next_line_is_a_record(self, length: int) -> bool:
        """Whether the line after this one begins with a bracket in its first column, or there is none."""
        while self.window.length < length + 3 and self.window.grow():
            pass
        return self.window.take(length + 3)[length:].lstrip(b"\r\n")[:1] in (b"{", b"")

    def _not_an_object(self) -> BadRecord:
        bad = self._bad("a record must be an object")
        if self.window.peek() == b'"':
            self.window.skip_text(SKIPPED_BYTES_MAX)
        else:
            self._skip_balanced()
        return replace(bad, after=self._here(1))

    def _skip_plain_value(self) -> BadRecord:
        """Pass over a number, a word or rubbish in a list."""
        bad = self._bad("a record must be an object")
        self.window.skip_until(_PLAIN_VALUE_END, SKIPPED_BYTES_MAX)
        return replace(bad, after=self._here(1))

    def _skip_line(self, reason: str, at: int = 0) -> BadRecord:
        place = self._place(at)
        self._skip_line_quietly()
        return BadRecord(place, reason, self._here(1))

    def _skip_line_quietly(self) -> None:
        self.window.skip_until(_LINE_BREAK, SKIPPED_BYTES_MAX)

    def _bad(self, reason: str) -> BadRecord:
        return BadRecord(self._place(0), reason, self.position)

    def _good(self, value: dict[str, Any], length: int) -> Record:
        place = self._place(0)
        data = self.window.take(length)
        self.window.advance(length)
        return Record(place, value, data, self._here(1))

    def _place(self, at: int) -> Place:
        line, column = self.window.line_and_column(at)
        return Place(self.position.record, line, column, self.window.offset + at)

    def _enter(self, layout: str) -> None:
        self.position = replace(self._here(0), layout=layout)

    def _here(self, records: int) -> Position:
        """Return, and remember, the position after the bytes just passed."""
        self.position = replace(
            self.position,
            offset=self.window.offset,
            line=self.window.line,
            line_start=self.window.line_start,
            record=self.position.record + records,
        )
        return self.position
