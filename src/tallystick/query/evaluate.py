"""The meaning of a query: whether one event answers it.

Written to be read, not to be fast. Everything that answers faster must give the same answer as this.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tallystick.query.fields import FIELDS, SEVERITIES, Field, Kind
from tallystick.query.fold import contains_regex, fold, wildcard_regex
from tallystick.query.model import (
    All,
    Below,
    Between,
    Bound,
    Contains,
    Equals,
    Exists,
    Network,
    Node,
    Not,
    Some,
    Span,
    Test,
    Text,
    Wildcard,
    Within,
)
from tallystick.query.moments import parse_instant
from tallystick.query.rights import KEYED_FIELDS, Rights
from tallystick.query.values import parse_number

FULL_RIGHTS = Rights()


@dataclass(frozen=True, slots=True)
class Document:
    """One event as a caller may see it: `event` is facts and personal merged, or the facts alone."""

    index: int
    id: str
    received_at: int
    source: str
    class_name: str
    event: Mapping[str, Any]


def matches(node: Node, document: Document, rights: Rights = FULL_RIGHTS) -> bool:
    """Whether the event answers the query; `check_rights` has been asked before."""
    if isinstance(node, All):
        return all(matches(child, document, rights) for child in node.nodes)
    if isinstance(node, Some):
        return any(matches(child, document, rights) for child in node.nodes)
    if isinstance(node, Not):
        return not matches(node.node, document, rights)
    if isinstance(node, Text):
        return text_matches(node.test, document)
    field = FIELDS[node.field.name]
    if isinstance(node.test, Equals) and not node.test.exact and field.name in KEYED_FIELDS:
        keys = rights.keys_of(node.test.text)
        if any(key == node.test.text or key in keys for key in walk(document.event, (*field.path[:-1], "key"))):
            return True
    values: Iterable[object]
    values = walk(document.event, field.path + node.field.path) if field.path else record_values(field, document)
    return any(value_matches(field, node.test, value) for value in values)


def text_matches(test: Contains, document: Document) -> bool:
    """Whether a text or whole number anywhere in the event but its time holds the words, or the id is the word."""
    if fold(document.id) == fold("*".join(test.parts)):
        return True
    pattern = contains_regex(test.parts)
    searched = (value for member, value in document.event.items() if member != "occurred_at")
    return any(
        pattern.search(fold(leaf if isinstance(leaf, str) else str(leaf)))
        for value in searched
        for leaf in leaves(value)
        if isinstance(leaf, str) or (isinstance(leaf, int) and not isinstance(leaf, bool))
    )


def value_matches(field: Field, test: Test, value: object) -> bool:
    """Whether one value, as it stands in the event, passes the test."""
    if isinstance(test, Exists):
        return value is not None
    if isinstance(test, Span):
        number = _as_integer(field, value)
        return (
            number is not None
            and (test.low is None or number >= test.low)
            and (test.high is None or number < test.high)
        )
    if field.kind is Kind.EXACT:
        value = value.lower() if field.name == "id" and isinstance(value, str) else value
    if isinstance(test, Between):
        return _is_between(test, value)
    if not isinstance(value, str):
        return isinstance(test, Equals) and _equals_scalar(test.text, value)
    return string_matches(field, test, value)


def string_matches(field: Field, test: Test, value: str) -> bool:
    """Whether a text passes a test on text."""
    if isinstance(test, Equals):
        if test.exact or field.kind is Kind.EXACT:
            return value == (test.text.lower() if field.name == "id" else test.text)
        return fold(value) == fold(test.text)
    if isinstance(test, Wildcard):
        return wildcard_regex(test.parts).fullmatch(fold(value)) is not None
    if isinstance(test, Contains):
        return contains_regex(test.parts).search(fold(value)) is not None
    if isinstance(test, Below):
        scope, below = (test.scope, value) if test.exact else (fold(test.scope), fold(value))
        return not scope or below == scope or below.startswith(scope + "/")
    if isinstance(test, Within):
        return in_network(value, test.network)
    raise AssertionError(test)


def in_network(text: str, network: Network) -> bool:
    """Whether `text` is an IP address (without a zone) inside the network; mapped IPv4 counts as IPv4."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id:
            return False
        address = address.ipv4_mapped or address
    return address in network


def walk(value: object, path: tuple[str, ...]) -> Iterator[object]:
    """Yield what lies at the end of the path; a list on the way stands for each of its items."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from walk(item, path)
    elif not path:
        if not isinstance(value, Mapping) or value:
            yield value
    elif isinstance(value, Mapping) and path[0] in value:
        yield from walk(value[path[0]], path[1:])


def leaves(value: object) -> Iterator[object]:
    """Yield every scalar of a JSON value."""
    if isinstance(value, Mapping):
        for member in value.values():
            yield from leaves(member)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def record_values(field: Field, document: Document) -> tuple[int | str]:
    """Return what the ledger added to the event, by the field's name."""
    members: dict[str, int | str] = {
        "index": document.index,
        "id": document.id,
        "received_at": document.received_at,
        "source": document.source,
        "class": document.class_name,
    }
    return (members[field.name],)


def _as_integer(field: Field, value: object) -> int | None:
    if field.kind is Kind.TIME and isinstance(value, str):
        return parse_instant(value)
    if field.kind is Kind.SEVERITY:
        return SEVERITIES.index(value) if isinstance(value, str) and value in SEVERITIES else None
    return value if isinstance(value, int) else None


def _equals_scalar(text: str, value: object) -> bool:
    if isinstance(value, bool):
        return text == ("true" if value else "false")
    if isinstance(value, (int, float)):
        number = parse_number(text)
        return number is not None and number == float(value)
    return False


def _is_between(test: Between, value: object) -> bool:
    return _beyond(test.low, value, low=True) and _beyond(test.high, value, low=False)


def _beyond(bound: Bound | None, value: object, *, low: bool) -> bool:
    if bound is None:
        return True
    edge = bound.value
    if isinstance(edge, str):
        if not isinstance(value, str):
            return False
        mine, theirs = fold(value), fold(edge)
        return (bound.inclusive and mine == theirs) or (mine > theirs if low else mine < theirs)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return (bound.inclusive and value == edge) or (value > edge if low else value < edge)
