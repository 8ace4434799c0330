"""The part of the block `tallystick` that says how a rule watches: parsed, or refused with line and column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from tallystick.detect.errors import RuleTextError
from tallystick.detect.native.model import DAY_US, HOUR_US, SECOND_US
from tallystick.sigma import Place
from tallystick.sigma.correlate import LATENESS_US
from tallystick.sigma.yaml_text import Node

FIELDS_MAX: Final = 5
FIELD_CHARS_MAX: Final = 256
LATENESS_US_MAX: Final = 7 * DAY_US
_ACTOR: Final = ("actor.id",)
_SOURCE: Final = ("source",)
_UNITS: Final = {"s": SECOND_US, "m": 60 * SECOND_US, "h": HOUR_US, "d": DAY_US, "w": 7 * DAY_US}
_DURATION: Final = re.compile(r"([1-9][0-9]{0,6})([smhdw])")


@dataclass(frozen=True, slots=True)
class Settings:
    """How a rule watches. What a kind does not have keeps its default; `expect_us` None means that nobody said.

    `group_by` None means that the text says nothing: the group of the correlation, or the actor of a plain rule.
    """

    kind: str = "sigma"
    group_by: tuple[str, ...] | None = None
    lateness_us: int = LATENESS_US
    value: tuple[str, ...] = ()
    history_us: int = 30 * DAY_US
    warm_up_us: int = 7 * DAY_US
    expect_us: int | None = None
    at_least: int = 20
    deviations: int = 6
    weeks: int = 8
    below: int = 50
    share: int = 1

    @property
    def groups(self) -> tuple[str, ...]:
        """Return the fields by which a rule that is no correlation tells its groups apart."""
        return _ACTOR if self.group_by is None else self.group_by


KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "sigma": ("group_by", "lateness"),
    "first_seen": ("group_by", "lateness", "value", "history", "warm_up"),
    "silence": ("group_by", "lateness", "expect"),
    "burst": ("group_by", "lateness", "at_least", "deviations", "weeks"),
    "drop": ("group_by", "lateness", "at_least", "below", "weeks"),
    "off_hours": ("group_by", "lateness", "share", "at_least", "history"),
}
"""What may stand in the block beside what every rule has, by kind."""
_DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "silence": {"group_by": _SOURCE},
    "drop": {"group_by": _SOURCE},
    "off_hours": {"at_least": 50, "history_us": 14 * DAY_US},
}
_COUNTS: Final = {
    "at_least": (1, 1_000_000),
    "deviations": (2, 100),
    "weeks": (3, 12),
    "below": (1, 99),
    "share": (1, 20),
}
_DURATIONS: Final = {
    "lateness": (SECOND_US, LATENESS_US_MAX),
    "history": (DAY_US, 400 * DAY_US),
    "warm_up": (SECOND_US, 90 * DAY_US),
    "expect": (60 * SECOND_US, 90 * DAY_US),
}


def read_settings(kind: str, block: Node | None, others: tuple[str, ...] = ()) -> Settings:
    """Return how a rule of a kind watches; `others` are the keys that somebody else reads.

    Raises RuleTextError with line and column for a key or value that the kind does not have.
    """
    given: dict[str, Any] = {"kind": kind, **_DEFAULTS.get(kind, {})}
    if block is None:
        return Settings(**given)
    members = cast("Mapping[str, Node]", block.value)
    known = (*others, *KEYS[kind])
    for key, place in block.keys.items():
        if key not in known:
            raise _refuse(f"the key {key[:60]!r} is not known here; known: {', '.join(known)}", place)
        if key in others:
            continue
        node = members[key]
        if key in _COUNTS:
            given[key] = _count(key, node)
        elif key in _DURATIONS:
            given[f"{key}_us"] = _duration(key, node)
        else:
            given[key] = _fields(key, node)
    if kind == "first_seen" and not given.get("value"):
        raise _refuse("first_seen needs `value`: the fields whose values may be new", block.place)
    return Settings(**given)


def _count(key: str, node: Node) -> int:
    least, most = _COUNTS[key]
    if not isinstance(node.value, int) or isinstance(node.value, bool) or not least <= node.value <= most:
        raise _refuse(f"{key} is a whole number from {least:,} to {most:,}", node.place)
    return node.value


def _duration(key: str, node: Node) -> int:
    least, most = _DURATIONS[key]
    found = _DURATION.fullmatch(node.value) if isinstance(node.value, str) else None
    if found is None:
        raise _refuse(f"{key} is a number with s, m, h, d or w, such as 90s or 30d", node.place)
    us = int(found[1]) * _UNITS[found[2]]
    if not least <= us <= most:
        raise _refuse(f"{key} is from {least // SECOND_US:,} s to {most // DAY_US:,} d", node.place)
    return us


def _fields(key: str, node: Node) -> tuple[str, ...]:
    members = node.value if isinstance(node.value, list) else [node]
    if len(members) > FIELDS_MAX:
        raise _refuse(f"{key} is a list of at most {FIELDS_MAX} fields", node.place)
    for each in members:
        if not isinstance(each.value, str) or not 1 <= len(each.value) <= FIELD_CHARS_MAX:
            raise _refuse(f"each of {key} is the path of a field", each.place)
    return tuple(str(each.value) for each in members)


def _refuse(message: str, place: Place) -> RuleTextError:
    return RuleTextError(message, line=place.line, column=place.column)
