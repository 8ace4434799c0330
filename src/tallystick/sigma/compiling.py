"""From a rule to a tree of predicates, which is asked for an answer, for clues, and for an explanation alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tallystick.sigma import clues
from tallystick.sigma.clues import WHOLE_EVENT, Witnesses
from tallystick.sigma.model import (
    AllItems,
    And,
    Condition,
    Detection,
    Filter,
    Identifier,
    Item,
    Not,
    Or,
    Quantified,
    Rule,
    Searches,
)
from tallystick.sigma.predicates import Predicate, predicate_of
from tallystick.sigma.values import Lists, checks_of
from tallystick.sigma.view import View

Kind = Literal["rule", "filter", "and", "or", "not", "quantified", "search", "map", "list", "field"]

LABEL_VALUES_MAX: Final = 5


def no_lists(_: str) -> None:
    """Know no list: a rule with a placeholder is refused."""


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """One condition that can be asked; `witnesses` are what every event has that it holds for."""

    kind: Kind
    label: str
    holds: Predicate
    witnesses: Witnesses = ()
    parts: tuple[Compiled, ...] = ()
    field: str = ""


def compile_rule(rule: Rule, filters: Sequence[Filter] = (), lists: Lists = no_lists) -> Compiled:
    """Return the rule with those of the filters that are for it.

    Raises SigmaPlaceholderError when a list is missing that the rule needs.
    """
    own = _searches(rule.searches, lists)
    applying = [each for each in filters if applies(each, rule)]
    parts = [Compiled("rule", rule.head.title, own.holds, own.witnesses, (own,))]
    for each in applying:
        inner = _searches(each.searches, lists)
        parts.append(Compiled("filter", each.head.title, inner.holds, inner.witnesses, (inner,)))
    return parts[0] if len(parts) == 1 else _joined("and", "rule and filters", parts)


def applies(a_filter: Filter, rule: Rule) -> bool:
    """Return whether a filter is for a rule: named by it, or for any, and its logsource is the rule's or wider."""
    names = {rule.head.id, rule.head.name} - {""}
    if a_filter.rules is not None and names.isdisjoint(a_filter.rules):
        return False
    return a_filter.logsource.covers(rule.logsource)


def _searches(searches: Searches, lists: Lists) -> Compiled:
    made: dict[str, Compiled] = {}

    def search(name: str) -> Compiled:
        if name not in made:
            inner = _detection(searches.named[name], lists)
            made[name] = Compiled("search", name, inner.holds, inner.witnesses, (inner,))
        return made[name]

    return _condition(searches.condition, search)


def _condition(condition: Condition, search: Callable[[str], Compiled]) -> Compiled:
    match condition:
        case Identifier(name):
            return search(name)
        case Not(negated):
            part = _condition(negated, search)
            return Compiled("not", "not", _negation(part.holds), (), (part,))
        case And(parts):
            return _joined("and", "and", [_condition(part, search) for part in parts])
        case Or(parts):
            return _joined("or", "or", [_condition(part, search) for part in parts])
        case Quantified(every, pattern, names):
            inner = _joined("and" if every else "or", "", [search(name) for name in names])
            label = f"{'all' if every else '1'} of {pattern}"
            return Compiled("quantified", label, inner.holds, inner.witnesses, tuple([search(name) for name in names]))


def _detection(detection: Detection, lists: Lists) -> Compiled:
    if isinstance(detection, Item):
        return _item(detection, lists)
    parts = [_detection(part, lists) for part in detection.parts]
    if isinstance(detection, AllItems):
        return _joined("and", "all of", parts, "map")
    return _joined("or", "one of", parts, "list")


def _item(item: Item, lists: Lists) -> Compiled:
    checks = checks_of(item, lists)
    every, negated = "all" in item.modifiers, "neq" in item.modifiers
    witnesses = () if negated else clues.of_checks(item.field or WHOLE_EVENT, checks, every=every)
    return Compiled(
        "field",
        label_of(item),
        predicate_of(item.field, checks, every=every, negated=negated),
        witnesses,
        field=item.field or "",
    )


def label_of(item: Item) -> str:
    """Return an item in the rule's words, long lists cut short."""
    name = "|".join((item.field or "", *item.modifiers)) or "anywhere"
    shown = ["null" if value.value is None else value.written for value in item.values[:LABEL_VALUES_MAX]]
    more = len(item.values) - len(shown)
    return f"{name}: " + ", ".join(shown) + (f" and {more} more" if more else "")


def _joined(how: Kind, label: str, parts: Sequence[Compiled], kind: Kind | None = None) -> Compiled:
    """Return the parts joined by `how`, which is "and" or "or"."""
    holds = [part.holds for part in parts]
    witnesses = [part.witnesses for part in parts]
    if how == "and":
        return Compiled(kind or how, label, _conjunction(holds), clues.all_of(witnesses), tuple(parts))
    return Compiled(kind or how, label, _disjunction(holds), clues.any_of(witnesses), tuple(parts))


def _negation(holds: Predicate) -> Predicate:
    return lambda view: not holds(view)


def _conjunction(predicates: Sequence[Predicate]) -> Predicate:
    if len(predicates) == 1:
        return predicates[0]
    if len(predicates) == 2:
        first, second = predicates
        return lambda view: first(view) and second(view)

    def every(view: View) -> bool:
        for predicate in predicates:  # noqa: SIM110 a generator costs more than the work within
            if not predicate(view):
                return False
        return True

    return every


def _disjunction(predicates: Sequence[Predicate]) -> Predicate:
    if len(predicates) == 1:
        return predicates[0]
    if len(predicates) == 2:
        first, second = predicates
        return lambda view: first(view) or second(view)

    def one(view: View) -> bool:
        for predicate in predicates:  # noqa: SIM110 a generator costs more than the work within
            if predicate(view):
                return True
        return False

    return one
