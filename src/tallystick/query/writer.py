"""Writes a tree back as text: `parse_query(format_query(tree)) == tree`."""

from __future__ import annotations

from tallystick.query.fields import FIELDS, SEVERITIES, Kind
from tallystick.query.model import (
    All,
    Below,
    Between,
    Bound,
    Contains,
    Equals,
    Exists,
    FieldRef,
    Node,
    Not,
    Some,
    Span,
    Test,
    Text,
    Wildcard,
    Within,
)
from tallystick.query.moments import format_moment
from tallystick.query.scanner import NAME_CHARACTERS

_PLAIN_TAIL = frozenset('()"\\* \t\r\n[]{}')
_KEYWORDS = frozenset({"AND", "OR", "NOT", "TO"})


def format_query(node: Node) -> str:
    """Return text that parses to the same tree; times are absolute, lists are written out."""
    if isinstance(node, All):
        return " ".join(_grouped(child) for child in node.nodes) or "*"
    if isinstance(node, Some):
        return " OR ".join(_grouped(child) for child in node.nodes)
    if isinstance(node, Not):
        return f"-{_grouped(node.node)}"
    if isinstance(node, Text):
        return _pattern(node.test.parts, free=True)
    return f"{format_field(node.field)}{_test(node.field, node.test)}"


def format_field(ref: FieldRef) -> str:
    """Return the field as written, path steps quoted where they need it."""
    return ".".join((ref.name, *(step if step and set(step) <= NAME_CHARACTERS else _quote(step) for step in ref.path)))


def _grouped(node: Node) -> str:
    composite = isinstance(node, Some) or (isinstance(node, All) and node.nodes)
    return f"({format_query(node)})" if composite else format_query(node)


def _test(ref: FieldRef, test: Test) -> str:
    if isinstance(test, Exists):
        return ":*"
    if isinstance(test, Equals):
        return f":{_plain_or_quoted(test.text)}"
    if isinstance(test, Below):
        return f":{_plain_or_quoted(test.scope)}"
    if isinstance(test, Within):
        return f":{test.network}"
    if isinstance(test, (Wildcard, Contains)):
        return f":{_pattern(test.parts, free=False)}"
    if isinstance(test, Between):
        return _range(
            _bound(test.low),
            _bound(test.high),
            opening="[" if test.low is None or test.low.inclusive else "{",
            closing="]" if test.high is None or test.high.inclusive else "}",
        )
    return _span(ref, test)


def _span(ref: FieldRef, span: Span) -> str:
    kind = FIELDS[ref.name].kind

    def edge(value: int | None) -> str:
        if value is None:
            return "*"
        return format_moment(value) if kind is Kind.TIME else SEVERITIES[value] if kind is Kind.SEVERITY else str(value)

    if kind is Kind.SEVERITY and (span.low or 0) + 1 == (span.high or len(SEVERITIES)):
        return f":{edge(span.low or 0)}"
    if span.high is None and span.low is not None:
        return f">={edge(span.low)}"
    if span.low is None and span.high is not None:
        return f"<{edge(span.high)}"
    return _range(edge(span.low), edge(span.high), opening="[", closing="}")


def _range(low: str, high: str, *, opening: str, closing: str) -> str:
    return f":{opening}{low} TO {high}{closing}"


def _bound(bound: Bound | None) -> str:
    if bound is None:
        return "*"
    return _quote(bound.value) if isinstance(bound.value, str) else repr(bound.value)


def _pattern(parts: tuple[str, ...], *, free: bool) -> str:
    if len(parts) == 1:
        text = parts[0]
        return _quote(text) if free and _reads_otherwise(text) else _plain_or_quoted(text)
    escaped = "*".join("".join(f"\\{c}" if c in _PLAIN_TAIL else c for c in part) for part in parts)
    ambiguous = escaped[0] in "-<>" or (free and _reads_otherwise(escaped))
    return f"\\{escaped}" if ambiguous and escaped[0] not in "*\\" else escaped


def _reads_otherwise(text: str) -> bool:
    return any(character in text for character in ":<>")


def _plain_or_quoted(text: str) -> str:
    special = not text or text in _KEYWORDS or text[0] in "-[{<>" or not _PLAIN_TAIL.isdisjoint(text)
    return _quote(text) if special else text


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
