"""What a query needs to stand literally in the content of an event: a quick look before the real one.

All of it only rules out. A *word* is looked for in the word filters of blocks, a *needle* in the folded bytes of the
content; a row that lacks them cannot answer the query, a row that has them still has to be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from uuid import UUID

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.query.fields import FIELDS
from tallystick.query.fold import fold
from tallystick.query.model import Contains, Equals, Node, Not, Some, Term, Test, Text, Wildcard
from tallystick.query.values import parse_number
from tallystick.segment.words import WORD_BYTES_MIN

Needles = frozenset[bytes]
_RUN = re.compile(r"[ !#-\[\]-~]+")
_WORD = re.compile(r"[0-9a-z_]+")
# What becomes ASCII when its case is folded: the Kelvin sign and the dotted capital I.
_FOLDS_TO_ASCII = (b"\xe2\x84\xaa", b"\xc4\xb0")


def longest_literal(texts: Iterable[str]) -> str:
    """Return the longest run of folded ASCII text that JSON writes as it is."""
    runs = [run for text in texts for run in _RUN.findall(fold(text))]
    return max(runs, key=len, default="")


def literal_texts(test: Test) -> tuple[str, ...]:
    """Return texts that every value passing the test holds; numbers can be written in several ways, so have none."""
    if isinstance(test, Equals):
        return () if parse_number(test.text) is not None else (test.text,)
    return test.parts if isinstance(test, (Contains, Wildcard)) else ()


def find_needles(node: Node) -> Needles | None:
    """Return byte strings of which every matching event has at least one in its content, or None when there are none.

    A term that columns answer has no needles: what it matches need not be literal.
    """
    if isinstance(node, Text):
        literal = "" if as_event_id(node.test) else longest_literal(literal_texts(node.test))
        return frozenset({literal.encode()}) if literal else None
    if isinstance(node, Term):
        field = FIELDS[node.field.name]
        if not field.in_content or field.columns:
            return None
        key = (field.path + node.field.path)[-1].replace("/", '"').replace("~", '"')
        literal = longest_literal(literal_texts(node.test)) or longest_literal([key])
        return frozenset({literal.encode()}) if literal else None
    if isinstance(node, Not):
        return None
    found = [find_needles(child) for child in node.nodes]
    if isinstance(node, Some):
        return None if None in found else frozenset().union(*(each for each in found if each is not None))
    return max((each for each in found if each is not None), key=lambda each: min(map(len, each)), default=None)


def as_event_id(test: Contains) -> bytes | None:
    """Return the 16 bytes of the event id that the words are, or None."""
    try:
        event_id = UUID("*".join(test.parts))
    except ValueError:
        return None
    return event_id.bytes if str(event_id) == fold("*".join(test.parts)) else None


def needed_words(test: Test) -> frozenset[bytes]:
    """Return the words of five bytes or more that the content of every matching event has, all in one place.

    Words beside characters beyond ASCII are left out: those may belong to the word.
    """
    found: set[bytes] = set()
    parts = literal_texts(test)
    for position, part in enumerate(parts):
        text = fold(part)
        for match in _WORD.finditer(text):
            opens = match.start() > 0 or position == 0
            closes = match.end() < len(text) or position == len(parts) - 1
            beside = text[max(0, match.start() - 1) : match.start()] + text[match.end() : match.end() + 1]
            if opens and closes and beside.isascii() and len(match[0]) >= WORD_BYTES_MIN:
                found.add(match[0].encode())
    return frozenset(found)


def rows_with(column: pa.Array, needles: Needles) -> NDArray[np.bool_]:
    """Return for each row of a binary column whether it may hold one of the needles."""
    found = np.zeros(len(column), dtype=np.bool_)
    _validity, offsets_buffer, data_buffer = column.buffers()
    if data_buffer is None:
        return found
    offsets = np.frombuffer(offsets_buffer, dtype=np.int32)[column.offset : column.offset + len(column) + 1]
    data = data_buffer.slice(int(offsets[0]), int(offsets[-1] - offsets[0])).to_pybytes()
    return mark_rows(data, offsets - offsets[0], needles)


def mark_rows(data: bytes, offsets: NDArray[np.integer], needles: Needles) -> NDArray[np.bool_]:
    """Return for each slice of `data` between offsets whether it may hold one of the needles, letter case aside."""
    if not data.isascii() and any(odd in data for odd in _FOLDS_TO_ASCII):
        return np.ones(len(offsets) - 1, dtype=np.bool_)
    found = np.zeros(len(offsets) - 1, dtype=np.bool_)
    folded = data.lower()
    for needle in needles:
        at = folded.find(needle)
        while at >= 0:
            row = int(np.searchsorted(offsets, at, side="right")) - 1
            found[row] = True
            at = folded.find(needle, int(offsets[row + 1]))
    return found
