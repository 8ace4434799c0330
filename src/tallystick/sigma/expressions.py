"""Regular expressions of rules, run by RE2: time grows with the text alone, whatever the expression is.

RE2 has what the specification lists, and neither look-around nor back-references, which it does not list; those are
refused with the rule. So no expression that somebody writes into a rule can stop the stream.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import re2

EXPRESSION_CHARACTERS_MAX: Final = 4_096
_SET_PATTERNS: Final = 4_096
_SET_CHARACTERS: Final = 64
SET_MEMORY: Final = 64 * 1024 * 1024


class ExpressionError(ValueError):
    """RE2 does not take the expression; the message says why."""


def compile_expression(expression: str, flags: str = "") -> Callable[[str], bool]:
    """Return a function that says whether the expression is found in a text. Raises ExpressionError.

    `flags` are of `i`, `m` and `s`.
    """
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    try:
        compiled = re2.compile((f"(?{flags})" if flags else "") + expression, options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        raise ExpressionError(
            reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        ) from error
    except UnicodeEncodeError as error:
        raise ExpressionError("a lone surrogate is no character") from error
    search = compiled.search

    def found(text: str) -> bool:
        return search(text.encode("utf-8", "replace")) is not None

    return found


def check_expression(expression: str, flags: str) -> str:
    """Return what is wrong with an expression of a rule, empty when nothing is."""
    if len(expression) > EXPRESSION_CHARACTERS_MAX:
        return f"it is longer than {EXPRESSION_CHARACTERS_MAX} characters"
    try:
        compile_expression(expression, flags)
    except ExpressionError as error:
        return str(error)
    return ""


class LiteralSet:
    """Finds which of many texts stand in a text, in one pass. `memory` bounds each of its automata, in bytes."""

    def __init__(self, literals: Sequence[str], memory: int = SET_MEMORY) -> None:
        self._literals = literals
        beginnings = [literal[:_SET_CHARACTERS].encode("utf-8", "replace") for literal in literals]
        self._sets = [
            made
            for first in range(0, len(literals), _SET_PATTERNS)
            for made in _sets(beginnings[first : first + _SET_PATTERNS], first, memory)
        ]

    def find(self, text: str) -> list[int]:
        """Return the positions of the literals that stand in `text`."""
        data = text.encode("utf-8", "replace")
        found = [first + position for first, each in self._sets for position in each.Match(data) or ()]
        return [position for position in found if self._literals[position] in text]


def _sets(beginnings: Sequence[bytes], first: int, memory: int) -> list[tuple[int, re2.Set]]:
    """Return automata for the texts, as few as fit, each with the position of its first."""
    options = re2.Options()
    options.log_errors = False
    options.literal = True
    options.max_mem = memory
    made = re2.Set.SearchSet(options)
    for each in beginnings:
        made.Add(each)
    try:
        made.Compile()
        # An automaton that has no room to run finds nothing and does not say so; that shows on the first text already.
        fits = bool(made.Match(beginnings[0]))
    except re2.error:
        fits = False
    if fits or len(beginnings) == 1:
        assert fits, "one short text always fits"
        return [(first, made)]
    half = len(beginnings) // 2
    return [*_sets(beginnings[:half], first, memory), *_sets(beginnings[half:], first + half, memory)]
