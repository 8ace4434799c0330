"""From patterns to one function over a text. What text operations can answer they do; the rest runs in RE2."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from tallystick.sigma.expressions import LiteralSet, compile_expression
from tallystick.sigma.wildcards import ANY, DASH, DASHES, ONE, Pattern, Wild, joined

TextPredicate = Callable[[str], bool]

_PIECES: Final = {ANY: ".*", ONE: ".", DASH: f"[{re.escape(DASHES)}]"}
_FEW: Final = 64


def text_predicate(exact: frozenset[str], patterns: Sequence[Pattern]) -> TextPredicate:
    """Return the function that says whether a text is in `exact` or as one of the patterns, which have no one text."""
    prefixes: list[str] = []
    suffixes: list[str] = []
    inner: list[str] = []
    others: list[TextPredicate] = []
    for pattern in [single for each in patterns for single in _without_dash(each)]:
        match pattern:
            case (str(prefix), part) if part is ANY:
                prefixes.append(prefix)
            case (part, str(suffix)) if part is ANY:
                suffixes.append(suffix)
            case (first, str(middle), last) if first is ANY and last is ANY:
                inner.append(middle)
            case _:
                others.append(_wild(pattern))
    if inner:
        others.insert(0, _holds_one(tuple(inner)))
    if len(others) == 1 and not (exact or prefixes or suffixes):
        return others[0]
    starts, ends = tuple(prefixes), tuple(suffixes)

    def matches(text: str) -> bool:
        if text in exact or (starts and text.startswith(starts)) or (ends and text.endswith(ends)):
            return True
        return any(other(text) for other in others)

    return matches


def _holds_one(texts: tuple[str, ...]) -> TextPredicate:
    if len(texts) == 1:
        only = texts[0]
        return lambda text: only in text
    if len(texts) > _FEW:
        find = LiteralSet(texts).find
        return lambda text: bool(find(text))

    def holds(text: str) -> bool:
        for each in texts:  # noqa: SIM110 a generator costs more than the work within
            if each in text:
                return True
        return False

    return holds


def _without_dash(pattern: Pattern) -> list[Pattern]:
    """Return the five texts of a pattern with one DASH and no other inner wildcard; else the pattern itself."""
    if sum(part is DASH for part in pattern) != 1 or any(part is ONE or part is ANY for part in pattern[1:-1]):
        return [pattern]
    return [joined(tuple([dash if part is DASH else part for part in pattern])) for dash in DASHES]


def _wild(pattern: Pattern) -> TextPredicate:
    """Return the function that says whether the whole of a text is as `pattern`."""
    if pattern == (ANY,):
        return lambda _: True
    begin, end = pattern[0] is not ANY, pattern[-1] is not ANY
    inner = pattern[0 if begin else 1 : len(pattern) if end else -1]
    body = "".join([_PIECES[part] if isinstance(part, Wild) else re.escape(str(part)) for part in inner])
    return compile_expression((r"\A" if begin else "") + body + (r"\z" if end else ""), "s")
