"""The tree of a query: nodes combine, terms test one field, and every value is frozen and hashable.

Equality of trees ignores where in the text a term stood. `all_of`, `any_of` and `negate` keep trees in one canonical
shape (no nested ALL in ALL, no double negation), which makes `format_query` and `parse_query` inverse.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class FieldRef:
    """A field by its name in the table and, for `metadata`, `context` and `raw`, the path below it."""

    name: str
    path: tuple[str, ...] = ()

    @property
    def written(self) -> str:
        return ".".join((self.name, *self.path))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a term stands in the text, both 1-based."""

    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True)
class Equals:
    """The value is this text, letter case aside; `exact` regards letter case and takes no pseudonym key for the id, as
    access must.
    """

    text: str
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Wildcard:
    """The value is these parts in order, with anything between them; always two parts or more."""

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contains:
    """The value holds the parts as whole words; an empty first or last part leaves that end open."""

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Below:
    """The value is this scope or one below it, by whole segments; `exact` regards letter case, as access must."""

    scope: str
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Within:
    """The value is an IP address in this network; an IPv4 address mapped into IPv6 counts as the IPv4 address."""

    network: Network


@dataclass(frozen=True, slots=True)
class Span:
    """The whole number (a time in microseconds, an index, a severity's rank) is at least `low` and less than `high`."""

    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Bound:
    value: float | str
    inclusive: bool


@dataclass(frozen=True, slots=True)
class Between:
    """A value in free JSON lies between the bounds: numbers with numbers, text with text by code point."""

    low: Bound | None
    high: Bound | None


@dataclass(frozen=True, slots=True)
class Exists:
    """There is a value."""


Test = Equals | Wildcard | Contains | Below | Within | Span | Between | Exists


@dataclass(frozen=True, slots=True)
class Term:
    """Some value of the field passes the test."""

    field: FieldRef
    test: Test
    place: Place = dataclasses.field(default=Place(), compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """Some text or whole number of the event, other than its time, passes the test, or its id is exactly the word."""

    test: Contains
    place: Place = dataclasses.field(default=Place(), compare=False)


@dataclass(frozen=True, slots=True)
class All:
    """Every node holds; without nodes, every event."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of two or more nodes holds."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    node: Node


Node = Term | Text | All | Some | Not

EVERYTHING = All(())
NOTHING = Not(EVERYTHING)


def all_of(nodes: Iterable[Node]) -> Node:
    """Return the conjunction; one node stands for itself, nested conjunctions are opened."""
    flat: list[Node] = []
    for node in nodes:
        flat.extend(node.nodes if isinstance(node, All) else (node,))
    return flat[0] if len(flat) == 1 else All(tuple(flat))


def any_of(nodes: Iterable[Node]) -> Node:
    """Return the disjunction; one node stands for itself, none for nothing, nested disjunctions are opened."""
    flat: list[Node] = []
    for node in nodes:
        flat.extend(node.nodes if isinstance(node, Some) else (node,))
    if not flat:
        return NOTHING
    return flat[0] if len(flat) == 1 else Some(tuple(flat))


def negate(node: Node) -> Node:
    return node.node if isinstance(node, Not) else Not(node)


def walk_terms(node: Node) -> Iterator[Term | Text]:
    """Yield every term of the tree, in the order written."""
    if isinstance(node, (Term, Text)):
        yield node
    elif isinstance(node, Not):
        yield from walk_terms(node.node)
    else:
        for child in node.nodes:
            yield from walk_terms(child)
