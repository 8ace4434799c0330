"""What a rule or a filter needs besides events: the fields it asks for, and the lists that its placeholders name."""

from __future__ import annotations

from collections.abc import Iterator

from tallystick.sigma.conditions import searched
from tallystick.sigma.model import Detection, Filter, Item, Rule
from tallystick.sigma.values import names_in
from tallystick.sigma.wildcards import literal, parse_pattern


def fields_of(document: Rule | Filter) -> frozenset[str]:
    """Return the paths of the fields that the condition asks for."""
    fields: set[str] = set()
    for item in _items(document):
        if item.field is not None:
            fields.add(item.field)
        if "fieldref" in item.modifiers:
            fields.update(literal(parse_pattern(value.written)) or "" for value in item.values)
    return frozenset(fields)


def placeholders_of(document: Rule | Filter) -> frozenset[str]:
    """Return the names of the lists that must exist for the document to be evaluated."""
    return frozenset(name for item in _items(document) for name in names_in(item))


def _items(document: Rule | Filter) -> Iterator[Item]:
    searches = document.searches
    for name in searched(searches.condition):
        yield from _within(searches.named[name])


def _within(detection: Detection) -> Iterator[Item]:
    if isinstance(detection, Item):
        yield detection
        return
    for part in detection.parts:
        yield from _within(part)
