"""The correlation part of a document, read; what its words mean is the engine's affair."""

from __future__ import annotations

import re
from typing import Final, NoReturn

from tallystick.sigma.errors import SigmaError, SigmaUnsupportedError
from tallystick.sigma.head import parse_head, read_text, read_texts
from tallystick.sigma.model import Bound, Correlation, CorrelationType, Operator, Place
from tallystick.sigma.yaml_text import Node

KEYS: Final = frozenset({"type", "rules", "group-by", "timespan", "condition", "aliases", "generate"})
COUNT_MAX: Final = 1_000_000_000
TIMESPAN_DAYS_MAX: Final = 366

_TIMESPAN: Final = re.compile(r"([0-9]{1,9})([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_NUMERIC_TYPES: Final = ("value_sum", "value_avg", "value_percentile", "value_median")
_TEMPORAL: Final = (CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED)


def parse_correlation(document: Node) -> Correlation:
    """Return the correlation that a document is. Raises SigmaError with the place of what cannot be read."""
    assert isinstance(document.value, dict)
    node = document.value["correlation"]
    if not isinstance(node.value, dict):
        _fail("`correlation` is a map", node.place)
    parts = node.value
    for key in parts:
        if key not in KEYS:
            _refuse(f"a correlation has no key {key!r}", node.keys[key])
    for key in ("type", "rules", "timespan"):
        if key not in parts:
            _fail(f"`{key}` is missing", node.place)
    kind = _type(parts["type"])
    rules = read_texts(parts["rules"], "rules")
    if not rules:
        _fail("a correlation names its rules", parts["rules"].place)
    if len(set(rules)) < len(rules):
        _fail("a rule is named twice", parts["rules"].place)
    if kind in _TEMPORAL and len(rules) < 2:
        _fail(f"`{kind}` needs two rules or more", parts["rules"].place)
    if "condition" not in parts and kind not in _TEMPORAL:
        _fail("`condition` is missing", node.place)
    bounds, fields = _condition(parts["condition"], kind, len(rules)) if "condition" in parts else ((), ())
    generates = [_truth(place) for place in (parts.get("generate"), document.value.get("generate")) if place]
    return Correlation(
        head=parse_head(document, frozenset({"correlation", "generate"})),
        type=kind,
        rules=rules,
        group_by=read_texts(parts["group-by"], "group-by") if "group-by" in parts else (),
        timespan_us=_timespan(parts["timespan"]),
        condition=bounds,
        fields=fields,
        aliases=_aliases(parts["aliases"], rules) if "aliases" in parts else {},
        generate=any(generates),
        place=document.keys["correlation"],
    )


def _type(node: Node) -> CorrelationType:
    text = read_text(node, "type")
    if text in _NUMERIC_TYPES:
        _refuse(f"correlations of type {text} are not evaluated; {', '.join(CorrelationType)} are", node.place)
    try:
        return CorrelationType(text)
    except ValueError:
        _refuse(f"there is no correlation type {text!r}; {', '.join(CorrelationType)} are known", node.place)


def _timespan(node: Node) -> int:
    text = read_text(node, "timespan")
    found = _TIMESPAN.fullmatch(text)
    if found is None:
        _fail(f"{text!r} is no time span; write a number and s, m, h or d", node.place)
    seconds = int(found[1]) * _SECONDS[found[2]]
    if not 0 < seconds <= TIMESPAN_DAYS_MAX * _SECONDS["d"]:
        _fail(f"a time span is more than nothing and at most {TIMESPAN_DAYS_MAX}d", node.place)
    return seconds * 1_000_000


def _condition(node: Node, kind: CorrelationType, rules: int) -> tuple[tuple[Bound, ...], tuple[str, ...]]:
    if isinstance(node.value, str):
        _refuse("a condition over rules is not evaluated; write a count, such as `gte: 10`", node.place)
    if not isinstance(node.value, dict):
        _fail("the condition is a map such as `gte: 10`", node.place)
    bounds: list[Bound] = []
    fields: tuple[str, ...] = ()
    for key, child in node.value.items():
        if key == "field":
            if kind is not CorrelationType.VALUE_COUNT:
                _fail(f"`{kind}` counts no field", node.keys[key])
            fields = read_texts(child, "field")
        elif key in set(Operator):
            bounds.append(Bound(Operator(key), _count(child, rules if kind in _TEMPORAL else COUNT_MAX)))
        else:
            _refuse(f"a condition has no key {key!r}; {', '.join(Operator)} compare", node.keys[key])
    if not 1 <= len(bounds) <= 2:
        _fail("one comparison is expected, or two for a range", node.place)
    if kind is CorrelationType.VALUE_COUNT and not fields:
        _fail("`value_count` needs the `field` whose values it counts", node.place)
    return tuple(bounds), fields


def _count(node: Node, most: int) -> int:
    count = node.value
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= most:
        _fail(f"{node.written!r} is no count from 0 to {most}", node.place)
    return count


def _aliases(node: Node, rules: tuple[str, ...]) -> dict[str, dict[str, str]]:
    if not isinstance(node.value, dict):
        _fail("`aliases` is a map of an alias to its fields", node.place)
    made: dict[str, dict[str, str]] = {}
    for alias, child in node.value.items():
        if not isinstance(child.value, dict) or not child.value:
            _fail("an alias is a map of a rule to the field that stands for it there", child.place)
        for rule in child.value:
            if rule not in rules:
                _fail(f"{rule!r} is none of this correlation's rules", child.keys[rule])
        made[alias] = {rule: read_text(field, rule) for rule, field in child.value.items()}
    return made


def _truth(node: Node) -> bool:
    if not isinstance(node.value, bool):
        _fail("`generate` is true or false", node.place)
    return node.value


def _fail(message: str, place: Place) -> NoReturn:
    raise SigmaError(message, line=place.line, column=place.column)


def _refuse(message: str, place: Place) -> NoReturn:
    raise SigmaUnsupportedError(message, line=place.line, column=place.column)
