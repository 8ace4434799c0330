"""The parts of a question, each with the address of the question without it."""

from __future__ import annotations

from typing import Final

import msgspec

from tallystick.query.errors import QueryError
from tallystick.query.model import All, Node, Some
from tallystick.query.parser import parse_query
from tallystick.query.writer import format_query
from tallystick.web.events.question import Asked

_LIMIT: Final = 40


class Chip(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a question in words, and the address without it."""

    text: str
    without: str


def chips_of(asked: Asked, now_us: int) -> tuple[Chip, ...]:
    """Return a chip for each part of a question."""
    return tuple(Chip(text=text, without=rest.link()) for text, rest in parts_of(asked, now_us))


def parts_of(asked: Asked, now_us: int) -> list[tuple[str, Asked]]:
    """Return each term at the top of the query, and each other restriction, in words and with the question that is left
    without it; no terms of a query that cannot be read.
    """
    plain = asked.first_page()
    named = (
        ("scope", "scope", asked.scope.strip()),
        ("start", "from", asked.start.strip()),
        ("end", "to", asked.end.strip()),
    )
    found = [(f"{word} {text}", msgspec.structs.replace(plain, **{name: ""})) for name, word, text in named if text]
    if asked.reading:
        found.append(("with readings", msgspec.structs.replace(plain, reading=False)))
    terms = terms_of(asked.q, now_us)
    for at, term in enumerate(terms[:_LIMIT]):
        rest = " ".join(_grouped(other) for place, other in enumerate(terms) if place != at)
        found.append((format_query(term), msgspec.structs.replace(plain, q=rest)))
    return found


def terms_of(text: str, now_us: int) -> list[Node]:
    """Return the terms that must all hold, of a query that can be read."""
    try:
        node = parse_query(text, now_us=now_us)
    except QueryError:
        return []
    return list(node.nodes) if isinstance(node, All) else [node]


def _grouped(node: Node) -> str:
    return f"({format_query(node)})" if isinstance(node, Some) else format_query(node)
