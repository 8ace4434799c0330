"""The text in an event's facts that no column holds, as words for the filters of a summary.

A word is a maximal run of ASCII letters, digits, underscores and bytes above 127 in the folded UTF-8 text, where
folding makes each character lower case by itself (U+0130 becomes `i`): the same words that a search knows. JSON
escapes separate words. Words under five bytes are left out: nearly every block of rows would hold them.

Whatever else stands in facts (action; id, key and type of actors and targets; outcome, scope, severity, occurred_at)
has a column, so a word that is neither in the filter of a block nor in its columns is not in the facts of its rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import numpy as np

from tallystick.segment.hashing import Hashes, hash_slices

WORD_BYTES_MIN: Final = 5

_WORD: Final = re.compile(rb"[0-9a-z_\x80-\xff]+")
_ESCAPE: Final = re.compile(rb"\\(?:u[0-9a-f]{4}|.)")
_MIDDLE: Final = re.compile(rb',"(?:changes|context|message|metadata)":.*,"occurred_at":"')
_LOOSE_NAMES: Final = (b'"email":', b'"name":', b'"number":', b'"reason":', b'"stream":')
_LOOSE: Final = re.compile(rb'"(?:email|name|number|reason|stream)":("(?:[^"\\]|\\.)*"|-?[0-9]+)')
_FOLD: Final = bytes(
    code
    if code >= 0x80 or chr(code) in "abcdefghijklmnopqrstuvwxyz0123456789_"
    else ord(chr(code).lower())
    if chr(code).isupper()
    else 0
    for code in range(256)
)


def fold(text: str) -> str:
    """Return `text` with each character made lower case by itself."""
    return text.replace("\u0130", "i").replace("\u03a3", "\u03c3").lower()


def filter_words(text: str) -> frozenset[bytes]:
    """Return the words of a search text that filters know of: those of at least five bytes."""
    return frozenset(word for word in _WORD.findall(fold(text).encode()) if len(word) >= WORD_BYTES_MIN)


def free_text(facts: Iterable[bytes]) -> bytes:
    """Return what the filters index of many canonical facts; some member names come with it.

    Canonical JSON has no line breaks, so a line is an event. Members are found by their quoted names, which is safe: a
    quote inside a JSON string is always escaped, members are sorted, and the members before `changes` and after
    `metadata` cannot hold members of those names.
    """
    lines = b"\n".join(facts)
    parts, around = _MIDDLE.findall(lines), _MIDDLE.sub(b"", lines)
    if any(name in around for name in _LOOSE_NAMES):
        parts += _LOOSE.findall(around)
    return b" ".join([part if part.isascii() else _fold_bytes(part) for part in parts])


def hash_words(text: bytes) -> Hashes:
    """Return the hashes of the indexable words of free text, some of them more than once."""
    if b"\\" in text:
        text = _ESCAPE.sub(b" ", text)
    folded = b"\0" + text.translate(_FOLD) + b"\0"
    inside = np.frombuffer(folded, dtype=np.uint8) != 0
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    starts, ends = edges[::2], edges[1::2]
    kept = ends - starts >= WORD_BYTES_MIN
    return hash_slices(folded, starts[kept], ends[kept])


def _fold_bytes(text: bytes) -> bytes:
    return fold(_ESCAPE.sub(b" ", text).decode("utf-8")).encode("utf-8")
