"""A rule fired: what is known of it before firings are folded into alarms."""

from __future__ import annotations

from dataclasses import dataclass

from tallystick.detect.ports import EnabledRule


@dataclass(frozen=True, slots=True)
class Firing:
    """One firing of a rule for a group. `names` are the fields of the group; `occasion` tells firings of one event apart.

    `index` is the event that shows it. Times are microseconds: `at_us` is when it happened, `known_us` when it could be
    known, which is when its event was received, or when time alone brought it.
    """

    rule: EnabledRule
    names: tuple[str, ...]
    group: tuple[str, ...]
    scope: str
    index: int
    at_us: int
    known_us: int
    sentence: str
    indexes: tuple[int, ...]
    occasion: str = ""
    recovered: bool = False
