"""Regular expressions of rules, run by RE2: time grows with the text alone, whatever the expression is.

RE2 has what the specification lists, and neither look-around nor back-references, which it does not list; those are
refused with the rule. So no expression that somebody writes into a rule can stop the stream.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import re2

EXPRESSION_CHARACTERS_MAX: Final = 4_096
_SET_PATTERNS: Final = 256
_SET_MEMORY: Final = 64 * 1024 * 1024


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
    """Finds which of many texts stand in a text, in one pass."""

    def __init__(self, literals: Sequence[str]) -> None:
        self._sets: list[tuple[int, re2.Set]] = []
        for first in range(0, len(literals), _SET_PATTERNS):
            chunk = literals[first : first + _SET_PATTERNS]
            self._sets.append((first, _compile_set(chunk)))

    def find(self, text: str) -> list[int]:
        """Return the positions of the literals that stand in `text`."""
        data = text.encode("utf-8", "replace")
        return [first + found for first, each in self._sets for found in each.Match(data) or ()]


def _compile_set(literals: Sequence[str]) -> re2.Set:
    options = re2.Options()
    options.log_errors = False
    options.literal = True
    options.max_mem = _SET_MEMORY
    made = re2.Set.SearchSet(options)
    for literal in literals:
        made.Add(literal.encode("utf-8", "replace"))
    made.Compile()
    # A set whose automaton does not fit would find nothing and not say so; it shows on the first text already.
    assert made.Match(literals[0].encode("utf-8", "replace"))
    return made
