"""Matchers as Alertmanager writes them; regular expressions are RE2's, so none takes long.

`scope="acme/payments"` means that scope and everything below it, by whole segments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, cast

import pyarrow as pa
import pyarrow.compute as pc

from tallystick.alert.notify.errors import MatcherInvalidError
from tallystick.event.identifier import is_within
from tallystick.event.visible import show

LABELS: Final = ("severity", "scope", "kind", "team", "owner")
VALUE_CHARS_MAX: Final = 512
MATCHERS_MAX: Final = 20
Operator = Literal["=", "!=", "=~", "!~"]
_MATCHER: Final = re.compile(
    r'\s*(?P<label>[a-zA-Z_][a-zA-Z0-9_]*)\s*(?P<operator>=~|!~|!=|=)\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s",{}]*))\s*'
)
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPED: Final = {"n": "\n", '"': '"', "\\": "\\"}
Labels = Mapping[str, str]
"""The labels of an alert; one that it lacks counts as empty."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label. The value of a regular expression is anchored at both ends."""

    label: str
    operator: Operator
    value: str

    def __str__(self) -> str:
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.label}{self.operator}"{escaped}"'

    def matches(self, labels: Labels) -> bool:
        """Return whether labels meet it."""
        found = labels.get(self.label, "")
        if self.operator in {"=~", "!~"}:
            return _searches(self.value, found) == (self.operator == "=~")
        is_it = is_within(found, _path(self.value)) if self.label == "scope" else found == self.value
        return is_it == (self.operator == "=")


def matches(matchers: tuple[Matcher, ...], labels: Labels) -> bool:
    """Return whether labels meet every matcher; none at all matches everything."""
    return all(each.matches(labels) for each in matchers)


def parse_matcher(text: str) -> Matcher:
    """Return one matcher; raises MatcherInvalidError."""
    found = parse_matchers(text)
    if len(found) != 1:
        raise MatcherInvalidError(f"{show(text, 80)!r} is not one matcher")
    return found[0]


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Return matchers separated by commas, in braces or not; raises MatcherInvalidError."""
    inner = text.strip()
    if inner.startswith("{") and inner.endswith("}"):
        inner = inner[1:-1]
    found: list[Matcher] = []
    at = 0
    while at < len(inner):
        match = _MATCHER.match(inner, at)
        if match is None or (match.end() < len(inner) and inner[match.end()] != ","):
            raise MatcherInvalidError(f"{show(text, 80)!r} is not a matcher")
        quoted = match["quoted"]
        value = match["bare"] if quoted is None else _ESCAPE.sub(_unescape, quoted)
        found.append(make_matcher(match["label"], match["operator"], value))
        at = match.end() + 1
    return tuple(found)


def make_matcher(label: str, operator: str, value: str) -> Matcher:
    """Return a matcher that can be asked; raises MatcherInvalidError."""
    if label not in LABELS:
        raise MatcherInvalidError(f"alerts have no label {show(label, 40)!r}")
    if operator not in {"=", "!=", "=~", "!~"}:
        raise MatcherInvalidError(f"{show(operator, 8)!r} is no operator")
    if len(value) > VALUE_CHARS_MAX:
        raise MatcherInvalidError(f"the value of {label} has more than {VALUE_CHARS_MAX} characters")
    if operator in {"=~", "!~"}:
        try:
            _searches(value, "")
        except pa.ArrowInvalid:
            raise MatcherInvalidError(f"{show(value, 80)!r} is not a regular expression (RE2)") from None
    return Matcher(label, cast("Operator", operator), value)


@lru_cache(maxsize=4096)
def _searches(pattern: str, value: str) -> bool:
    found = pc.match_substring_regex(pa.array([value], pa.string()), pattern=f"^(?s:{pattern})$")
    return bool(found[0].as_py())


def _path(shown: str) -> str:
    return "" if shown == "/" else shown


def _unescape(match: re.Match[str]) -> str:
    return _ESCAPED.get(match[1], match[0])
