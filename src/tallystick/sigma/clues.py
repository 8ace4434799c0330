"""What an event must have for a search to hold at all: the clues by which rules are found.

A clue is a text that a field must equal, or have somewhere inside; a witness is a set of clues of which an event that
matches always has one. A search may have several witnesses, and none when it requires nothing positive.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from tallystick.sigma.matching import Check, RegexCheck, TextCheck
from tallystick.sigma.required import required_text
from tallystick.sigma.wildcards import Pattern, literal

CLUES_MAX: Final = 200_000
INNER_CHARACTERS_MAX: Final = 64
WHOLE_EVENT: Final = ""


class Clue(NamedTuple):
    """A text that stands in a field (of the whole event, where the name is empty); `exact` when it is all of it."""

    field: str
    text: str
    exact: bool


Witness = frozenset[Clue]
Witnesses = tuple[Witness, ...]


def of_checks(field: str, checks: Sequence[Check], *, every: bool) -> Witnesses:
    """Return the witnesses of checks that are joined by or, or by and where `every`."""
    if every:
        return all_of([of_checks(field, [check], every=False) for check in checks])
    clues: set[Clue] = set()
    for check in checks:
        if isinstance(check, RegexCheck):
            required = required_text(check.expression)
            if not required:
                return ()
            clues.add(_within(field, required))
            continue
        if not isinstance(check, TextCheck):
            return ()
        for pattern in check.patterns:
            clue = _of_pattern(field, pattern)
            if clue is None:
                return ()
            clues.add(clue)
    return (frozenset(clues),) if len(clues) <= CLUES_MAX else ()


def all_of(parts: Sequence[Witnesses]) -> Witnesses:
    """Return the witnesses where every part holds: each of theirs."""
    return tuple([witness for part in parts for witness in part])


def any_of(parts: Sequence[Witnesses]) -> Witnesses:
    """Return the witnesses where one part holds: the best of each part together, none when a part has none."""
    if not parts or not all(parts):
        return ()
    together = frozenset[Clue]().union(*(min(part, key=weight) for part in parts))
    return (together,) if len(together) <= CLUES_MAX else ()


def weight(witness: Witness) -> float:
    """Return how likely an event has one of the clues, in no unit; short and inner texts are met more often."""
    return sum((1.0 if clue.exact else 4.0) + 8.0 / (1 + len(clue.text)) for clue in witness)


def _of_pattern(field: str, pattern: Pattern) -> Clue | None:
    whole = literal(pattern)
    if whole is not None:
        return Clue(field, whole.casefold(), exact=True)
    longest = max((part for part in pattern if isinstance(part, str)), key=len, default="")
    return _within(field, longest) if longest else None


def _within(field: str, text: str) -> Clue:
    """Return the clue of a text that stands somewhere; the beginning of a long one is clue enough."""
    return Clue(field, text.casefold()[:INNER_CHARACTERS_MAX], exact=False)
