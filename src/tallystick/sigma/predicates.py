"""From a field's checks to one function over a view: the only meaning that a search has, wherever it is asked.

Texts are compared without regard to case by folding both sides, the rule's once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tallystick.sigma.expressions import compile_expression
from tallystick.sigma.matching import (
    COMPARE,
    Check,
    CidrCheck,
    CompareCheck,
    ExistsCheck,
    FieldCheck,
    NullCheck,
    RegexCheck,
    TextCheck,
    address_of,
    number_of,
    time_part,
)
from tallystick.sigma.text_predicates import text_predicate
from tallystick.sigma.view import View
from tallystick.sigma.wildcards import Pattern, literal

Predicate = Callable[[View], bool]


def predicate_of(field: str | None, checks: Sequence[Check], *, every: bool, negated: bool) -> Predicate:
    """Return the function that says whether one of the checks holds for a value of `field`, or each where `every`.

    `field` None asks about the whole event. `negated` turns the answer round.
    """
    groups = [[check] for check in checks] if every else [checks]
    found = _all([_any_predicate(field, group) for group in groups])
    return (lambda view: not found(view)) if negated else found


def _all(predicates: list[Predicate]) -> Predicate:
    def each(view: View) -> bool:
        return all(predicate(view) for predicate in predicates)

    return predicates[0] if len(predicates) == 1 else each


def _any_predicate(field: str | None, checks: Sequence[Check]) -> Predicate:
    """Return the function for checks joined by or; all text checks of one item have the same case."""
    texts = [check for check in checks if isinstance(check, TextCheck)]
    predicates = [_single(field, check) for check in checks if not isinstance(check, TextCheck)]
    for cased in (False, True):
        patterns = [pattern for check in texts if check.cased is cased for pattern in check.patterns]
        if patterns:
            predicates.append(_on_texts(field, patterns, cased=cased))
    if len(predicates) == 1:
        return predicates[0]

    def found(view: View) -> bool:
        return any(predicate(view) for predicate in predicates)

    return found


def _on_texts(field: str | None, patterns: Iterable[Pattern], *, cased: bool) -> Predicate:
    exact: set[str] = set()
    others: list[Pattern] = []
    for pattern in patterns:
        folded = pattern if cased else tuple([part.casefold() if isinstance(part, str) else part for part in pattern])
        whole = literal(folded)
        if whole is None:
            others.append(folded)
        else:
            exact.add(whole)
    if field is None:
        matches = text_predicate(frozenset(exact), others)
        return (lambda view: matches(view.whole())) if cased else (lambda view: matches(view.whole_folded()))
    if not others:
        return _on_exact(field, frozenset(exact), cased=cased)
    matches = text_predicate(frozenset(exact), others)
    if cased:

        def found_cased(view: View) -> bool:
            return any(matches(text) for text in view.texts(field))

        return found_cased

    def found(view: View) -> bool:
        for text in view.folded(field):  # noqa: SIM110 a generator costs more than the work within
            if matches(text):
                return True
        return False

    return found


def _on_exact(field: str, texts: frozenset[str], *, cased: bool) -> Predicate:
    if cased:
        return lambda view: not texts.isdisjoint(view.texts(field))
    return lambda view: not texts.isdisjoint(view.folded(field))


def _single(field: str | None, check: Check) -> Predicate:
    if isinstance(check, RegexCheck):
        found = compile_expression(check.expression, check.flags)
        if field is None:
            return lambda view: found(view.whole())
        return lambda view: any(found(text) for text in view.texts(field))
    assert field is not None
    if isinstance(check, NullCheck):
        return lambda view: not (values := view.get(field)) or None in values
    if isinstance(check, ExistsCheck):
        return lambda view: bool(view.get(field)) is check.expected
    if isinstance(check, CidrCheck):
        return _in_networks(field, check)
    if isinstance(check, CompareCheck):
        return _compared(field, check)
    assert isinstance(check, FieldCheck)
    return _like_field(field, check)


def _in_networks(field: str, check: CidrCheck) -> Predicate:
    ranges = [(each.version, int(each.network_address), int(each.broadcast_address)) for each in check.networks]

    def found(view: View) -> bool:
        for text in view.texts(field):
            address = address_of(text)
            if address is None:
                continue
            for version, low, high in ranges:
                if version == address[0] and low <= address[1] <= high:
                    return True
        return False

    return found


def _compared(field: str, check: CompareCheck) -> Predicate:
    compare, number, part = COMPARE[check.operator], float(check.number), check.part

    def found(view: View) -> bool:
        for value in view.get(field):
            have = time_part(value, part) if part else number_of(value)
            if have is not None and compare(float(have), number):
                return True
        return False

    return found


def _like_field(field: str, check: FieldCheck) -> Predicate:
    other = check.path
    compare: Callable[[str, str], bool] = {
        "": str.__eq__,
        "contains": str.__contains__,
        "startswith": str.startswith,
        "endswith": str.endswith,
    }[check.how]

    def found(view: View) -> bool:
        if check.cased:
            ours, theirs = view.texts(field), view.texts(other)
        else:
            ours, theirs = view.folded(field), view.folded(other)
        return any(compare(text, each) for text in ours for each in theirs)

    return found
