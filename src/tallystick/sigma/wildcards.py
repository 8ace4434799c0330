r"""Text values with wildcards: how the text of a rule is read.

A pattern is a tuple of parts: literal text, ANY (`*`, any run), ONE (`?`, exactly one character), DASH (one of the five
characters that begin an option on a command line) and placeholders. A backslash takes the special meaning from `*`, `?`
and a backslash that follow it, and is itself before anything else; so `\*` is a star, `\\*` a backslash and then any run,
`\\\*` a backslash and a star, and both `\\\` and `\\\\` are two backslashes.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final, NamedTuple


class Wild(Enum):
    """A part of a pattern that stands for other text."""

    ANY = "*"
    ONE = "?"
    DASH = "-"


class Placeholder(NamedTuple):
    """A list of values that takes this place."""

    name: str


Part = str | Wild | Placeholder
Pattern = tuple[Part, ...]

ANY: Final = Wild.ANY
ONE: Final = Wild.ONE
DASH: Final = Wild.DASH

DASHES: Final = "-/\u2013\u2014\u2015"
_SPECIAL: Final = re.compile(r"\\([*?\\])|([*?])")
_OPTION: Final = re.compile(rf"\B[{DASHES}]\b")
_SPECIAL_OR_PLACEHOLDER: Final = re.compile(r"\\([*?\\%])|([*?])|%([^%\s]+)%")


def parse_pattern(text: str, *, placeholders: bool = False) -> Pattern:
    r"""Return the parts of `text`, as a rule writes it.

    With `placeholders`, each `%name%` is one, and `\%` is a percent sign.
    """
    if not placeholders and "*" not in text and "?" not in text and "\\" not in text:
        return (text,) if text else ()
    parts: list[Part] = []
    end = 0
    for found in (_SPECIAL_OR_PLACEHOLDER if placeholders else _SPECIAL).finditer(text):
        escaped, wild = found[1], found[2]
        parts.append(text[end : found.start()])
        parts.append(escaped if escaped is not None else Wild(wild) if wild is not None else Placeholder(found[3]))
        end = found.end()
    return joined((*parts, text[end:]))


def escape(text: str) -> str:
    """Return how a rule writes `text` so that nothing in it is a wildcard: the inverse of `parse_pattern`."""
    return re.sub(r"([*?\\])", r"\\\1", text)


def joined(parts: Pattern) -> Pattern:
    """Return the same pattern with neighbouring texts made one, and runs of ANY too."""
    kept: list[Part] = []
    for part in parts:
        if part == "":
            continue
        last = kept[-1] if kept else None
        if isinstance(part, str) and isinstance(last, str):
            kept[-1] = last + part
        elif not (part is ANY and last is ANY):
            kept.append(part)
    return tuple(kept)


def literal(pattern: Pattern) -> str | None:
    """Return the one text that `pattern` is, or None when it is more than that."""
    if not pattern:
        return ""
    first = pattern[0]
    return first if len(pattern) == 1 and isinstance(first, str) else None


def length(pattern: Pattern) -> int:
    """Return how many characters a pattern is written with, escapes apart."""
    return sum(len(part) if isinstance(part, str) else 1 for part in pattern)


def with_option_dashes(pattern: Pattern) -> Pattern:
    """Return the pattern with each character that begins an option replaced by DASH."""
    parts: list[Part] = []
    for part in pattern:
        if not isinstance(part, str):
            parts.append(part)
            continue
        end = 0
        for found in _OPTION.finditer(part):
            parts += (part[end : found.start()], DASH)
            end = found.end()
        parts.append(part[end:])
    return joined(tuple(parts))
