"""The detection part of a rule or filter: named searches, each a map, a list of maps or a list of keywords."""

from __future__ import annotations

import re
from typing import Final, NoReturn

from tallystick.sigma.conditions import NAME_ADVICE, is_name, parse_condition
from tallystick.sigma.errors import SigmaError, SigmaTooLargeError, SigmaUnsupportedError
from tallystick.sigma.model import AllItems, AnyItem, Condition, Detection, Item, Or, Place, Searches, Value
from tallystick.sigma.modifiers import check_modifiers
from tallystick.sigma.values import checks_of
from tallystick.sigma.yaml_text import Node

SEARCHES_MAX: Final = 500
VALUES_MAX: Final = 20_000
_SELECTOR: Final = re.compile(r"\[(any|all|none|\d+)\]")


def parse_searches(node: Node, besides: frozenset[str] = frozenset()) -> Searches:
    """Return the searches in a mapping and the condition that joins them; the keys `besides` are not searches."""
    if not isinstance(node.value, dict):
        _fail("named searches and a condition are expected here", node.place)
    named: dict[str, Detection] = {}
    for name, child in node.value.items():
        place = node.keys[name]
        if name == "timeframe":
            _refuse("`timeframe` belongs to the old aggregation; write a correlation", place)
        if name == "condition" or name in besides:
            continue
        if not is_name(name):
            _fail(f"{name!r} cannot be the name of a search; use {NAME_ADVICE}", place)
        named[name] = _search(child)
    if not named:
        _fail("there is no search here", node.place)
    if len(named) > SEARCHES_MAX:
        raise SigmaTooLargeError(f"more than {SEARCHES_MAX} searches", line=node.place.line, column=node.place.column)
    condition = node.value.get("condition")
    if condition is None:
        _fail("`condition` is missing", node.place)
    return Searches(named, _conditions(condition, named))


def _conditions(node: Node, named: dict[str, Detection]) -> Condition:
    if not isinstance(node.value, list):
        return parse_condition(node, named)
    if not node.value:
        _fail("the list of conditions is empty", node.place)
    parts = tuple([parse_condition(child, named) for child in node.value])
    return parts[0] if len(parts) == 1 else Or(parts)


def _search(node: Node) -> Detection:
    if isinstance(node.value, dict):
        return _map(node)
    if not isinstance(node.value, list):
        return _item(None, (), node, node.place)
    if not node.value:
        _fail("the list is empty", node.place)
    if not any(isinstance(child.value, dict | list) for child in node.value):
        return _item(None, (), node, node.place)
    parts: list[Detection] = []
    for child in node.value:
        if isinstance(child.value, list):
            _refuse("a list within a list has no meaning here", child.place)
        parts.append(_search(child))
    return parts[0] if len(parts) == 1 else AnyItem(tuple(parts))


def _map(node: Node) -> Detection:
    assert isinstance(node.value, dict)
    if not node.value:
        _fail("the map is empty", node.place)
    parts = [_field(key, child, node.keys[key]) for key, child in node.value.items()]
    return parts[0] if len(parts) == 1 else AllItems(tuple(parts))


def _field(key: str, node: Node, place: Place) -> Item:
    name, *modifiers = key.split("|")
    field = name.strip() or None
    if field is None and not modifiers:
        _fail("the name of a field is missing", place)
    if field is not None and _SELECTOR.search(field):
        _refuse(
            f"{field!r} selects members of a list, which a later version of Sigma has; here any member counts", place
        )
    check_modifiers(field, modifiers, place)
    return _item(field, tuple(modifiers), node, place)


def _item(field: str | None, modifiers: tuple[str, ...], node: Node, place: Place) -> Item:
    nodes = node.value if isinstance(node.value, list) else [node]
    if not nodes:
        _fail("the list of values is empty", node.place)
    if len(nodes) > VALUES_MAX:
        message = f"more than {VALUES_MAX} values; put them into a list that `expand` names"
        raise SigmaTooLargeError(message, line=node.place.line, column=node.place.column)
    values: list[Value] = []
    for child in nodes:
        if isinstance(child.value, dict | list):
            _refuse("a value is text, a number, true, false or null; nothing can stand within it", child.place)
        if child.value is None and (len(nodes) > 1 or field is None):
            _fail("null cannot be one of several values; make it a search of its own", child.place)
        values.append(Value(child.value, child.written, child.place))
    if "all" in modifiers and len(values) == 1:
        _fail("`all` needs several values", place)
    item = Item(field, modifiers, tuple(values), place)
    checks_of(item, None)
    return item


def _fail(message: str, place: Place) -> NoReturn:
    raise SigmaError(message, line=place.line, column=place.column)


def _refuse(message: str, place: Place) -> NoReturn:
    raise SigmaUnsupportedError(message, line=place.line, column=place.column)
