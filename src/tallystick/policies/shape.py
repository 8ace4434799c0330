"""What a value of a policy may be: small descriptions that check a parsed text and name the place of what is wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tallystick.event.identifier import hidden_character
from tallystick.event.located_yaml import LocatedYaml
from tallystick.event.visible import show
from tallystick.policies.errors import PolicyTextError

Path = tuple[str | int, ...]
NUMBER_MAX = 2**53 - 1
TEXT_CHARS_MAX = 10_000
KEY_CHARS_MAX = 255


class Shape(Protocol):
    """Something that a value can be."""

    def check(self, value: Any, at: Path, text: LocatedYaml) -> None:
        """Return, or raise PolicyTextError with line and column."""
        ...

    def describe(self) -> str:
        """Return in a few words what is accepted, for the reference page."""
        ...


def refuse(message: str, at: Path, text: LocatedYaml) -> PolicyTextError:
    """Return the error that names the place of the value at `at`, or of its nearest parent."""
    while at and at not in text.places:
        at = at[:-1]
    line, column = text.places.get(at, (1, 1))
    where = ".".join(str(part) for part in at)
    return PolicyTextError(f"{show(where, 200) + ': ' if where else ''}{message}", line=line, column=column)


@dataclass(frozen=True, slots=True)
class Text:
    """A text, one of `among` where that is given; `line` means a single line without hidden characters."""

    most: int = TEXT_CHARS_MAX
    least: int = 0
    among: tuple[str, ...] = ()
    line: bool = False

    def check(self, value: Any, at: Path, text: LocatedYaml) -> None:
        if not isinstance(value, str):
            raise refuse("a text is wanted; put it in quotes", at, text)
        if any("\ud800" <= each <= "\udfff" for each in value):
            raise refuse("it holds half a character (a lone surrogate)", at, text)
        if self.among and value not in self.among:
            raise refuse(f"{show(value, 80)!r} is not one of {', '.join(self.among)}", at, text)
        if not self.least <= len(value) <= self.most:
            raise refuse(f"{len(value)} characters; from {self.least} to {self.most} are accepted", at, text)
        if self.line and (hidden := hidden_character(value)) is not None:
            raise refuse(f"it holds the hidden character U+{ord(hidden):04X}", at, text)

    def describe(self) -> str:
        return " · ".join(f"`{each}`" for each in self.among) if self.among else f"text, {self.least} to {self.most}"


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false."""

    def check(self, value: Any, at: Path, text: LocatedYaml) -> None:
        if not isinstance(value, bool):
            raise refuse("true or false is wanted", at, text)

    def describe(self) -> str:
        return "true or false"


@dataclass(frozen=True, slots=True)
class Count:
    """A whole number."""

    least: int = 0
    most: int = NUMBER_MAX

    def check(self, value: Any, at: Path, text: LocatedYaml) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not self.least <= value <= self.most:
            raise refuse(f"a whole number from {self.least} to {self.most} is wanted", at, text)

    def describe(self) -> str:
        return f"whole number, {self.least} to {self.most}"


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list."""

    each: Shape
    most: int = 1000
    least: int = 0

    def check(self, value: Any, at: Path, text: LocatedYaml) -> None:
        if not isinstance(value, list):
            raise refuse("a list is wanted", at, text)
        if not self.least <= len(value) <= self.most:
            raise refuse(f"{len(value)} entries; from {self.least} to {self.most} are accepted", at, text)
        for position, entry in enumerate(value):
            self.each.check(entry, (*at, position), text)

    def describe(self) -> str:
        inner = "" if isinstance(self.each, Keys) else f" of {self.each.describe()}"
        return f"list{inner}, at most {self.most}"


@dataclass(frozen=True, slots=True)
class Keys:
    """A mapping with no keys but these. Of each group in `one_of` at least one key stands in it."""

    known: Mapping[str, Shape]
    required: tuple[str, ...] = ()
    one_of: tuple[tuple[str, ...], ...] = ()
    never_both: tuple[tuple[str, str], ...] = ()

    def check(self, value: Any, at: Path, text: LocatedYaml) -> None:
        if not isinstance(value, dict):
            raise refuse("a mapping is wanted", at, text)
        for key, inner in value.items():
            if key not in self.known:
                raise refuse(
                    f"the key {show(key, 80)!r} is not known here; known: {', '.join(self.known)}", (*at, key), text
                )
            if inner is None:
                raise refuse("it has no value", (*at, key), text)
            self.known[key].check(inner, (*at, key), text)
        for key in self.required:
            if key not in value:
                raise refuse(f"the key {key!r} is missing", at, text)
        for group in self.one_of:
            if not any(key in value for key in group):
                raise refuse(f"one of the keys {', '.join(group)} is missing", at, text)
        for one, other in self.never_both:
            if one in value and other in value:
                raise refuse(f"the keys {one!r} and {other!r} exclude each other", (*at, other), text)

    def describe(self) -> str:
        return "mapping"


@dataclass(frozen=True, slots=True)
class Named:
    """A mapping with keys of one's own, to plain values: text, number, true or false."""

    most: int = 200

    def check(self, value: Any, at: Path, text: LocatedYaml) -> None:
        if not isinstance(value, dict):
            raise refuse("a mapping is wanted", at, text)
        if len(value) > self.most:
            raise refuse(f"{len(value)} keys; at most {self.most} are accepted", at, text)
        for key, inner in value.items():
            Text(KEY_CHARS_MAX, 1, line=True).check(key, (*at, key), text)
            Plain().check(inner, (*at, key), text)

    def describe(self) -> str:
        return f"keys of your own with plain values, at most {self.most}"


@dataclass(frozen=True, slots=True)
class Plain:
    """Text, number, true or false."""

    def check(self, value: Any, at: Path, text: LocatedYaml) -> None:
        if isinstance(value, str):
            Text().check(value, at, text)
        elif isinstance(value, float):
            if not math.isfinite(value) or abs(value) > NUMBER_MAX:
                raise refuse("the number is too large to be kept exactly", at, text)
        elif isinstance(value, int):
            if abs(value) > NUMBER_MAX:
                raise refuse("the number is too large to be kept exactly", at, text)
        else:
            raise refuse("text, a number, true or false is wanted", at, text)

    def describe(self) -> str:
        return "text, number, true or false"


@dataclass(frozen=True, slots=True)
class Either:
    """One of several shapes; the one that fits the type of the value names what is wrong."""

    shapes: Mapping[type, Shape] = field(default_factory=dict)

    def check(self, value: Any, at: Path, text: LocatedYaml) -> None:
        shape = self.shapes.get(type(value))
        if shape is None:
            raise refuse(f"wanted: {self.describe()}", at, text)
        shape.check(value, at, text)

    def describe(self) -> str:
        return " or ".join(shape.describe() for shape in self.shapes.values())
