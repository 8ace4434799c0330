"""The lines and words of a policy file, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tallystick.errors import InvalidInputError
from tallystick.note.text import SpellingError, parse_decimal

POLICY_BYTES_MAX = 1_000_000
LINES_MAX = 10_000

_FORBIDDEN = re.compile(rb"[^\t\n\x20-\x7e\x80-\xff]")
_WORD = re.compile(rb"[^ \t]+")


class PolicyTextError(InvalidInputError):
    """A policy file cannot be read; line and column say where."""

    code = "policy-invalid"
    advice = "A policy has lines `log VKEY [URL]`, `witness NAME VKEY [URL]`, `group NAME all|any|N MEMBER...` and one `quorum NAME`."


@dataclass(frozen=True, slots=True)
class Line:
    """The words of one line; names are opaque, so bytes that are not UTF-8 stand as surrogates."""

    line: int
    columns: list[int]
    words: list[str]

    def error(self, position: int, message: str) -> PolicyTextError:
        """Return an error that points at the word."""
        return PolicyTextError(f"line {self.line}: {message}", line=self.line, column=self.columns[position])

    def number(self, position: int) -> int:
        """Return the word as a decimal number; raise the line's error otherwise."""
        try:
            return parse_decimal(self.words[position].encode("utf-8", "surrogateescape"))
        except SpellingError as error:
            raise self.error(position, f"neither any, all nor a number: {self.words[position][:40]!r}") from error


def read_lines(data: bytes) -> Iterator[Line]:
    """Yield the lines that say something; raise PolicyTextError for characters that a policy may not hold."""
    if len(data) > POLICY_BYTES_MAX or data.count(b"\n") > LINES_MAX:
        raise PolicyTextError(f"a policy has at most {POLICY_BYTES_MAX} bytes and {LINES_MAX} lines")
    if data and not data.endswith(b"\n"):
        raise PolicyTextError("the last line of a policy ends in a newline", line=data.count(b"\n") + 1)
    for number, line in enumerate(data.split(b"\n"), start=1):
        if wrong := _FORBIDDEN.search(line):
            raise PolicyTextError(f"line {number} has a control character", line=number, column=wrong.start() + 1)
        found = list(_WORD.finditer(line))
        if found and not found[0][0].startswith(b"#"):
            words = [match[0].decode("utf-8", "surrogateescape") for match in found]
            yield Line(number, [match.start() + 1 for match in found], words)
