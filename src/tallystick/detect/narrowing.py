"""What a rule says about itself before any event is read: by which actions history is narrowed, and what it must find."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from tallystick.sigma import Document, Rule
from tallystick.sigma.model import AllItems, And, Condition, Detection, Identifier, Item, Not, Or, Quantified, Searches

_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_.-")
_ACTION: Final = "action"


def actions_of(documents: Iterable[Document]) -> frozenset[str] | None:
    """Return the actions of which an event must have one, to be of interest to any rule; None where that is not said.

    An entry that ends with `*` stands for every action that begins so.
    """
    found: set[str] = set()
    for each in documents:
        if isinstance(each, Rule):
            actions = _of_condition(each.searches.condition, each.searches)
            if actions is None:
                return None
            found |= actions
    return frozenset(found) or None


def can_hold(rule: Rule, known: Collection[str]) -> bool:
    """Return whether the rule could match an event that has no other fields than those that are known."""
    return _may(rule.searches.condition, rule.searches, known)


def _of_condition(condition: Condition, searches: Searches) -> frozenset[str] | None:
    if isinstance(condition, Not):
        return None
    if isinstance(condition, Identifier):
        return _of_detection(searches.named[condition.name])
    if isinstance(condition, Quantified):
        parts = [_of_detection(searches.named[name]) for name in condition.names]
        return _narrowest(parts) if condition.every else _together(parts)
    inner = [_of_condition(each, searches) for each in condition.parts]
    return _narrowest(inner) if isinstance(condition, And) else _together(inner)


def _of_detection(detection: Detection) -> frozenset[str] | None:
    if not isinstance(detection, Item):
        parts = [_of_detection(each) for each in detection.parts]
        return _narrowest(parts) if isinstance(detection, AllItems) else _together(parts)
    if detection.field != _ACTION or detection.modifiers not in {(), ("startswith",)}:
        return None
    end = "*" if detection.modifiers else ""
    texts = [str(each.value).lower() for each in detection.values]
    heads = [text.removesuffix("*") for text in texts]
    if not all(head and _PLAIN.issuperset(head) for head in heads):
        return None
    return frozenset(head + ("*" if text.endswith("*") else end) for head, text in zip(heads, texts, strict=True))


def _narrowest(parts: list[frozenset[str] | None]) -> frozenset[str] | None:
    return min((each for each in parts if each is not None), key=len, default=None)


def _together(parts: list[frozenset[str] | None]) -> frozenset[str] | None:
    found: set[str] = set()
    for each in parts:
        if each is None:
            return None
        found |= each
    return frozenset(found)


def _may(condition: Condition, searches: Searches, known: Collection[str]) -> bool:
    if isinstance(condition, Not):
        return True  # what is negated holds where fields are missing
    if isinstance(condition, Identifier):
        return _may_detect(searches.named[condition.name], known)
    if isinstance(condition, Quantified):
        parts = [_may_detect(searches.named[name], known) for name in condition.names]
        return all(parts) if condition.every else any(parts)
    inner = [_may(each, searches, known) for each in condition.parts]
    return any(inner) if isinstance(condition, Or) else all(inner)


def _may_detect(detection: Detection, known: Collection[str]) -> bool:
    if not isinstance(detection, Item):
        parts = [_may_detect(each, known) for each in detection.parts]
        return all(parts) if isinstance(detection, AllItems) else any(parts)
    if detection.field is None or detection.field in known:
        return True
    return bool({"exists", "neq"} & set(detection.modifiers)) or any(each.value is None for each in detection.values)
