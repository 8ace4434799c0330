"""What a rule says about itself before any event is read: by which actions history is narrowed, and what it must find."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final

from tallystick.detect.logsources import Logsources
from tallystick.sigma import Document, Lists, Rule
from tallystick.sigma.compiling import compile_rule
from tallystick.sigma.model import AllItems, And, Condition, Detection, Identifier, Item, Not, Or, Quantified, Searches

_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_.-")
_ACTION: Final = "action"
_FIELD: Final = re.compile(r"(?!message$)[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
"""Of a vendor's event at its top; where that is a text, it has only a message."""
_VALUE: Final = re.compile(r"[a-z][a-z0-9_.-]*", re.ASCII)
_WORDS: Final = frozenset({"and", "or", "not", "true", "false"})
_TEXTS_MAX: Final = 50


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


def query_of(documents: Iterable[Document], logsources: Logsources, lists: Lists) -> str:
    """Return the search that finds every event of interest to any rule, and as few others as is known; "" finds all.

    The values of vendors' fields are found by what their letters are without regard to case; a letter outside ASCII
    that only stands for one within is none here.
    """
    parts: dict[str, None] = {}
    for each in documents:
        if isinstance(each, Rule):
            found = _own_query(each) if logsources.is_own(each.logsource) else _raw_query(each, logsources, lists)
            if not found:
                return ""
            parts[found] = None
    return " OR ".join(parts)


def _own_query(rule: Rule) -> str:
    actions = actions_of([rule])
    return f"action:({' OR '.join(sorted(actions))})" if actions else ""


def _raw_query(rule: Rule, logsources: Logsources, lists: Lists) -> str:
    """Return the search by one field of the vendor's event that must be one of few texts."""
    bindings = [each for each in logsources.bindings if rule.logsource.covers(each.logsource)]
    renamed = {name for each in bindings for name in each.names or ()}
    best: tuple[tuple[bool, int], str] | None = None
    for witness in compile_rule(rule, lists=lists).witnesses:
        [*fields] = {clue.field for clue in witness}
        texts = sorted(clue.text for clue in witness)
        if len(fields) != 1 or not _FIELD.fullmatch(fields[0]) or fields[0] in renamed or len(texts) > _TEXTS_MAX:
            continue
        if all(clue.exact and _VALUE.fullmatch(clue.text) and clue.text not in _WORDS for clue in witness):
            # What was done is rarer than the host where, and a long text than a short one.
            rank = (not any("." in text for text in texts), min(map(len, texts)))
            best = max(best or ((False, 0), ""), (rank, f"raw.{fields[0]}:({' OR '.join(texts)})"))
    return best[1] if best else ""


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
