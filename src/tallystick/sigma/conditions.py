"""The condition of a rule: text to a tree over the named searches.

From weakest to strongest: `or`, `and`, `not`, `1 of` and `all of`, parentheses. `them` is every search whose name does
not begin with an underscore; a pattern stands for the searches whose names it matches.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final, NoReturn

from tallystick.sigma.errors import SigmaError, SigmaTooLargeError, SigmaUnsupportedError
from tallystick.sigma.model import And, Condition, Identifier, Not, Or, Place, Quantified
from tallystick.sigma.yaml_text import Node

WORDS_MAX: Final = 2_000
DEPTH_MAX: Final = 50

_TOKEN: Final = re.compile(r"\s+|(?P<word>[^\s()|]+)|(?P<mark>[()|])")
_NAME: Final = re.compile(r"[A-Za-z0-9_.:@-]+")
_PATTERN: Final = re.compile(r"[A-Za-z0-9_.:@*-]+")
_RESERVED: Final = frozenset({"and", "or", "not", "of", "them"})
NAME_ADVICE: Final = "letters, digits, `_`, `-`, `.`, `:` and `@`"


def is_name(text: str) -> bool:
    """Return whether a search may be called so."""
    return _NAME.fullmatch(text) is not None and text.lower() not in _RESERVED


def parse_condition(node: Node, names: Collection[str]) -> Condition:
    """Return the tree of one condition over the searches `names`. Raises SigmaError with the place of the word."""
    if not isinstance(node.value, str):
        raise SigmaError("a condition must be text", line=node.place.line, column=node.place.column)
    return _Parser(node, names).parse()


def searched(condition: Condition) -> frozenset[str]:
    """Return the names of the searches that a condition refers to."""
    if isinstance(condition, Identifier):
        return frozenset({condition.name})
    if isinstance(condition, Quantified):
        return frozenset(condition.names)
    if isinstance(condition, Not):
        return searched(condition.inner)
    return frozenset[str]().union(*(searched(part) for part in condition.parts))


def negates(condition: Condition) -> bool:
    """Return whether a `not` stands anywhere in a condition."""
    if isinstance(condition, Identifier | Quantified):
        return False
    return isinstance(condition, Not) or any(negates(part) for part in condition.parts)


class _Parser:
    def __init__(self, node: Node, names: Collection[str]) -> None:
        self._node = node
        self._names = names
        self._words = [
            (found[0], found.start()) for found in _TOKEN.finditer(str(node.value)) if not found[0].isspace()
        ]
        self._next = 0
        self._depth = 0

    def parse(self) -> Condition:
        if len(self._words) > WORDS_MAX:
            place = self._node.place
            message = f"the condition has more than {WORDS_MAX} words"
            raise SigmaTooLargeError(message, line=place.line, column=place.column)
        tree = self._or()
        if self._next < len(self._words):
            word, at = self._words[self._next]
            if word == ")":
                self._fail("this parenthesis closes none", at)
            self._fail(f"`and` or `or` is missing before {word!r}", at)
        return tree

    def _or(self) -> Condition:
        parts = [self._and()]
        while self._take("or"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _and(self) -> Condition:
        parts = [self._not()]
        while self._take("and"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _not(self) -> Condition:
        negations = 0
        while self._take("not"):
            negations += 1
        if negations > DEPTH_MAX:
            place = self._node.place
            raise SigmaTooLargeError(f"more than {DEPTH_MAX} `not` in a row", line=place.line, column=place.column)
        inner = self._operand()
        for _ in range(negations):
            inner = Not(inner)
        return inner

    def _operand(self) -> Condition:
        if self._next >= len(self._words):
            self._fail("the condition ends where a search is expected", len(str(self._node.value)))
        word, at = self._words[self._next]
        self._next += 1
        if word == "(":
            return self._parenthesis(at)
        if word == ")":
            self._fail("a search is expected before this parenthesis", at)
        if self._peek("of"):
            return self._quantified(word, at)
        if word.lower() in _RESERVED:
            self._fail(f"a search is expected, not `{word}`", at)
        if word not in self._names:
            if not _NAME.fullmatch(word):
                self._fail(f"{word!r} is not the name of a search; a pattern needs `1 of` or `all of` before it", at)
            self._fail(f"there is no search {word!r} in this rule", at)
        return Identifier(word)

    def _parenthesis(self, at: int) -> Condition:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            place = self._place(at)
            message = f"parentheses deeper than {DEPTH_MAX}"
            raise SigmaTooLargeError(message, line=place.line, column=place.column)
        inner = self._or()
        if not self._take(")"):
            self._fail("this parenthesis is not closed", at)
        self._depth -= 1
        return inner

    def _quantified(self, word: str, at: int) -> Condition:
        if word.lower() not in {"1", "all"}:
            self._refuse(f"`{word} of` is not evaluated; `1 of` and `all of` are", at)
        self._next += 1
        if self._next >= len(self._words):
            self._fail("`of` needs `them` or a pattern of names", len(str(self._node.value)))
        pattern, place = self._words[self._next]
        self._next += 1
        if pattern == "(":
            self._refuse("a list of names after `of` is not evaluated; use a pattern such as `selection*`", place)
        if pattern.lower() == "them":
            names = tuple(name for name in self._names if not name.startswith("_"))
        elif not _PATTERN.fullmatch(pattern):
            self._fail(f"{pattern!r} is not a pattern of names", place)
        else:
            # Not `re`: a pattern of many stars against a long name would take it years, and every thread with it.
            names = tuple(name for name in self._names if _is_as(name, pattern.split("*")))
        if not names:
            self._fail(f"no search in this rule is called {pattern!r}", place)
        return Quantified(word.lower() == "all", pattern, names)

    def _peek(self, expected: str) -> bool:
        return self._next < len(self._words) and self._words[self._next][0].lower() == expected

    def _take(self, expected: str) -> bool:
        if not self._peek(expected):
            if self._next < len(self._words) and self._words[self._next][0] == "|":
                message = "the old aggregation after `|` is not evaluated; write a correlation"
                self._refuse(message, self._words[self._next][1])
            return False
        self._next += 1
        return True

    def _place(self, at: int) -> Place:
        """Return where the character `at` stands, or the whole condition where it spans lines."""
        line, column = self._node.place
        return Place(line, column if self._node.offset is None else column + self._node.offset + at)

    def _fail(self, message: str, at: int) -> NoReturn:
        place = self._place(at)
        raise SigmaError(message, line=place.line, column=place.column)

    def _refuse(self, message: str, at: int) -> NoReturn:
        place = self._place(at)
        raise SigmaUnsupportedError(message, line=place.line, column=place.column)


def _is_as(name: str, pieces: Sequence[str]) -> bool:
    """Return whether a name is these pieces in their order, with anything between them."""
    if len(pieces) == 1:
        return name == pieces[0]
    first, *middle, last = pieces
    at, end = len(first), len(name) - len(last)
    if at > end or not (name.startswith(first) and name.endswith(last)):
        return False
    for piece in middle:
        found = name.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True
