"""A JSON reader that is slow, exact, and knows where everything stands: the source of truth for every refusal.

It reads I-JSON (RFC 7493) within limits: no duplicate names, no lone surrogates, no number of magnitude 2^53
or more, and it never recurses deeper than the limit on depth.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from tallystick.errors import InvalidInputError
from tallystick.event.limits import Limits
from tallystick.event.pointer import escape
from tallystick.event.refusals import (
    BadUtf8Error,
    ByteOrderMarkError,
    DuplicateMemberError,
    EventTooLargeError,
    LoneSurrogateError,
    MalformedJsonError,
    MemberNameTooLongError,
    NotANumberError,
    NumberTooLargeError,
    TooDeepError,
)

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_PLAIN: Final = re.compile(r'[^"\\\x00-\x1f\ud800-\udfff]*')
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORD: Final = re.compile(r"[-+]?[A-Za-z]+")
_UNIT: Final = re.compile(r"\\u([0-9A-Fa-f]{4})")
_ESCAPES: Final = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
_MAGNITUDE_END: Final = 2**53


@dataclass(frozen=True, slots=True)
class Place:
    """Where a piece of text begins in what was sent: 1-based line and column, and its item where it is one."""

    line: int = 1
    column: int = 1
    item: int | None = None

    def after(self, text: str) -> tuple[int, int]:
        """Return line and column of what follows `text` when `text` begins here."""
        newlines = text.count("\n")
        if newlines:
            return self.line + newlines, len(text) - text.rfind("\n")
        return self.line, self.column + len(text)


@dataclass(slots=True)
class Scanned:
    """One event as plain values, and the line and column of each member's name and value by pointer."""

    value: Any
    place: Place
    text: str
    spots: dict[str, tuple[int, int]] = field(default_factory=dict)

    def locate(self, error: InvalidInputError, *, name: bool = False) -> InvalidInputError:
        """Complete an error that has a pointer with item, line and column; a missing member is placed at its parent.

        With `name` the place is that of the member's name instead of its value.
        """
        pointer = error.pointer or ""
        while pointer not in self.spots:
            pointer = pointer.rpartition("/")[0]
        error.item = self.place.item
        error.line, error.column = self.place.after(self.text[: self.spots[pointer][0 if name else 1]])
        return error


def decode_text(data: bytes, place: Place) -> str:
    """Return UTF-8 bytes as text, or raise BadUtf8Error or ByteOrderMarkError with the place."""
    if data.startswith(BYTE_ORDER_MARK):
        raise ByteOrderMarkError(
            "the text begins with a byte order mark", line=place.line, column=place.column, item=place.item
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = place.after(data[: error.start].decode("utf-8"))
        raise BadUtf8Error(
            f"byte 0x{data[error.start]:02x} is not UTF-8 here", line=line, column=column, item=place.item
        ) from error


def scan_event(data: bytes, limits: Limits, place: Place) -> Scanned:
    """Return the one JSON value in `data`; anything after it is refused."""
    scanner = _Scanner(decode_text(data, place), limits, place)
    scanned, end = scanner.item(scanner.space(0), place.item)
    scanner.end(end)
    return scanned


def scan_array(data: bytes, limits: Limits) -> list[Scanned]:
    """Return the items of the one JSON array in `data`."""
    scanner = _Scanner(decode_text(data, Place()), limits, Place())
    position = scanner.space(scanner.space(0) + 1)
    items: list[Scanned] = []
    if scanner.text[position : position + 1] == "]":
        scanner.end(position + 1)
        return items
    while True:
        scanned, position = scanner.item(position, len(items))
        items.append(scanned)
        position = scanner.space(position)
        if scanner.text[position : position + 1] == "]":
            scanner.end(position + 1)
            return items
        if scanner.text[position : position + 1] != ",":
            raise scanner.refusal(MalformedJsonError, "expected `,` or `]` after an item of the array", position, "")
        position = scanner.space(position + 1)


class _Scanner:
    """Reads values from one text. `position` is always a character offset into it."""

    def __init__(self, text: str, limits: Limits, place: Place) -> None:
        self.text = text
        self._limits = limits
        self._place = place
        self._item = place.item
        self._spots: dict[str, tuple[int, int]] = {}

    def space(self, position: int) -> int:
        match = _SPACE.match(self.text, position)
        assert match is not None
        return match.end()

    def end(self, position: int) -> None:
        position = self.space(position)
        if position != len(self.text):
            raise self.refusal(MalformedJsonError, "there is more text after the end of the JSON value", position, None)

    def item(self, position: int, item: int | None) -> tuple[Scanned, int]:
        """Return the event at `position` and where it ends."""
        self._item = item
        self._spots = {"": (position, position)}
        value, end = self._value(position, "", 1)
        size = len(self.text[position:end].encode("utf-8"))
        if size > self._limits.event_bytes_max:
            limit = self._limits.event_bytes_max
            raise self.refusal(
                EventTooLargeError, f"the event has {size:,} bytes; at most {limit:,} are accepted", position, ""
            )
        place = Place(self._place.line, self._place.column, item)
        return Scanned(value, place, self.text, self._spots), end

    def refusal(
        self, kind: type[InvalidInputError], message: str, position: int, pointer: str | None
    ) -> InvalidInputError:
        line, column = self._place.after(self.text[:position])
        return kind(message, pointer=pointer, line=line, column=column, item=self._item)

    def _value(self, position: int, pointer: str, depth: int) -> tuple[Any, int]:
        first = self.text[position : position + 1]
        if first == '"':
            return self._text(position, pointer)
        if first in ("{", "["):
            if depth > self._limits.depth_max:
                limit = self._limits.depth_max
                raise self.refusal(
                    TooDeepError, f"values are nested more than {limit} deep, which is the limit", position, pointer
                )
            return (self._object if first == "{" else self._array)(position, pointer, depth)
        match = _NUMBER.match(self.text, position)
        if match is not None:
            return self._number(match, pointer), match.end()
        match = _WORD.match(self.text, position)
        if match is not None and match[0] in _WORDS:
            return _WORDS[match[0]], match.end()
        if match is not None and match[0].lstrip("+-").lower() in ("nan", "inf", "infinity"):
            raise self.refusal(NotANumberError, f"JSON has no number {match[0]}", position, pointer)
        what = f"{first!r} cannot begin a value" if first else "the text ends where a value should begin"
        raise self.refusal(MalformedJsonError, what, position, pointer)

    def _object(self, position: int, pointer: str, depth: int) -> tuple[dict[str, Any], int]:
        members: dict[str, Any] = {}
        position = self.space(position + 1)
        if self.text[position : position + 1] == "}":
            return members, position + 1
        while True:
            start = position
            if self.text[position : position + 1] != '"':
                raise self.refusal(MalformedJsonError, "expected a member's name in quotes", position, pointer)
            name, position = self._text(position, pointer)
            below = f"{pointer}/{escape(name)}"
            self._check_name(name, members, start, below)
            position = self.space(position)
            if self.text[position : position + 1] != ":":
                raise self.refusal(MalformedJsonError, "expected `:` after a member's name", position, below)
            position = self.space(position + 1)
            self._spots[below] = (start, position)
            members[name], position = self._value(position, below, depth + 1)
            position = self.space(position)
            following = self.text[position : position + 1]
            if following == "}":
                return members, position + 1
            if following != ",":
                raise self.refusal(MalformedJsonError, "expected `,` or `}` after a member", position, pointer)
            position = self.space(position + 1)

    def _check_name(self, name: str, members: dict[str, Any], position: int, pointer: str) -> None:
        if name in members:
            raise self.refusal(DuplicateMemberError, f"the member {name[:64]!r} stands here twice", position, pointer)
        limit = self._limits.key_chars_max
        if len(name) > limit:
            message = f"a member's name has {len(name):,} characters; at most {limit} are accepted"
            raise self.refusal(MemberNameTooLongError, message, position, pointer.rpartition("/")[0])

    def _array(self, position: int, pointer: str, depth: int) -> tuple[list[Any], int]:
        values: list[Any] = []
        position = self.space(position + 1)
        if self.text[position : position + 1] == "]":
            return values, position + 1
        while True:
            below = f"{pointer}/{len(values)}"
            self._spots[below] = (position, position)
            value, position = self._value(position, below, depth + 1)
            values.append(value)
            position = self.space(position)
            following = self.text[position : position + 1]
            if following == "]":
                return values, position + 1
            if following != ",":
                raise self.refusal(MalformedJsonError, "expected `,` or `]` after a value", position, pointer)
            position = self.space(position + 1)

    def _number(self, match: re.Match[str], pointer: str) -> int | float:
        value: int | float
        if match[1] is None and match[2] is None:
            # Sixteen digits decide; int() of a very long text would be slow and may be refused by the interpreter.
            value = int(match[0]) if len(match[0]) <= 17 else _MAGNITUDE_END
        else:
            value = float(match[0])
        if not -_MAGNITUDE_END < value < _MAGNITUDE_END:
            message = f"the number {match[0][:40]} has a magnitude of 2^53 or more"
            raise self.refusal(NumberTooLargeError, message, match.start(), pointer)
        return value

    def _text(self, position: int, pointer: str) -> tuple[str, int]:
        parts: list[str] = []
        start = position
        position += 1
        while True:
            match = _PLAIN.match(self.text, position)
            assert match is not None
            parts.append(match[0])
            position = match.end()
            stop = self.text[position : position + 1]
            if stop == '"':
                return "".join(parts), position + 1
            if stop == "\\":
                part, position = self._escape(position, pointer)
                parts.append(part)
            elif stop:
                message = f"the control character U+{ord(stop):04X} must be written as an escape inside text"
                raise self.refusal(MalformedJsonError, message, position, pointer)
            else:
                raise self.refusal(MalformedJsonError, "the text that begins here has no end", start, pointer)

    def _escape(self, position: int, pointer: str) -> tuple[str, int]:
        after = self.text[position + 1 : position + 2]
        if after in _ESCAPES:
            return _ESCAPES[after], position + 2
        match = _UNIT.match(self.text, position)
        if match is None:
            raise self.refusal(MalformedJsonError, "this escape does not exist in JSON", position, pointer)
        unit = int(match[1], 16)
        if not 0xD800 <= unit <= 0xDFFF:
            return chr(unit), match.end()
        low = _UNIT.match(self.text, match.end())
        if unit > 0xDBFF or low is None or not 0xDC00 <= int(low[1], 16) <= 0xDFFF:
            message = f"the escape {match[0]} is half of a surrogate pair"
            raise self.refusal(LoneSurrogateError, message, position, pointer)
        return chr(0x10000 + ((unit - 0xD800) << 10) + int(low[1], 16) - 0xDC00), low.end()
